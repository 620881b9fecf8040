"""deploy/install.sh in a folder of its own, with stand-ins for what changes a machine: what it does, in which order.

The program of a release is a stand-in, too: what it is asked is in the log, and it fails where it is told to. Leaves
out: systemd, packages, Python (`tests.deploy` has them).
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the script writes to, each below the folder in place of the machine's root.
_PLACES = ("/opt/", "/etc/", "/var/lib/$NAME", "/var/backups/", "/run/", "/usr/local/bin/", "/var/lib/systemd/")
_PROGRAMS = {
    "apt-get": "exit 0",
    # As Debian has it.
    "caddy": '[ "$1" != version ] || echo 2.6.2',
    "chown": "exit 0",
    # A new program that has failed already does not answer beside the one that runs.
    "curl": '[ "$(grep -c " serve" ROOT/failing)" = 0 ]',
    "dpkg-query": 'case "$*" in *Conffiles*) echo " ROOT/etc/caddy/Caddyfile $(cat ROOT/debians-own)";; '
    "*) echo installed;; esac",
    "getent": "exit 0",
    "id": "echo 0",
    # Without owners, which only root could give.
    "install": 'if [ "$1" = -d ]; then while [ "${1#/}" = "$1" ]; do shift; done; exec mkdir -p "$@"; fi\n'
    'while [ $# -gt 2 ]; do [ "$1" != -m ] || mode=$2; shift; done\n'
    'mkdir -p "$(dirname "$2")"; cp "$1" "$2"; chmod "$mode" "$2"',
    "ionice": "exit 0",
    "nginx": "exit 0",
    "renice": "exit 0",
    # The new program's first start ends when it is told to.
    "runuser": 'case "$*" in *" serve") exec sleep 60;; esac\ncase "$*" in *--effective) cat ROOT/effective;; esac',
    "systemctl": 'case "$*" in *NRestarts*) echo 0; esac\n[ "$1 $2" != "restart sticky-calls.service" ] || '
    '! basename "$(readlink ROOT/opt/sticky-calls/current)" | grep -qf ROOT/unhealthy',
    "python": 'case "$*" in "-m venv "*) mkdir -p "$3/bin"; for each in pip python; do\n'
    'printf "#!/bin/sh\\n" > "$3/bin/$each"; chmod +x "$3/bin/$each"; done; esac',
}


_FIRST = """#!/bin/sh
echo "NAME $*" >> ROOT/log
if echo "NAME $*" | grep -qFf ROOT/failing; then echo "NAME fails" >&2; exit 1; fi
"""


@dataclass(frozen=True)
class Done:
    """How the installer ended."""

    code: int
    said: str


class StandIn:
    """A machine's root in a folder: `releases` are there, the last one runs, the one before it is `previous`."""

    def __init__(self, folder: Path, *releases: str) -> None:
        self.root = folder / "root"
        self._source = folder / "source"
        self._programs = folder / "programs"
        self._make_source()
        self._make_programs()
        self.opt = self.root / "opt/sticky-calls"
        for name in releases:
            (self.opt / "releases" / name / "bin").mkdir(parents=True)
        for name, release in zip(("current", "previous"), reversed(releases), strict=False):
            (self.opt / name).symlink_to(self.opt / "releases" / release)
        self.state = self.root / "var/lib/sticky-calls"
        self.database(f"sqlite:///{self.state}/calls.db")
        (self.state / "calls.db").write_text("a database")
        (self.root / "etc/systemd/system").mkdir(parents=True)
        (self.root / "etc/systemd/system/sticky-calls.socket").write_text("SocketGroup=www-data\n")
        (self.root / "etc/sticky-calls").mkdir()
        (self.root / "etc/sticky-calls/config.yaml").touch()
        (self.root / "etc/nginx/conf.d").mkdir(parents=True)
        (self.root / "etc/nginx/nginx.conf").touch()

    def run(self, *arguments: str) -> Done:
        """The installer, from the clone in `_source`."""
        environ = {"PATH": f"{self._programs}:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": "python", "HOME": "/nowhere"}
        command = ["bash", str(self._source / "deploy/install.sh"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=self.root, check=False)
        return Done(done.returncode, done.stdout + done.stderr)

    def database(self, url: str) -> None:
        """As the configuration has it."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.root / "effective").write_text(
            f"database:\n  url: {url}\n  pool_size: 10\nserver:\n  bind: x\n"
            "twilio:\n  public_url: https://voice.example.com/calls\n"
        )

    def fails(self, words: str) -> None:
        """Commands that have these words in them fail from now on."""
        with (self.root / "failing").open("a") as failing:
            failing.write(words + "\n")

    def becomes_unhealthy(self, release: str) -> None:
        """What begins so does not come up under systemd."""
        with (self.root / "unhealthy").open("a") as unhealthy:
            unhealthy.write(f"^{release}\n")

    def link(self, name: str) -> str | None:
        """Which release `current` or `previous` is."""
        path = self.opt / name
        return path.readlink().name if path.is_symlink() else None

    def releases(self) -> set[str]:
        return {path.name for path in (self.opt / "releases").iterdir()}

    def log(self) -> list[str]:
        """The commands that were run, in their order."""
        return (self.root / "log").read_text().splitlines()

    def _make_source(self) -> None:
        (self._source / "deploy").mkdir(parents=True)
        for path in (ROOT / "deploy").iterdir():
            if path.name != "install.sh":
                (self._source / "deploy" / path.name).symlink_to(path)
        for name in ("adapter", "pyproject.toml", "README.md", "LICENSE", "config.example.yaml"):
            (self._source / name).symlink_to(ROOT / name)
        script = (ROOT / "deploy/install.sh").read_text("utf-8")
        for place in _PLACES:
            assert place in script, place
            script = script.replace(place, f"{self.root}{place}")
        (self._source / "deploy/install.sh").write_text(script, "utf-8")

    def _make_programs(self) -> None:
        self.root.mkdir()
        for name in ("failing", "unhealthy", "log"):
            (self.root / name).touch()
        self._programs.mkdir()
        for name, body in _PROGRAMS.items():
            text = _FIRST.replace("NAME", name) + body + "\n"
            (self._programs / name).write_text(text.replace("ROOT", str(self.root)))
            os.chmod(self._programs / name, 0o755)
