"""The layout of deploy/two-nodes on this machine: HAProxy, two nodes, a PgBouncer, PostgreSQL. Does a call get lost?

python -m tests.two_nodes

Needs `haproxy` and `pgbouncer` (Debian's packages). All by the settings of deploy/, but for addresses and for TLS,
which nodes do not end here. A caller known to one node has to be known to the other; with one node killed every call is
answered by the other one; with the database away every caller is put through with the neutral greeting.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import pgbouncer
from tests.builders import ACCOUNT, AUTH_TOKEN, call_sid
from tests.databases import Server as Database
from tests.serving import Request, Server, caller_number, free_port, line_number, set_up

_BALANCER = Path(__file__).parent.parent / "deploy/two-nodes/haproxy.cfg"
_PROGRAMS = ("haproxy", "pgbouncer")
_CALLS = 40
_NOTICED_SECONDS = 6.0  # two checks of two seconds each
_NEUTRAL, _KNOWN, _NEW = "neutral", "known", "new"
_WORDS = {"Welcome. One moment": _NEUTRAL, "ask you to confirm": _KNOWN, "Hello and welcome": _NEW}


def main() -> int:
    """0: no call was lost. 2: the programs are not here."""
    programs = [shutil.which(name, path="/usr/sbin:/usr/bin") for name in _PROGRAMS]
    if not all(programs):
        print(f"There is no {' or no '.join(_PROGRAMS)} on this machine, so nothing was tried.")
        return 2
    database = Database()
    database.start()
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        opened.callback(database.stop)
        folder = Path(name)
        folder.chmod(0o755)
        address = opened.enter_context(pgbouncer.running(str(programs[1]), database, folder))
        port = free_port()
        nodes = [opened.enter_context(_node(folder / f"node{place}", address, port)) for place in (1, 2)]
        opened.enter_context(_balancer(str(programs[0]), folder, port, nodes))
        wrong = _tried(port, nodes, database)
    print("\n".join(f"WRONG: {each}" for each in wrong) or "all is well")
    return int(bool(wrong))


@contextmanager
def _node(folder: Path, database: str, balancer: int) -> Iterator[Server]:
    folder.mkdir()
    accounts = [{"sid": ACCOUNT, "auth_tokens": [AUTH_TOKEN]}]
    twilio = {"public_url": f"http://127.0.0.1:{balancer}", "accounts": accounts}
    node = set_up(folder, workers=2, database_url=database, twilio=twilio)
    try:
        node.start()
        yield node
    finally:
        node.kill()


@contextmanager
def _balancer(program: str, folder: Path, port: int, nodes: list[Server]) -> Iterator[None]:
    settings = _BALANCER.read_text("utf-8").replace("bind :443", f"bind 127.0.0.1:{port}")
    for place, node in enumerate(nodes, 1):
        settings = settings.replace(f"10.0.0.1{place}:443", f"127.0.0.1:{node.port}")
    (folder / "haproxy.cfg").write_text(settings.replace("check check-ssl verify none", "check"), "utf-8")
    process = subprocess.Popen([program, "-f", str(folder / "haproxy.cfg")], stderr=subprocess.DEVNULL)
    try:
        time.sleep(_NOTICED_SECONDS)
        yield
    finally:
        process.terminate()
        process.wait()


def _tried(port: int, nodes: list[Server], database: Database) -> list[str]:
    """What went wrong."""
    callers = _Callers(port, nodes[0])
    wrong = callers.must("two nodes", {_NEW: 1, _KNOWN: _CALLS - 1})
    nodes[0].kill()
    wrong += callers.must("one killed a moment ago", {_KNOWN: _CALLS})
    time.sleep(_NOTICED_SECONDS)
    wrong += callers.must("one killed", {_KNOWN: _CALLS})
    database.stop()
    wrong += callers.must("no database since a moment ago", {_NEUTRAL: _CALLS})
    time.sleep(_NOTICED_SECONDS)
    return wrong + callers.must("no database", {_NEUTRAL: _CALLS})


class _Callers:
    """One caller's calls, one after the other, each on a connection of its own, through the balancer."""

    def __init__(self, port: int, node: Server) -> None:
        self._balancer = Server(node.folder, port, 0, 0, "", "")
        self._calls = 0

    def must(self, what: str, expected: dict[str, int]) -> list[str]:
        """What is wrong when so many calls are made now."""
        began = time.monotonic()
        came = Counter(self._call() for _ in range(_CALLS))
        print(f"{what}: {dict(came)} in {time.monotonic() - began:.1f} s", flush=True)
        return [] if came == expected else [f"{what}: {dict(came)} and not {expected}"]

    def _call(self) -> str:
        self._calls += 1
        sid = call_sid(self._calls)
        request: Request = self._balancer.webhook("voice", line_number(0), sid, caller_number(1))
        try:
            answer = self._balancer.send(request)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        return next((kind for words, kind in _WORDS.items() if words in answer.body), str(answer.status))


if __name__ == "__main__":
    sys.exit(main())
