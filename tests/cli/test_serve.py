"""`sticky-calls serve`: what it prepares, tells and refuses; and as a real process."""

from __future__ import annotations

import json
import logging
import os
import pty
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import requests
from click.testing import CliRunner
from gunicorn.config import Config as GunicornConfig

from adapter import logs
from adapter.cli import main
from adapter.cli.serving import serve
from adapter.cli.serving.application import GunicornApp, MaskedLogger, settings
from adapter.cli.serving.listening import refuse_taken_address
from adapter.cli.serving.worker import Worker
from adapter.config import Config, RecordingConfig, ServerConfig
from adapter.engine.model import Plan
from adapter.errors import ConfigError, StoreMismatch
from adapter.web.shedding import SPARE_THREADS
from tests.builders import a_config, an_organization
from tests.store.sqlite.test_soundness import damage_a_page

GUNICORN_BY_HAND = Path(__file__).parents[2] / "deploy" / "gunicorn.conf.py"


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.sqlite
def test_a_damaged_database_is_told_and_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serve.prepare(a_config(tmp_path))
    assert "is damaged" not in caplog.text
    damage_a_page(tmp_path / "calls.db")
    serve.prepare(a_config(tmp_path))
    assert "the database is damaged, restore a backup (`sticky-calls db restore`)" in caplog.text


def test_everything_is_made_before_there_are_workers(tmp_path: Path) -> None:
    serve.prepare(a_config(tmp_path))
    assert {"calls.db", "calls.db.pepper"} <= {file.name for file in tmp_path.iterdir()}
    assert not (tmp_path / "calls.db-wal").exists(), "a connection was left open"


def test_a_database_that_does_not_answer_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "calls.db").mkdir()
    serve.prepare(a_config(tmp_path))
    assert "starting without the database" in caplog.text


def test_a_changed_billing_account_stops_the_start(tmp_path: Path) -> None:
    serve.prepare(a_config(tmp_path))
    moved = replace(an_organization(), plan=Plan("ba_other", None))
    with pytest.raises(StoreMismatch):
        serve.prepare(a_config(tmp_path, moved))


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the pepper cannot be kept"):
        serve.prepare(a_config(tmp_path / "nowhere"))


def test_the_announcement_says_what_to_do_next() -> None:
    assert "listens on http://127.0.0.1:8080 (2 processes, 8 threads each)" in serve.announcement(Config())
    assert "To answer calls, set twilio.public_url" in serve.announcement(Config())


def test_the_announcement_says_where_twilio_has_to_call(tmp_path: Path) -> None:
    told = serve.announcement(replace(a_config(tmp_path), server=ServerConfig("unix:/run/x.sock")))
    assert "https://voice.example.com/twilio/voice" in told
    assert "https://voice.example.com/twilio/status" in told
    assert "listens on unix:/run/x.sock" in told


