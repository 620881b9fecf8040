"""deploy/install.sh on a fresh Debian, at length:  python -m tests.deploy   (root, debootstrap, about five minutes)

A machine is made with debootstrap and booted with systemd (`machine`). The installer runs on it twice, the service
starts under its real unit and answers through nginx over TLS with a CA made here; calls go on at a steady pace while it
is restarted, reloaded, its master killed, upgraded, rolled back, and upgraded to a version that does not start; backups
and the doctor run as their units; 1 000 connections dawdle; everything is uninstalled. Any failed call is a failure.

    --base FOLDER   keep debootstrap's file system here and use it again (it takes a minute and the network)
    --wheels FOLDER Python packages (pip download -r deploy/requirements.txt -r deploy/requirements-build.txt); made
                    when it is not given
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.machine import Failed, Machine

_ROOT = Path(__file__).parent.parent.parent
_DOMAIN, _ACCOUNT, _NUMBER = "voice.example.com", "AC" + "a" * 32, "+14155550100"
_TOKEN = "0123456789abcdef0123456789abcdef"
_NEXT_TOKEN = "fedcba9876543210fedcba9876543210"
_OPTIONS = [
    *("--domain", _DOMAIN, "--account", _ACCOUNT, "--number", _NUMBER, "--dial", "+14155550199"),
    *("--token-file", "/srv/ca/token", "--certificate", "/srv/ca/site.pem", "--certificate-key", "/srv/ca/site.key"),
    *("--wheels", "/sources/wheels"),
]
_SERVICES = (".service", "-backup.service", "-doctor.service", "-maintenance.service")
_MOST_EXPOSED = 1.2
_TWILIO_MS = 15_000.0  # Twilio gives up after that
_PER_SECOND = 40
_SOME_SECONDS = 5  # an upgrade that has to be taken back may cost so many seconds' calls
_SLOW_P99_MS = 50.0
# A machine that is busy otherwise is slow without them, too; what they must not do shows in seconds and failed calls.
_SLOW_TIMES = 3.0
_CA = """
set -e
cd /srv/ca
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout site.key -out site.csr -subj /CN=site
echo subjectAltName=DNS:voice.example.com > ext
openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out site.pem
"""


def main() -> None:
    """Exit code 1 when something was not as it should be."""
    options = _options()
    work = Path(tempfile.mkdtemp(prefix="sticky-deploy-"))
    machine = Machine(work / "machine", options.base or work / "base")
    try:
        machine.build()
        _furnish(machine, options.wheels or _wheels(work / "wheels"))
        machine.boot()
        _say("a Debian machine with systemd is up")
        machine.run("sh", "-c", _CA)
        _install(machine)
        if not options.only_slow:
            _under_load(machine)
            _reloaded(machine)
            _units(machine)
        _slow(machine)
        _uninstall(machine)
    except Failed as failed:
        sys.exit(f"FAILED: {failed}\n{_journal(machine)}")
    finally:
        machine.power_off()
        shutil.rmtree(work, ignore_errors=True)
    _say("all is well")


def _furnish(machine: Machine, wheels: Path) -> None:
    """Two versions of the source: this one, and one with a higher number."""
    for name in ("this", "next", "broken", "late"):
        source = machine.root / "sources" / name
        shutil.copytree(_ROOT / "adapter", source / "adapter", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(_ROOT / "deploy", source / "deploy")
        for file in ("pyproject.toml", "README.md", "LICENSE", "config.example.yaml"):
            shutil.copy(_ROOT / file, source)
    _edit(machine.root / "sources/next/adapter/__init__.py", '__version__ = "', '__version__ = "9.')
    # Their commands work, and their workers do not come up: nowhere, or under systemd alone.
    service, broken = "    service = build_service(", "    raise OSError\n    service = build_service("
    late = '    if "NOTIFY_SOCKET" in __import__("os").environ:\n    ' + broken
    for name, how in (("broken", broken), ("late", late)):
        _edit(machine.root / f"sources/{name}/adapter/__init__.py", '__version__ = "', '__version__ = "10.')
        _edit(machine.root / f"sources/{name}/adapter/app.py", service, how)
    shutil.copytree(wheels, machine.root / "sources/wheels")
    shutil.copy(Path(__file__).with_name("callers.py"), machine.root / "sources/callers.py")
    (machine.root / "srv/ca").mkdir()
    (machine.root / "srv/ca/token").write_text(_TOKEN + "\n")
    with (machine.root / "etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.0.1 localhost {_DOMAIN}\n")


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    if old not in text:
        raise Failed(f"{file} has no {old!r} any more")
    file.write_text(text.replace(old, new, 1), "utf-8")


def _wheels(folder: Path) -> Path:
    locks = [f"-r{_ROOT}/deploy/{name}.txt" for name in ("requirements", "requirements-build")]
    command = [sys.executable, "-m", "pip", "download", "-q", "--require-hashes", "-d", str(folder), *locks]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return folder


def _install(machine: Machine) -> None:
    began = time.monotonic()
    _installer(machine, "this", "install", *_OPTIONS)
    _say(f"installed in {time.monotonic() - began:.0f} s")
    before = _files(machine)
    said = _installer(machine, "this", "install", *_OPTIONS)
    _must("writes" not in said and _files(machine) == before, f"a second run changes something:\n{said}")
    health = json.loads(machine.run("curl", "-sS", "--cacert", "/srv/ca/ca.pem", f"https://{_DOMAIN}/v1/health"))
    _must(health["status"] == "healthy", str(health))
    _scraped(machine)
    _say("a second run changes nothing; it answers through nginx over TLS, and Prometheus at a port of its own")
    _edit(
        machine.root / "etc/sticky-calls/config.yaml",
        "lines:",
        "organizations: [{id: default, tier: unlimited}]\nlines:",
    )
    machine.run("systemctl", "restart", "sticky-calls")


def _scraped(machine: Machine) -> None:
    """Figures for who shows the token on this machine; from outside there is no such page."""
    token = (machine.root / "etc/sticky-calls/metrics-token").read_text().strip()
    asked = ("curl", "-sS", "--cacert", "/srv/ca/ca.pem", "-o", "/dev/null", "-w", "%{http_code}")
    page = machine.run("curl", "-sS", "-H", f"Authorization: Bearer {token}", "http://127.0.0.1:9464/metrics")
    _must("sticky_calls_database_up 1.0" in page, page[:1_000])
    for address, status in (
        (f"https://{_DOMAIN}/metrics", "404"),
        ("http://127.0.0.1:9464/metrics", "401"),
        ("http://127.0.0.1:9464/v1/health", "404"),
    ):
        _must(machine.run(*asked, address) == status, f"{address} does not answer {status}")


def _installer(machine: Machine, version: str, *arguments: str, expect: int = 0) -> str:
    return machine.run("bash", f"/sources/{version}/deploy/install.sh", *arguments, expect=(expect,))


def _files(machine: Machine) -> dict[str, tuple[int, int, int, bytes]]:
    """Owner, mode and content of all that the installer writes."""
    found = {}
    for folder in ("etc/sticky-calls", "etc/systemd/system", "etc/nginx", "usr/local/bin"):
        for path in sorted((machine.root / folder).rglob("*")):
            about = path.lstat()
            content = b"" if path.is_dir() or path.is_symlink() else path.read_bytes()
            found[str(path)] = (about.st_uid, about.st_gid, about.st_mode, content)
    return found


def _under_load(machine: Machine) -> None:
    with _calling(machine, "a restart"):
        machine.run("systemctl", "restart", "sticky-calls")
    with _calling(machine, "an upgrade"):
        _installer(machine, "next", "upgrade", "--wheels", "/sources/wheels")
    _must(machine.run("sticky-calls", "--version").split()[-1].startswith("9."), "the new version does not run")
    with _calling(machine, "a rollback"):
        _installer(machine, "this", "rollback")
    _must(not machine.run("sticky-calls", "--version").split()[-1].startswith("9."), "the old version does not run")
    with _calling(machine, "an upgrade to a version that does not come up, refused"):
        said = _installer(machine, "broken", "upgrade", "--wheels", "/sources/wheels", expect=1)
    _must("nothing was changed" in said, said)
    with _calling(machine, "an upgrade that fails under systemd alone, taken back", sheltered=False):
        said = _installer(machine, "late", "upgrade", "--wheels", "/sources/wheels", expect=1)
    _must("the upgrade was taken back" in said, said)
    _must(not machine.run("sticky-calls", "--version").split()[-1].startswith("10."), "the broken version stayed")


def _reloaded(machine: Machine) -> None:
    """A second auth token, and a secret in a file of its own: known after a reload, and to the other units."""
    etc = machine.root / "etc/sticky-calls"
    with (etc / "twilio-auth-tokens").open("a") as tokens:
        tokens.write(_NEXT_TOKEN + "\n")
    _edit(etc / "config.yaml", "pepper_file: pepper", "pepper_file: pepper\n  former_peppers_file: former-peppers")
    (machine.root / "srv/former-peppers").write_text("the-pepper-of-last-year\n")
    machine.run("install", "-m", "0640", "-g", "sticky-calls", "/srv/former-peppers", "/etc/sticky-calls/")
    machine.run("sticky-calls", "check-config")
    with _calling(machine, "a reload"):
        machine.run("systemctl", "reload", "sticky-calls")
    called = _caller(machine, "--per-second", "10", "--seconds", "3", "--token", _NEXT_TOKEN)
    told = json.loads(called.communicate(timeout=60)[0])
    _must(told["calls"] > 0 and not told["failed"], f"after a reload the second token is not known: {told}")


@contextmanager
def _calling(machine: Machine, what: str, *, sheltered: bool = True) -> Iterator[None]:
    """Calls before, during and after; all are answered, and in the time that Twilio waits. Not `sheltered`: the service
    is away for some seconds, so that some callers get the number's fallback."""
    caller = _caller(machine, "--per-second", str(_PER_SECOND))
    time.sleep(3)
    try:
        yield
        time.sleep(3)
    finally:
        machine.run("pkill", "-TERM", "-f", "/sources/callers.py", expect=(0, 1))
        told = json.loads(caller.communicate(timeout=60)[0])
    _say(f"{what}: {_figures(told)}")
    _must(len(told["failed"]) < _SOME_SECONDS * _PER_SECOND, f"{what} was noticed late")
    if sheltered:
        _must(not told["failed"], f"{what} lost calls")
        _must(told["longest"] < _TWILIO_MS, f"{what} let calls wait too long")
        _must(not told["neutral"], f"{what} let calls be greeted neutrally")


