"""A thousand slow connections at the shipped proxy, and good calls between them: how long do these take?

nginx or Caddy runs with deploy/nginx.conf or deploy/Caddyfile as it is shipped, but for names, ports and a certificate
made here, and with what deploy/install.sh sets beside it; behind it the product on a Unix socket. The slow ones are of
every kind: no TLS handshake, no request line, one byte of a header or of a body a second, an answer that is never read.
A connection that the proxy has had enough of is opened again, and a third more are kept than are counted. Needs the
proxy and openssl.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import yaml

from adapter.twilio.signature import sign
from tests import caddy
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.abuse.slow_crowd import Crowd
from tests.builders import AUTH_TOKEN, call_sid
from tests.serving import Server, caller_number, free_port, line_number, set_up, wait_for

ROOT = Path(__file__).parents[2]
MOST_MS = 50.0
_GOOD_PER_SECOND = 20.0
_CALL_SECONDS = 5


@dataclass
class Result:
    """`times`: of good calls, seconds. `held`: slow connections that were open at the least while they were made;
    `opened`: how often one came."""

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    held: int = 0
    opened: int = 0

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.times)
        return 1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@contextmanager
def shipped() -> Iterator[tuple[Server, int, ssl.SSLContext]]:
    """The service behind the shipped nginx: at this port, with this certificate. `Server.folder` has both logs."""
    with in_memory() as folder, _service(folder, True) as (server, port), _nginx(folder, port):
        yield server, port, _trusting(folder)


def examine(connections: int, seconds: float = 20, bug: bool = False, proxy: str = "nginx") -> Findings:
    """Good calls for so long, next to so many slow connections. `proxy`: nginx or caddy; `bug`: without one."""
    with in_memory() as folder, ExitStack() as opened:
        server, port = opened.enter_context(_service(folder, not bug))
        if not bug:
            opened.enter_context((_caddy if proxy == "caddy" else _nginx)(folder, port))
        return _judged(_measured(server, port, not bug, connections, seconds), connections)


def _judged(result: Result, connections: int) -> Findings:
    findings = Findings(tried=len(result.times) + result.failures.total())
    for kind, times in result.failures.items():
        findings.fault("a good call failed", f"{times} times {kind}")
    findings.told["slow connections held at the least"] = result.held
    findings.told["slow connections opened"] = result.opened
    if result.times:
        findings.told["p50 ms"], findings.told["p99 ms"] = round(result.percentile(50)), round(result.percentile(99))
    if not result.times or result.percentile(99) > MOST_MS:
        findings.fault("good calls are slow", dict(findings.told))
    if result.held < connections:
        findings.fault("blind: not as many slow connections as there were to be", result.held)
    return findings


@contextmanager
def _service(folder: Path, proxy: bool) -> Iterator[tuple[Server, int]]:
    """`sticky-calls serve` with its own defaults; the port at which calls come in."""
    # What the proxy runs as has to get through.
    os.chmod(folder, 0o755)
    server, port = set_up(folder, workers=2, threads=8), free_port()
    settings = yaml.safe_load(server.config_path.read_text("utf-8"))
    settings["twilio"]["public_url"] = f"https://localhost:{port}" if proxy else f"http://localhost:{port}"
    bind = f"unix:{folder}/http.sock" if proxy else f"127.0.0.1:{port}"
    settings["server"] = {"bind": bind, "workers": 2, "threads": 8}
    server.config_path.write_text(yaml.safe_dump(settings), "utf-8")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with server.log.open("ab") as log:
        command = [sys.executable, "-m", "adapter", "serve", "--config", str(server.config_path)]
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        address = str(folder / "http.sock") if proxy else ("127.0.0.1", port)
        wait_for(lambda: _listens(address), "the service to listen", server.last_words)
        yield server, port
    finally:
        process.terminate()
        process.wait(60)


def _listens(address: str | tuple[str, int]) -> bool:
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
        return probe.connect_ex(address) == 0


@contextmanager
def _nginx(folder: Path, port: int) -> Iterator[None]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is not installed on this machine")
    _make_certificate(folder)
    (folder / "site.conf").write_text(_shipped(folder, port), "utf-8")
    (folder / "nginx.conf").write_text(_main(folder), "utf-8")
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: _listens(("127.0.0.1", port)), "nginx to listen")
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _caddy(folder: Path, port: int) -> Iterator[None]:
    if caddy.PROGRAM is None:
        raise RuntimeError("Caddy is not installed on this machine")
    _make_certificate(folder)
    with caddy.running(folder, port, f"https://localhost:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem"):
        yield


def _make_certificate(folder: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-subj", "/CN=localhost"]
    subprocess.run([*made, *files, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)


def _shipped(folder: Path, port: int) -> str:
    """deploy/nginx.conf with our names. Whatever is not found would be another file than the shipped one."""
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    for shipped, ours in {
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen [::]:80;": "",
        "DOMAIN": "localhost",
        "CERTIFICATE_KEY": f"{folder}/key.pem",
        "CERTIFICATE": f"{folder}/cert.pem",
        "/run/sticky-calls/http.sock": f"{folder}/http.sock",
        "/var/log/nginx/": f"{folder}/",
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    return text


def _main(folder: Path) -> str:
    """As Debian has it, with the connections that deploy/install.sh sets."""
    installer = (ROOT / "deploy" / "install.sh").read_text("utf-8")
    assert "worker_connections 8192;" in installer
    assert "worker_rlimit_nofile 32768;" in installer
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user www-data;" if os.geteuid() == 0 else ""
    return (
        f"{user} daemon off; worker_processes auto; worker_rlimit_nofile 32768; pid {folder}/nginx.pid;"
        f" error_log {folder}/nginx-error.log; events {{ worker_connections 8192; }}"
        f" http {{ {temporary} include {folder}/site.conf; }}"
    )


def _measured(server: Server, port: int, tls: bool, connections: int, seconds: float) -> Result:
    context = _trusting(server.folder) if tls else None
    for number in range(20):
        _call(server, port, context, number)
    certificate = str(server.folder / "cert.pem") if tls else None
    result, crowd = Result(), Crowd(port, certificate, connections + connections // 3)
    crowd.begin()
    wait_for(lambda: crowd.held >= connections * 1.2, f"{connections} slow connections")
    result.held = crowd.held
    began, number = time.monotonic(), 100
    while time.monotonic() < began + seconds:
        due = began + (number - 100) / _GOOD_PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            _call(server, port, context, number)
            result.times.append(time.monotonic() - due)
        except (OSError, http.client.HTTPException, AssertionError) as error:
            result.failures[f"{type(error).__name__}: {error}"] += 1
        number += 1
        result.held = min(result.held, crowd.held)
    result.opened = crowd.end()
    return result


def _trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


def _call(server: Server, port: int, context: ssl.SSLContext | None, number: int) -> None:
    """A caller rings, on a connection of their own, as Twilio would. AssertionError when they are not put through."""
    webhook = server.webhook("voice", line_number(0), call_sid(number), caller_number(number))
    scheme = "http" if context is None else "https"
    signed = sign(f"{scheme}://localhost:{port}{webhook.path}", parse_qsl(webhook.body), AUTH_TOKEN)
    headers = {**webhook.headers, "X-Twilio-Signature": signed}
    with asked(port, context, "POST", webhook.path, webhook.body, headers) as answer:
        told = answer.read()
        assert answer.status == 200, answer.status
        assert b"<Dial" in told, told


@contextmanager
def asked(
    port: int, context: ssl.SSLContext | None, method: str, path: str, body: str, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request on a connection of its own."""
    if context is None:
        connection = http.client.HTTPConnection("localhost", port, timeout=_CALL_SECONDS)
    else:
        connection = http.client.HTTPSConnection("localhost", port, timeout=_CALL_SECONDS, context=context)
    with closing(connection):
        # What the server refuses before it has read all of it.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, headers or {})
        yield connection.getresponse()