def test_an_address_in_use_is_refused_also_when_it_could_be_shared() -> None:
    """A second service with SO_REUSEPORT would start, and take half of the first one's calls."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(click.ClickException, match=r"cannot listen on .*: address already in use; choose another"):
            refuse_taken_address(bind)
    refuse_taken_address(bind)


def test_an_address_that_does_not_exist_is_refused() -> None:
    for bind in ("no-such-host.invalid:8080", "192.0.2.1:8080"):
        with pytest.raises(click.ClickException, match="cannot listen on"):
            refuse_taken_address(bind)
    refuse_taken_address("unix:/anywhere")
    with pytest.raises(
        click.ClickException, match="cannot listen on unix:/no/where: no folder /no; make it, or choose"
    ):
        refuse_taken_address("unix:/no/where")


def test_ipv6_addresses_are_understood(free_port: int) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    refuse_taken_address(f"[::1]:{free_port}")


def test_gunicorn_by_hand_has_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    by_hand = runpy.run_path(str(GUNICORN_BY_HAND))
    known = {name: value for name, value in by_hand.items() if name in GunicornConfig().settings}
    on_starting = known.pop("on_starting")
    assert known == settings(Config())
    monkeypatch.setattr(logs, "configure", lambda level: None)
    on_starting(None)
    assert (tmp_path / "sticky-calls.db").exists()


def test_gunicorn_by_hand_reads_the_file_that_serve_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTER_CONFIG", "")
    (tmp_path / "config.yaml").write_text("server: {bind: 'unix:/run/x.sock', workers: 5}")
    by_hand = runpy.run_path(str(GUNICORN_BY_HAND))
    assert (by_hand["workers"], by_hand["reuse_port"], os.environ["ADAPTER_CONFIG"]) == (5, False, "config.yaml")


def test_gunicorn_takes_every_setting(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    app = GunicornApp(config, None)
    assert app.cfg.address == [("127.0.0.1", 8080)]
    assert (app.cfg.worker_class, app.cfg.threads, app.cfg.workers) == (Worker, 8 + SPARE_THREADS, 2)
    assert (app.cfg.reuse_port, app.cfg.control_socket_disable, app.cfg.preload_app) == (False, True, False)
    assert app.cfg.loglevel == "info"


def test_on_a_terminal_the_announcement_takes_the_place_of_gunicorns_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = GunicornApp(a_config(tmp_path), "It listens.")
    assert app.cfg.loglevel == "warning"
    app.cfg.when_ready(None)
    assert capsys.readouterr().err == "It listens.\n"


def test_gunicorns_messages_go_into_our_log(tmp_path: Path) -> None:
    logger = MaskedLogger(GunicornApp(a_config(tmp_path), None).cfg)
    assert logger.error_log.handlers == []
    assert logger.error_log.propagate


def test_a_worker_loads_the_app_with_its_upkeep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restored_logging: None
) -> None:
    started: list[Any] = []
    monkeypatch.setattr("adapter.wsgi.start_upkeep", started.append)
    app = GunicornApp(a_config(tmp_path), None).load()
    service = app.extensions["sticky-calls"]
    service.store.close()
    assert started == [service]


def test_every_line_about_a_request_has_the_id_of_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], restored_logging: None
) -> None:
    monkeypatch.setattr("adapter.wsgi.start_upkeep", lambda _: None)
    app = GunicornApp(a_config(tmp_path), None).load()
    client = app.test_client()
    capsys.readouterr()  # of the database that was made
    webhook = client.post("/twilio/voice", data={"CallSid": "CA1"})
    guess = client.get("/v1/calls/x", headers={"Authorization": "Bearer sk_prod_" + "a" * 51})
    logging.getLogger("adapter.x").warning("of no request")
    app.extensions["sticky-calls"].store.close()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"][:15], line.get("request_id")) for line in told] == [
        ("webhook refused", webhook.headers["X-Request-Id"]),
        ("an API key was ", guess.headers["X-Request-Id"]),
        ("of no request", None),
    ]


def not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The configurations that would have been served, in this folder."""
    monkeypatch.chdir(folder)
    ran: list[Config] = []

    class Noted:
        def __init__(self, config: Config, announcement: str | None, reread: Callable[[], Config]) -> None:
            ran.append(config)
            assert announcement is None
            assert reread() == config

        def run(self) -> None: ...

    monkeypatch.setattr(serve, "GunicornApp", Noted)
    return ran


TWO_LINES = """
twilio: {public_url: 'https://voice.example.com', accounts: [{sid: '*', auth_tokens: [token]}]}
lines: [{number: '*', destination: hangup}, {number: '+1*', destination: hangup}]
"""


def test_record_serves_with_a_recording(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, restored_logging: None
) -> None:
    ran = not_run(tmp_path, monkeypatch)
    monkeypatch.setenv("ADAPTER_SERVER__BIND", f"127.0.0.1:{free_port}")
    (tmp_path / "config.yaml").write_text(TWO_LINES)
    for options in ((), ("--line", "*", "--line", "+1*", "--keep-personal")):
        result = CliRunner().invoke(main, ["record", "-o", "kept/calls.jsonl", *options])
        assert result.exit_code == 0, result.output
    plain, chosen = (config.recording for config in ran)
    assert (plain.file, plain.lines, plain.personal) == ("kept/calls.jsonl", (), "pseudonyms")
    assert (chosen.file, chosen.lines, chosen.personal) == ("kept/calls.jsonl", ("*", "+1*"), "keep")
    wrong = CliRunner().invoke(main, ["record", "-o", "calls.jsonl", "--line", "+4930"])
    assert (wrong.exit_code, "--line +4930: is the number of no line" in wrong.stderr) == (1, True)
    assert "go with -o" in CliRunner().invoke(main, ["record", "--keep-personal"]).stderr


