"""Real servers for tests: gunicorn with worker processes, a folder, a configuration and a port of their own.

`build` is the app they run: the product's, with one header more that tells which worker answered.
"""

from __future__ import annotations

import base64
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml
from flask import Flask, Response

from adapter.app import build_service
from adapter.config import load
from adapter.engine.model import Mode
from adapter.store import keys
from adapter.twilio.signature import sign
from adapter.usecases import Service
from tests.builders import ACCOUNT, AGENTS, AUTH_TOKEN, PEPPER

WORKER_HEADER = "X-Worker"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.02
_REPOSITORY = Path(__file__).parent.parent
_SHIPPED = _REPOSITORY / "deploy" / "gunicorn.conf.py"
# Below the range from which clients' own ports are taken: a restarted server finds its port free.
_PORTS = range(15_000, 32_000)
_ENCRYPTION_KEY = {"id": "tests", "key": base64.b64encode(bytes(range(32))).decode()}
# Modules, not the app: a killed worker's successor is at work at once, and still makes all connections by itself.
_PRELOADED = "import adapter.wsgi\nimport tests.serving\n"

Organization = Mapping[str, Any]


def build() -> Flask:
    """gunicorn's door for tests: the product's app, each answer naming its worker process."""
    from adapter.wsgi import build as build_product

    app = build_product()

    @app.after_request
    def name_worker(response: Response) -> Response:
        response.headers[WORKER_HEADER] = str(os.getpid())
        return response

    return app


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent by anybody."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str = ""


