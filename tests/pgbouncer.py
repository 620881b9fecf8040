"""The store's tests on PostgreSQL once more, through a PgBouncer in transaction mode.

python -m tests.pgbouncer [what pytest is to run]

With the settings of deploy/two-nodes. Needs the program `pgbouncer` (Debian: apt-get install pgbouncer). Every
transaction may get another session: what is left in one, or expected of one, is found by tests that fail. Leaves out:
tests that ask for the server's own sessions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.databases import DSN, Server
from tests.serving import free_port

_WHAT = ["tests/store", "tests/usecases", "tests/cli/test_db_copy.py", "tests/races"]
# They look at, or end, the very session that a connection has: behind a PgBouncer that is somebody else's.
_OF_ONE_SESSION = ("test_nothing_is_left_in_a_session", "test_connections_that_died_idle_are_replaced_unnoticed")
_START_SECONDS = 10.0
_SETTINGS = Path(__file__).parent.parent / "deploy/two-nodes/pgbouncer.ini"
# What is another's here: the server's address and certificate, and who may come in.
_NOT_HERE = ("auth_file", "server_tls_sslmode", "server_tls_ca_file")


def main(arguments: list[str]) -> int:
    """What pytest returns; 2 when there is no PgBouncer here."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        print("There is no PgBouncer on this machine, so nothing was tried: apt-get install pgbouncer.")
        return 2
    server = Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _tried(program, server, Path(folder), arguments or _WHAT)
    finally:
        server.stop()


def _tried(program: str, server: Server, folder: Path, what: list[str]) -> int:
    folder.chmod(0o755)
    with running(program, server, folder) as url:
        chosen = " and ".join(["postgresql", *(f"not {name}" for name in _OF_ONE_SESSION)])
        command = [sys.executable, "-m", "pytest", "-q", "-k", chosen, *what]
        done = subprocess.run(command, env={**os.environ, DSN: url}, check=False).returncode
        with psycopg.connect(url.removesuffix("postgres") + "pgbouncer", autocommit=True) as console:
            pools = console.execute("SHOW STATS_TOTALS").fetchall()
        print(f"{sum(int(row[1]) for row in pools):,} transactions went through the PgBouncer")
        return done


@contextmanager
def running(program: str, server: Server, folder: Path) -> Iterator[str]:
    """The database's address behind it. `folder` is open to everybody."""
    port = free_port()
    with (folder / "pgbouncer.ini").open("w") as file:
        _settings(server, port).write(file)
    with (folder / "log").open("wb") as log:
        bouncer = subprocess.Popen([program, str(folder / "pgbouncer.ini")], stderr=log, **server._as_nobody())
    url = f"postgresql://tests@127.0.0.1:{port}/postgres"
    try:
        _wait(url, bouncer, folder / "log")
        yield url
    finally:
        bouncer.terminate()
        bouncer.wait()


def _settings(server: Server, port: int) -> ConfigParser:
    """As deploy/ has them."""
    settings = ConfigParser(interpolation=None)
    settings.read(_SETTINGS)
    settings["databases"] = {"*": f"host={server.folder} user=tests"}
    for name in _NOT_HERE:
        del settings["pgbouncer"][name]
    settings["pgbouncer"].update({"listen_port": str(port), "unix_socket_dir": "", "auth_type": "any"})
    return settings


def _wait(url: str, bouncer: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        if bouncer.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PgBouncer did not start: {log.read_text()[-2_000:]}")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
