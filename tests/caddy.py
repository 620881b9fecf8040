"""The shipped Caddyfile in a real Caddy, as deploy/install.sh writes it for the Caddy of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import free_port, wait_for

ROOT = Path(__file__).parent.parent
PROGRAM = shutil.which("caddy")
# The function of the installer alone: the rest of it would install.
_WRITTEN = """eval "$(sed -n '/^caddyfile() {/,/^}/p' deploy/install.sh)"; SOURCE=. domain=DOMAIN caddyfile"""


def written() -> str:
    """The site is DOMAIN."""
    command = ["bash", "-euc", _WRITTEN]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@contextmanager
def running(folder: Path, port: int, site: str) -> Iterator[None]:
    """Caddy at this port in front of `folder`/http.sock. `site`: its address, and what else it has to be told."""
    text = written()
    for shipped, ours in {
        "DOMAIN {": site,
        "{\n\tservers": "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers",
        "9464": str(free_port()),
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours, 1)
    (folder / "Caddyfile").write_text(text, "utf-8")
    command = [str(PROGRAM), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "UPSTREAM": f"unix/{folder}/http.sock"}
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
    try:
        wait_for(lambda: _is_open(port), "Caddy", lambda: (folder / "caddy.log").read_text("utf-8")[-2_000:])
        yield
    finally:
        process.terminate()
        process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as opened:
        return opened.connect_ex(("127.0.0.1", port)) == 0