@dataclass
class Server:
    """A server that can be started, stopped and killed. What it says goes to `log`, kept for failures. `shipped`: run
    by deploy/gunicorn.conf.py; else several share an address, and whoever is killed is replaced soon."""

    folder: Path
    port: int
    workers: int
    threads: int
    app: str
    database_url: str
    environ: Mapping[str, str] = field(default_factory=dict)
    shipped: bool = False
    process: subprocess.Popen[bytes] | None = None
    _orphaned: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config_path(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @cached_property
    def service(self) -> Service:
        """The same service in this process: another process at the same files."""
        return build_service(load(self.config_path, {}))

    def key(self, organization: str, mode: Mode = Mode.PROD) -> str:
        """A new API key."""
        service = self.service
        pepper, now = service.directory.pepper, service.clock.now()
        return keys.issue(service.store, pepper, organization, mode, "tests", now)[0]

    def start(self) -> None:
        """Start it and wait until it answers; RuntimeError with its last words if it does not."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
        environ |= {"ADAPTER_CONFIG": str(self.config_path), "PYTHONPATH": str(_REPOSITORY), **self.environ}
        with self.log.open("ab") as log:
            # A group of its own: Ctrl-C at the terminal reaches the test, which then stops the server in order.
            self.process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, cwd=self.folder, env=environ, start_new_session=True
            )
        wait_for(self.is_healthy, f"{self.url} to become healthy", self.last_words)

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=_START_SECONDS)
            finally:
                self.kill()

    def kill(self) -> None:
        """End master and workers (those that have lost their master, too) at once and without a word."""
        self.lose_master()
        groups, self._orphaned = self._orphaned, set()
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        wait_for(lambda: not _processes(lambda found: found.group in groups), "killed workers to be gone")

    def lose_master(self) -> None:
        """End only the master. Its workers find out by themselves."""
        if self.process is not None:
            kill_process(self.process.pid)
            self.process.wait(timeout=_START_SECONDS)
            self._orphaned.add(self.process.pid)
            self.process = None

    def worker_pids(self) -> list[int]:
        """The master's children that are running now."""
        if self.process is None or self.process.poll() is not None:
            return []
        master = self.process.pid
        return _processes(lambda found: found.parent == master)

    def is_healthy(self) -> bool:
        """Whether it answers (and not a worker that has lost its master), and reaches its database."""
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"the server has ended by itself: {self.last_words()}")
        with suppress(OSError, http.client.HTTPException):
            reply = self.send(Request("GET", "/v1/health", {}), timeout=5)
            return reply.status == 200 and int(reply.headers[WORKER_HEADER.lower()]) in self.worker_pids()
        return False

    def send(self, request: Request, timeout: float = 30) -> Reply:
        """One request on a connection of its own. OSError or http.client.HTTPException when no answer comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read().decode())
        finally:
            connection.close()

    def webhook(self, kind: str, number: str, call_sid: str, caller: str, **fields: str) -> Request:
        """A signed webhook of a call to the line `number`."""
        form = {
            "AccountSid": ACCOUNT,
            "CallSid": call_sid,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": caller,
            "To": number,
            **fields,
        }
        signature = sign(f"{self.url}/twilio/{kind}", list(form.items()), AUTH_TOKEN)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", f"/twilio/{kind}", headers, urlencode(form))

    def hang_up(self, number: str, call_sid: str, caller: str) -> Request:
        """The signed terminal status callback."""
        told = {"CallStatus": "completed", "CallbackSource": "call-progress-events", "CallDuration": "35"}
        return self.webhook("status", number, call_sid, caller, **told)

    def _command(self) -> list[str]:
        memory = Path("/dev/shm")
        command = [sys.executable, "-m", "gunicorn", self.app, "--bind", f"127.0.0.1:{self.port}"]
        if self.shipped:
            return [*command, "--config", str(_SHIPPED)]
        return [
            *command,
            *("--workers", str(self.workers), "--threads", str(self.threads)),
            *("--worker-class", "adapter.cli.serving.worker.Worker"),
            *("--reuse-port", "--keep-alive", "75", "--log-level", "warning", "--no-control-socket"),
            # Workers without a master take no more requests and yet keep their socket, which gets its share of them.
            *("--graceful-timeout", "5"),
            *(("--worker-tmp-dir", str(memory)) if memory.is_dir() else ()),
        ]

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-3_000:] if self.log.exists() else "(none)"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


def line_number(place: int) -> str:
    """The number that callers of the organization at this place dial."""
    return f"+1415555{place:04d}"


def caller_number(count: int) -> str:
    """One of ten million callers."""
    return f"+1555{count:07d}"


def set_up(
    folder: Path,
    organizations: Sequence[Organization] = ({"id": "acme", "tier": "unlimited"},),
    *,
    workers: int = 4,
    threads: int = 4,
    app: str = "tests.serving:build()",
    environ: Mapping[str, str] | None = None,
    database_url: str | None = None,
    shipped: bool = False,
    **sections: Any,
) -> Server:
    """A server in `folder`, not started yet: its configuration is written, with a line for each organization.

    `database_url`: in place of a SQLite file in `folder`.
    """
    database_url = database_url or f"sqlite:///{folder / 'calls.db'}"
    server = Server(folder, free_port(), workers, threads, app, database_url, environ or {}, shipped)
    settings = {
        # A slow disk is no reason for a refusal here: tests are about what happens, not how fast.
        "database": {"url": database_url, "lock_timeout_ms": 30_000, "state_dir": f"{folder}/state"},
        "organizations": [dict(organization) for organization in organizations],
        "twilio": {
            "public_url": server.url,
            "accounts": [{"sid": ACCOUNT, "auth_tokens": [AUTH_TOKEN]}],
            "webhook_deadline_ms": 12_000,
        },
        "lines": [
            {"number": line_number(place), "organization": organization["id"], "destination": {"dial": AGENTS}}
            for place, organization in enumerate(organizations)
        ],
        "server": {"workers": workers, "threads": threads},
        "security": {"pepper": PEPPER.decode(), "encryption_keys": [_ENCRYPTION_KEY]},
        "logging": {"level": "warning"},
        **sections,
    }
    server.config_path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    (folder / "gunicorn.conf.py").write_text(_PRELOADED, "utf-8")
    return server


@contextmanager
def serving(folder: Path, *organizations: Organization, **options: Any) -> Iterator[Server]:
    """A running server, stopped afterwards. Options: see `set_up`."""
    server = set_up(folder, organizations or ({"id": "acme", "tier": "unlimited"},), **options)
    try:
        server.start()
        yield server
    finally:
        # Nothing is left to lose: the folder goes too.
        server.kill()
        if "service" in server.__dict__:
            server.service.store.close()


@contextmanager
def another_node(folder: Path, first: Server) -> Iterator[Server]:
    """One more machine, so to say: processes, folder and state of its own; the same database, and the same address, at
    which the kernel deals connections out to both as a load balancer would."""
    settings = yaml.safe_load(first.config_path.read_text("utf-8"))
    settings["database"]["state_dir"] = f"{folder}/state"
    node = Server(folder, first.port, first.workers, first.threads, first.app, first.database_url, first.environ)
    node.config_path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    (folder / "gunicorn.conf.py").write_text(_PRELOADED, "utf-8")
    try:
        node.start()
        yield node
    finally:
        node.kill()
        if "service" in node.__dict__:
            node.service.store.close()


def wait_for(happened: Callable[[], bool], what: str, last_words: Callable[[], str] = str) -> None:
    """Wait until it has happened; RuntimeError after a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_START_SECONDS:.0f} s for {what}: {last_words()}")
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port nobody listens on."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def kill_process(pid: int) -> bool:
    """kill -9. False when it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class _Process(NamedTuple):
    state: str
    parent: int
    group: int


def _processes(wanted: Callable[[_Process], bool]) -> list[int]:
    """The ids of this machine's wanted processes, ended ones that nobody has asked about left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # After the command in parentheses, which may hold anything: state, parent, group.
            state, parent, group = (folder / "stat").read_text().rpartition(") ")[2].split()[:3]
            if state != "Z" and wanted(_Process(state, int(parent), int(group))):
                found.append(int(folder.name))
    return found