def _caller(machine: Machine, *options: str) -> subprocess.Popen[bytes]:
    fixed = [
        "--host",
        _DOMAIN,
        "--account",
        _ACCOUNT,
        "--number",
        _NUMBER,
        "--token",
        _TOKEN,
        "--ca",
        "/srv/ca/ca.pem",
    ]
    command = machine.inside("PYTHONPATH=/sources/this", "python3", "/sources/callers.py", *fixed, *options)
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _figures(told: dict[str, Any]) -> str:
    failed = f"{len(told['failed'])} failed" + (
        f" ({', '.join(sorted(set(told['failed'])))})" if told["failed"] else ""
    )
    times = f"p50 {told['p50']} ms, p99 {told['p99']} ms, longest {told['longest']} ms"
    return f"{told['calls']} calls, {failed}, {told['neutral']} greeted neutrally, {times}"


def _units(machine: Machine) -> None:
    units = [f"/etc/systemd/system/sticky-calls{each}" for each in _SERVICES]
    said = machine.run("systemd-analyze", "verify", *units, "/etc/systemd/system/sticky-calls.socket")
    _must("sticky-calls" not in said, said)
    for unit in units:
        threshold = f"--threshold={_MOST_EXPOSED * 10:.0f}"
        exposure = machine.run("systemd-analyze", "security", threshold, Path(unit).name).splitlines()[-1]
        _say(exposure.strip(" →"))
    machine.run("systemctl", "start", "sticky-calls-backup.service")
    backups = list((machine.root / "var/backups/sticky-calls").glob("calls-*.db"))
    _must(len(backups) == 1 and backups[0].stat().st_mode & 0o777 == 0o600, f"no backup: {backups}")
    machine.run("systemctl", "start", "sticky-calls-maintenance.service")
    drilled = machine.run("journalctl", "-u", "sticky-calls-maintenance", "--no-pager", "-o", "cat")
    _must("is sound and at this version" in drilled and "restored and sound" in drilled, drilled)
    machine.run("systemctl", "start", "sticky-calls-doctor.service", expect=(1,))
    found = machine.run("journalctl", "-u", "sticky-calls-doctor", "--no-pager", "-o", "cat")
    # There is no Twilio on this machine, and Debian does not know the CA: that, and nothing else.
    expected = {"✓ configuration", "✓ database", "✓ disk", "✓ workers", "✗ public URL", "✗ clock"}
    _must(expected <= set(found.splitlines()) and "2 things to mend." in found, found)
    shutil.copy(machine.root / "srv/ca/ca.pem", machine.root / "etc/ssl/local-ca.pem")
    said = machine.run("sticky-calls", "doctor", "--ca-file", "/etc/ssl/local-ca.pem", expect=(1,))
    _must("✓ signature" in said and "1 thing to mend." in said, said)
    _killed(machine)
    _restored(machine, f"/var/backups/sticky-calls/{backups[0].name}")
    _say("the backup's, the maintenance's and the doctor's units work; a killed and a hung service come back")


