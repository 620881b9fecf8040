"""A Debian machine for the installer: a fresh file system (debootstrap), booted with systemd as its process 1.

It lives in namespaces of this machine (processes, mounts, network with nothing but the loopback, hostname, cgroups) and
shares the kernel: no daemon and no image is needed, but root, debootstrap, unshare and pivot_root. Leaves out: what is
done on it (`tests.deploy.__main__`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PACKAGES = "python3,python3-venv,ca-certificates,nginx-light,curl,openssl,systemd,procps,iproute2"
_MIRROR = "http://deb.debian.org/debian"
_BOOT_SECONDS = 60.0
# As process 1 of new namespaces: mounts of its own, then systemd. A chroot would not do: the kernel allows no user
# namespaces (PrivateUsers=) there. Mounts are shared below, as systemd wants them.
_BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
for node in null zero full random urandom tty; do : > "$root/dev/$node"; mount --bind /dev/$node "$root/dev/$node"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
hostname machine
ip link set lo up
cd "$root"
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
mount --make-rshared /
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no
"""


class Failed(Exception):
    """A command on the machine ended badly; its words."""


@dataclass
class Machine:
    """`root`: its file system, made from `base` (made by debootstrap when it is not there)."""

    root: Path
    base: Path
    _process: subprocess.Popen[bytes] | None = None
    _init: int = 0
    _cgroups: Path = field(default=Path())

    def build(self) -> None:
        """A fresh file system."""
        if not (self.base / "usr/bin/python3").exists():
            command = [
                "debootstrap",
                "--variant=minbase",
                f"--include={_PACKAGES}",
                "bookworm",
                str(self.base),
                _MIRROR,
            ]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cp", "-a", str(self.base), str(self.root)], check=True)
        (self.root / "etc/systemd/system/console-getty.service").symlink_to("/dev/null")

    def boot(self) -> None:
        """Until systemd says that it runs."""
        self._cgroups = self.root.with_name("cgroups")
        self._cgroups.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "cgroup2", "none", str(self._cgroups)], check=True)
        own = self._cgroups / f"machine-{os.getpid()}"
        own.mkdir()
        spaces = ["--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork"]
        # The group first, so that the machine's systemd finds itself at the top of its own.
        script = f'echo $$ > "{own}/cgroup.procs"; exec unshare {" ".join(spaces)} sh -c "$1" boot "$2"'
        command = ["sh", "-c", script, "machine", _BOOT, str(self.root)]
        self._process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _BOOT_SECONDS
        while not self._is_up():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise Failed("the machine does not boot")
            time.sleep(0.2)

    def run(self, *command: str, expect: Sequence[int] = (0,), seconds: float = 900) -> str:
        """A command on the machine as root; what it said. Failed when it ends with another code."""
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, timeout=seconds, check=False)
        said = done.stdout + done.stderr
        if done.returncode not in expect:
            raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{said[-4_000:]}")
        return said

    def inside(self, *command: str) -> list[str]:
        """The command that runs this one on the machine."""
        entered = ["nsenter", "-t", str(self._init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        return [*entered, "env", "-i", "HOME=/root", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *command]

    def power_off(self) -> None:
        """Nothing of it is left but `base`."""
        if self._init:
            os.kill(self._init, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=60)
        if self._cgroups != Path():
            for folder in sorted(self._cgroups.glob("machine-*/**/"), reverse=True):
                _remove_when_empty(folder)
            subprocess.run(["umount", str(self._cgroups)], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def _is_up(self) -> bool:
        self._init = self._init or _child(self._process.pid if self._process else 0)
        if not self._init:
            return False
        asked = subprocess.run(
            self.inside("systemctl", "is-system-running"), capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() in {"running", "degraded"}


def _child(parent: int) -> int:
    """The process that `unshare --fork` started."""
    try:
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def _remove_when_empty(folder: Path) -> None:
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        try:
            folder.rmdir()
        except OSError:
            time.sleep(0.05)
