"""The demo's server: a temporary configuration, database and API key, and `sticky-calls serve` as it always runs."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import requests
import yaml

from adapter.app import build_service
from adapter.cli.serving.listening import refuse_taken_address
from adapter.config import load
from adapter.config.pepper import pepper_for
from adapter.engine.model import Mode
from adapter.store import keys

ACCOUNT = "AC" + "0" * 32
NUMBER = "+14155550100"
DESTINATION = "+14155550199"
_START_SECONDS = 30
_STOP_SECONDS = 40  # the server itself gives requests 30 seconds to be finished


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running server. `auth_token` is what its (made-up) Twilio account signs with."""

    url: str
    api_key: str
    auth_token: str
    process: subprocess.Popen[bytes]


@contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[DemoServer]:
    """Start the server in `folder`, give it out when it answers, stop it afterwards. ClickException if it does not."""
    if port is not None:
        # Else whoever listens there would be told the story, and would take it for calls.
        refuse_taken_address(f"127.0.0.1:{port}", "--port")
    url = f"http://127.0.0.1:{port or _free_port()}"
    auth_token = secrets.token_hex(16)
    config = _write_config(folder, url, auth_token)
    api_key = _make_key(config)
    log = (folder / "server.log").open("wb")
    # Not the caller's settings: a demo must not depend on, or touch, what is configured on this machine.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    command = [sys.executable, "-m", "adapter", "serve", "--config", str(config)]
    with _told_to_end_in_order(), log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)  # nosec B603  # noqa: S603 - our own
        try:
            _wait_until_healthy(url, process, folder / "server.log")
            yield DemoServer(url, api_key, auth_token, process)
        finally:
            process.terminate()
            process.wait(timeout=_STOP_SECONDS)


@contextmanager
def _told_to_end_in_order() -> Iterator[None]:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does: else its server and its folder would stay behind."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_config(folder: Path, url: str, auth_token: str) -> Path:
    settings = {
        "database": {"url": f"sqlite:///{folder / 'demo.db'}"},
        "server": {"bind": url.removeprefix("http://"), "workers": 2, "threads": 4},
        "twilio": {"public_url": url, "accounts": [{"sid": ACCOUNT, "auth_tokens": [auth_token]}]},
        "lines": [{"account": ACCOUNT, "number": NUMBER, "destination": {"dial": DESTINATION}}],
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return path


def _make_key(path: Path) -> str:
    config = load(path, {})
    service = build_service(config)
    organization = config.organizations[0].id
    secret, _ = keys.issue(service.store, pepper_for(config), organization, Mode.PROD, "demo", service.clock.now())
    service.store.close()
    return secret


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if session.get(f"{url}/v1/health", timeout=1).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
    tail = log.read_text("utf-8", "replace")[-2_000:]
    raise click.ClickException(f"The demo's server did not start. Its last words:\n{tail}")
