"""Every secret can be changed while calls go on, and none can be read from outside while the service runs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import yaml
from click.testing import CliRunner

from adapter.cli import main
from adapter.cli.serving.application import GunicornApp
from adapter.config import Config, load
from adapter.config.effective import effective
from adapter.config.schema import ConfigSchema
from adapter.config.tables import Items, is_secret
from adapter.errors import ConfigError
from adapter.twilio.signature import sign
from tests.builders import ACCOUNT
from tests.serving import free_port

PUBLIC_URL = "https://voice.example.com"
PEPPERS = ("the-pepper-of-last-year", "the-pepper-of-this-year")
TOKENS = ("the-token-of-last-year", "the-token-of-this-year")
METRICS = ("the-metrics-token-of-last-year", "the-metrics-token-of-this-year")
KEYS = ({"id": "k1", "key": "A" * 43 + "="}, {"id": "k2", "key": "B" * 43 + "="})
_SECONDS = 30.0


def settings(folder: Path, security: dict[str, Any], tokens: list[str], metrics: str = METRICS[0]) -> None:
    text = {
        "database": {"url": f"sqlite:///{folder}/calls.db"},
        "server": {"workers": 2},
        "twilio": {"public_url": PUBLIC_URL, "accounts": [{"sid": ACCOUNT, "auth_tokens": tokens}]},
        "lines": [{"number": "+14155550100", "destination": {"dial": "+14155550199"}}],
        "security": security,
        "metrics": {"token": metrics},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(text), "utf-8")


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    command = [sys.executable, "-m", "adapter", "serve", "--config", "config.yaml", "--bind", f"127.0.0.1:{port}"]
    with (folder / "log").open("ab") as log:
        environ |= {"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder)}
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            eventually(lambda: answers(port))
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_SECONDS)


def eventually(happens: Any) -> None:
    deadline = time.monotonic() + _SECONDS
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def rings(port: int, token: str) -> int:
    """The status of a voice webhook that is signed with this token."""
    form = {"AccountSid": ACCOUNT, "CallSid": "CA" + "1" * 32, "From": "+14155550123", "To": "+14155550100"}
    form |= {"CallStatus": "ringing"}
    signed = {"X-Twilio-Signature": sign(f"{PUBLIC_URL}/twilio/voice", list(form.items()), token)}
    signed["Content-Type"] = "application/x-www-form-urlencoded"
    return requests.post(
        f"http://127.0.0.1:{port}/twilio/voice", urlencode(form), headers=signed, timeout=10
    ).status_code


def asks(port: int, key: str, call: str) -> requests.Response:
    body = {"call_id": call, "identity_hints": {"ani": "+14155550123"}}
    bearer = {"Authorization": f"Bearer {key}"}
    return requests.post(f"http://127.0.0.1:{port}/v1/calls/start", json=body, headers=bearer, timeout=10)


def reads_metrics(port: int, token: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.get(f"http://127.0.0.1:{port}/metrics", headers=bearer, timeout=10).status_code


@pytest.mark.slow
def test_tokens_pepper_and_encryption_keys_change_while_calls_go_on(tmp_path: Path) -> None:
    port = free_port()
    settings(tmp_path, {"pepper": PEPPERS[0], "encryption_keys": [KEYS[0]]}, [TOKENS[0]])
    config = ["--config", str(tmp_path / "config.yaml")]
    key = CliRunner().invoke(main, ["keys", "create", *config]).stdout.strip()
    with serving(tmp_path, port) as process:
        ref = asks(port, key, "call-1").json()["customer_ref"]
        assert (rings(port, TOKENS[0]), rings(port, TOKENS[1])) == (200, 403)
        both = {"pepper": PEPPERS[1], "former_peppers": [PEPPERS[0]], "encryption_keys": [KEYS[1], KEYS[0]]}
        settings(tmp_path, both, [TOKENS[1], TOKENS[0]])
        process.send_signal(signal.SIGHUP)
        # The old secrets go on working at every moment.
        eventually(lambda: rings(port, TOKENS[0]) == 200 and rings(port, TOKENS[1]) == 200)
        assert rings(port, TOKENS[0]) == 200
        eventually(lambda: "Brought" not in CliRunner().invoke(main, ["db", "rekey", *config]).stdout)
        eventually(lambda: asks(port, key, f"call-{time.monotonic_ns()}").status_code == 200 and is_rehashed(config))
        assert (reads_metrics(port, METRICS[0]), reads_metrics(port, METRICS[1])) == (200, 401)
        settings(tmp_path, {"pepper": PEPPERS[1], "encryption_keys": [KEYS[1]]}, [TOKENS[1]], METRICS[1])
        process.send_signal(signal.SIGHUP)
        eventually(lambda: rings(port, TOKENS[0]) == 403)
        assert rings(port, TOKENS[1]) == 200
        eventually(lambda: (reads_metrics(port, METRICS[0]), reads_metrics(port, METRICS[1])) == (401, 200))
        answer = asks(port, key, "call-9")
        assert (answer.status_code, answer.json()["customer_ref"]) == (200, ref)
        assert readable_from_outside(process.pid) == []
    log = (tmp_path / "log").read_text()
    assert [
        secret for secret in (*PEPPERS, *TOKENS, *METRICS, *(each["key"] for each in KEYS), key) if secret in log
    ] == []


def is_rehashed(config: list[str]) -> bool:
    return "former pepper: none" in CliRunner().invoke(main, ["keys", "list", *config]).stderr


def readable_from_outside(master: int) -> list[str]:
    """Which secrets stand in the command lines of the service, that every user of the machine can read."""
    found = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    lines = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (str(master), *found)).decode()
    assert "serve" in lines or "sticky-calls" in lines
    return [secret for secret in (*PEPPERS, *TOKENS, *METRICS) if secret in lines]


def test_a_configuration_with_mistakes_is_not_taken_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = Config()

    def broken() -> Config:
        raise ConfigError(["c.yaml:3: server.workers: is no number", "c.yaml:7: logging.level: is no level"])

    app = GunicornApp(config, None, broken)
    with caplog.at_level(logging.ERROR):
        app.reload()
    assert app._config is config
    assert [record.getMessage() for record in caplog.records] == [
        "the configuration was not read again: c.yaml:3: server.workers: is no number",
        "the configuration was not read again: c.yaml:7: logging.level: is no level",
    ]


def secrets_of(schema: Any, path: str = "") -> Iterator[str]:
    """The path of every setting that is a secret."""
    for name, field in schema.fields.items():
        if is_secret(field):
            yield f"{path}{name}"
        inner = field.entries if isinstance(field, Items) else field
        if hasattr(inner, "schema"):
            yield from secrets_of(inner.schema, f"{path}{name}.")


# A secret that is added has to be added here, too.
MARKED = {
    "database.url": "postgresql://user:Zq7secret-of-the-database@db.example.com/x",
    "metrics.token": "Zq7secret-of-the-metrics",
    "security.pepper": "Zq7secret-of-the-pepper",
    "security.former_peppers": ["Zq7secret-of-the-former-pepper"],
    "security.encryption_keys.key": "Zq7secret" + "A" * 34 + "=",
    "twilio.accounts.auth_tokens": ["Zq7secret-of-twilio"],
}


def test_every_secret_is_known_here() -> None:
    assert set(secrets_of(ConfigSchema())) == set(MARKED)


def test_no_secret_is_shown_by_effective_repr_or_a_mistake(tmp_path: Path) -> None:
    text = {
        "database": {"url": MARKED["database.url"]},
        "metrics": {"token": MARKED["metrics.token"]},
        "security": {
            "pepper": MARKED["security.pepper"],
            "former_peppers": MARKED["security.former_peppers"],
            "encryption_keys": [{"id": "a", "key": MARKED["security.encryption_keys.key"]}],
        },
        "twilio": {"accounts": [{"sid": "*", "auth_tokens": MARKED["twilio.accounts.auth_tokens"]}]},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(text), "utf-8")
    config = load(file, {})
    shown = CliRunner().invoke(main, ["check-config", "--effective", str(file)])
    assert shown.exit_code == 0, shown.output
    told = [effective(config), repr(config.security), repr(config.twilio), repr(config.metrics), shown.output]
    file.write_text(yaml.safe_dump({**text, "security": {"pepper": ["Zq7secret"], "encryption_keys": "Zq7secret"}}))
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "Zq7secret" not in "".join([*told, str(caught.value)])