def _restored(machine: Machine, backup: str) -> None:
    """With a backup that the service cannot read nothing happens; with another one the version before runs on it."""
    machine.run("install", "-m", "0600", backup, "/srv/backup.db")
    said = _installer(machine, "this", "rollback", "--restore", "/srv/backup.db", expect=1)
    _must("nothing was changed" in said and _is_healthy(machine), said)
    _installer(machine, "this", "rollback", "--restore", backup)
    # Not the version whose upgrade was taken back.
    _must(machine.run("sticky-calls", "--version").split()[-1].startswith("9."), "the version before does not run")
    _must(_is_healthy(machine), "a restored database is not served")


def _killed(machine: Machine) -> None:
    """Restart= after a kill, and the watchdog when the main loop stands still."""
    for signalled, seconds in ((signal.SIGKILL, 20), (signal.SIGSTOP, 75)):
        before = _main_pid(machine)
        machine.run("kill", f"-{signalled.value}", before)
        deadline = time.monotonic() + seconds
        while _main_pid(machine) in (before, "0") or not _is_healthy(machine):
            _must(time.monotonic() < deadline, f"the service does not come back after {signalled.name}")
            time.sleep(0.5)


def _main_pid(machine: Machine) -> str:
    return machine.run("systemctl", "show", "-P", "MainPID", "sticky-calls").strip()


