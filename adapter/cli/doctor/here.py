"""What doctor looks at on this machine: the database, the disk, the processes that serve.

Leaves out: everything beyond the machine (`outside`, `at_twilio`).
"""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from adapter.cli.configured import store_of
from adapter.cli.numbers.findings import Finding
from adapter.config import Config
from adapter.errors import AdapterError
from adapter.store import clocks
from adapter.store.transaction import NO_REALM

_SCHEME: Final = "sqlite:///"
# Less, and the write-ahead log of a busy hour may fill it.
_LEAST_BYTES: Final = 1024**3
_SECONDS: Final = 5.0


# What a problem says itself.
_ADVICE = re.compile(r"run `[^`]+`|install the newer version")


def about_database(config: Config) -> list[Finding]:
    """Does it open, is it whole, at this version, and can it be written to?"""
    store = store_of(config)
    try:
        problems = [
            Finding("database", f"{store.name}: {problem}", _mend(problem)) for problem in store.schema_problems()
        ]
        if not problems:
            store.transact(NO_REALM, clocks.touch)
    except AdapterError as error:
        do = "see that the file's folder, or the server, can be reached and written to by the service's user"
        problems = [Finding("database", f"{store.name}: {error.message}", do)]
    finally:
        store.close()
    return [*problems, *_open_to_others(config)]


def about_disk(config: Config) -> list[Finding]:
    """Room for the database twice over: a backup, and writing it anew, need as much once more."""
    if config.database.is_postgresql:
        folder, needed = Path(config.database.state_dir), _LEAST_BYTES
    else:
        file = Path(config.database.url.removeprefix(_SCHEME))
        folder, needed = file.parent, _LEAST_BYTES + (file.stat().st_size if file.exists() else 0)
    existing = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(existing).free
    if free >= needed:
        return []
    what = f"{free // 1024**2:,} MiB are free where the database's files lie; {needed // 1024**2:,} MiB are needed"
    return [Finding("disk", what, "make room, or run `sticky-calls db compact` at night")]


def about_workers(config: Config) -> list[Finding]:
    """Does the service listen, answer, reach its database, and with how many workers?"""
    bind = config.server.bind
    try:
        status = _health(bind)
    except (OSError, http.client.HTTPException) as error:
        do = "start it: `systemctl start sticky-calls`, or `sticky-calls serve`; its log says why it stopped"
        return [Finding("workers", f"nothing answers at {bind} ({type(error).__name__})", do)]
    if status != 200:
        do = "its log says why; `sticky-calls db check` looks at the database"
        return [Finding("workers", f"{bind} answers {status} to /v1/health", do)]
    running, wanted = _workers(bind), config.server.workers
    if running is None or running >= wanted:
        return []
    what = f"{running} of {wanted} workers are running"
    return [Finding("workers", what, "look into the log for what ends them, or restart the service")]


def _mend(problem: str) -> str:
    if told := _ADVICE.search(problem):
        return told[0]
    if "cannot be reached" in problem:
        return "see that the server runs and can be reached from here, and that database.url is right"
    if "database.url" in problem:
        return "correct database.url: nothing of that file is ours"
    if "gone" in problem or "unable to open" in problem:
        return "run `sticky-calls db upgrade` to make it, or correct database.url"
    return "stop the service and run `sticky-calls db restore` with the newest backup"


def _open_to_others(config: Config) -> list[Finding]:
    if config.database.is_postgresql:
        return []
    file = config.database.url.removeprefix(_SCHEME)
    findings = []
    for path in (Path(file), Path(f"{file}.pepper")):
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH:
                findings.append(Finding("database", f"everybody on this machine can read {path}", f"chmod o= {path}"))
    return findings


def _health(bind: str) -> int:
    connection = http.client.HTTPConnection("localhost", timeout=_SECONDS)
    connection.sock = _connected(bind)
    try:
        connection.request("GET", "/v1/health")
        return connection.getresponse().status
    finally:
        connection.close()


def _connected(bind: str) -> socket.socket:
    if bind.startswith("unix:"):
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(_SECONDS)
        try:
            opened.connect(bind.removeprefix("unix:"))
        except OSError:
            opened.close()
            raise
        return opened
    host, _, port = bind.rpartition(":")
    own = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - what it listens on
    return socket.create_connection((own, int(port)), timeout=_SECONDS)


def _workers(bind: str) -> int | None:
    """How many processes share the listening socket below one that has it, too; None when /proc does not tell."""
    inode = _listening_inode(bind)
    if inode is None:
        return None
    holders = {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _holds(folder, inode)}
    count = sum(_parent(pid) in holders - {1} for pid in holders)
    return count or None


def _listening_inode(bind: str) -> str | None:
    """proc(5): in net/unix the inode is before the path, in net/tcp the tenth field; state 0A is listening."""
    with suppress(OSError):
        if bind.startswith("unix:"):
            lines = Path("/proc/net/unix").read_text().splitlines()
            # Flag 00010000: it listens. Connections that are being answered bear the same path.
            found = (line.split() for line in lines if line.endswith(f" {bind.removeprefix('unix:')}"))
            return next((words[6] for words in found if words[3] == "00010000"), None)
        port = f":{int(bind.rpartition(':')[2]):04X}"
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[1].endswith(port) and words[3] == "0A":
                    return words[9]
    return None


def _holds(folder: Path, inode: str) -> bool:
    """Whether this process has the socket; another user's processes do not tell."""
    with suppress(OSError):
        return any(f"socket:[{inode}]" == _target(each) for each in (folder / "fd").iterdir())
    return False


def _target(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    return 0