def test_record_of_one_line_records_no_other_that_the_configuration_names(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, restored_logging: None
) -> None:
    ran = not_run(tmp_path, monkeypatch)
    monkeypatch.setenv("ADAPTER_SERVER__BIND", f"127.0.0.1:{free_port}")
    (tmp_path / "config.yaml").write_text(f"{TWO_LINES}recording: {{lines: ['*', '+1*']}}\n")
    result = CliRunner().invoke(main, ["record", "-o", "calls.jsonl", "--line", "+1*"])
    assert result.exit_code == 0, result.output
    assert ran[0].recording.lines == ("+1*",)


def test_the_announcement_says_where_webhooks_are_recorded(tmp_path: Path) -> None:
    config = replace(a_config(tmp_path), recording=RecordingConfig("calls.jsonl"))
    assert "recorded in:  calls.jsonl" in serve.announcement(config)


def test_serve_takes_its_options_in_place_of_the_configuration(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, restored_logging: None
) -> None:
    ran = not_run(tmp_path, monkeypatch)
    bind = f"127.0.0.1:{free_port}"
    result = CliRunner().invoke(main, ["serve", "--bind", bind, "--workers", "3", "--threads", "5"])
    assert result.exit_code == 0, result.output
    assert ran[0].server == ServerConfig(bind, 3, 5)
    assert "write host:port" in CliRunner().invoke(main, ["serve", "--bind", "8080"]).stderr


@contextmanager
def serving(folder: Path, *arguments: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """`sticky-calls serve` as a process, stopped by force if the test does not stop it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    environ |= {"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    command = [sys.executable, "-m", "adapter", "serve", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environ, **how)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Ask until there is an answer; a refused connection is over at once, a taken one waits for the first worker."""
    for _ in range(2_000):
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/v1/health", timeout=30)
            return dict(answer.json())
        except requests.ConnectionError:
            try:
                process.wait(0.02)
                break
            except subprocess.TimeoutExpired:
                continue
    raise AssertionError("it did not come up")


@pytest.mark.slow
def test_a_real_service_answers_logs_json_and_stops_when_told(tmp_path: Path, free_port: int) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as stderr,
        serving(tmp_path, "--bind", f"127.0.0.1:{free_port}", stdout=stderr, stderr=stderr) as process,
    ):
        assert wait_until_healthy(free_port, process)["database"] == "connected"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"timestamp", "level", "event", "logger"} <= lines[0].keys()
    assert not list(tmp_path.rglob("*.ctl")), "a control socket was opened"


@pytest.mark.slow
def test_on_a_terminal_it_says_where_it_listens_and_what_to_do_next(tmp_path: Path, free_port: int) -> None:
    ours, theirs = pty.openpty()
    with serving(tmp_path, "--bind", f"127.0.0.1:{free_port}", stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        told = b""
        while b"Ctrl-C" not in told:
            told += os.read(ours, 4_096)
        wait_until_healthy(free_port, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    os.close(ours)
    assert f"listens on http://127.0.0.1:{free_port}".encode() in told
    assert b"sticky-calls keys create" in told


@pytest.mark.slow
def test_bodies_that_are_broken_or_too_large_are_refused_and_cost_no_connection(tmp_path: Path, free_port: int) -> None:
    database = f"database: {{url: 'sqlite:///{tmp_path}/calls.db'}}"
    (tmp_path / "config.yaml").write_text(f"{database}\norganizations: [{{id: acme, tier: unlimited}}]\n", "utf-8")
    made = CliRunner().invoke(main, ["keys", "create", "--json", "--config", str(tmp_path / "config.yaml")])
    key = json.loads(made.stdout)["key"]
    with (
        serving(tmp_path, "--bind", f"127.0.0.1:{free_port}", stderr=subprocess.DEVNULL) as process,
        requests.Session() as session,
    ):
        wait_until_healthy(free_port, process)
        session.headers["Authorization"] = f"Bearer {key}"
        start = f"http://127.0.0.1:{free_port}/v1/calls/start"
        for number in range(5):
            assert session.post(start, data=b"x" * 300_000).status_code == 413
            body = {"call_id": f"call-{number}", "identity_hints": {"ani": "+14155550123"}}
            assert session.post(start, json=body).status_code == 200
        with socket.create_connection(("127.0.0.1", free_port), timeout=10) as raw:
            head = f"POST /v1/calls/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
            assert raw.recv(4_096).startswith(b"HTTP/1.1 400 ")