def _is_healthy(machine: Machine) -> bool:
    asked = ("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", f"https://{_DOMAIN}/v1/health")
    return machine.run(*asked, expect=(0, 28, 52, 56)) == "200"


def _slow(machine: Machine) -> None:
    """Beside connections that dawdle, calls take what they take without them on this machine."""
    alone, told = (
        json.loads(_caller(machine, "--per-second", "20", "--seconds", "45", *more).communicate(timeout=300)[0])
        for more in ([], ["--dawdlers", "1000"])
    )
    _say(f"alone: {_figures(alone)}")
    _say(f"with {told['dawdlers']} connections that dawdle ({told['dropped']} thrown out): {_figures(told)}")
    allowed = max(_SLOW_P99_MS, _SLOW_TIMES * alone["p99"])
    _must(told["dawdlers"] == 1000 and not told["failed"] and told["p99"] <= allowed, "slow clients slow calls down")


def _uninstall(machine: Machine) -> None:
    _installer(machine, "this", "uninstall")
    _must((machine.root / "var/lib/sticky-calls/calls.db").exists(), "uninstalling took the database along")
    _installer(machine, "this", "uninstall", "--purge")
    left = machine.run("find", "/etc", "/opt", "/usr/local", "/var", "/run", "-name", "*sticky-calls*").split()
    left = [path for path in left if not path.startswith(("/var/log/", "/run/systemd/"))]
    _must(not left and "sticky" not in machine.run("getent", "passwd"), f"uninstalling left {left}")
    _say("uninstalled, and nothing is left but logs")


def _journal(machine: Machine) -> str:
    try:
        return machine.run("journalctl", "-u", "sticky-calls", "--no-pager", "-n", "30", "-o", "cat")
    except (Failed, OSError):
        return ""


def _must(true: bool, otherwise: str) -> None:
    if not true:
        raise Failed(otherwise)


def _say(words: str) -> None:
    print(words, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument(
        "--only-slow", action="store_true", help="for a quiet machine: nothing but the slow connections"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
