"""What lies in deploy/, as far as it can be looked at without a machine of its own (`tests.deploy` has one)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from adapter.cli import _COMMANDS
from adapter.cli.serving.application import WatchedArbiter
from adapter.config import load

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
INSTALLER = DEPLOY / "install.sh"
SCRIPT = INSTALLER.read_text("utf-8")
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
OPTIONS = [
    "--domain",
    "voice.example.com",
    "--number",
    "+14155550100",
    "--dial",
    "+14155550199",
    "--email",
    "a@b.example",
]
ACCOUNT = ["--account", "AC" + "a" * 32]


def installer(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Where no package is installed yet, whatever machine this is. Nothing but --dry-run gets past the first checks."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name, code in {"apt-get": 1, "dpkg-query": 1, "getent": 2, "id": 0, "nginx": 0}.items():
        (programs / name).write_text(f"#!/bin/sh\n[ {name} = id ] && echo 1000\nexit {code}\n")
        (programs / name).chmod(0o755)
    environ = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}
    command = ["bash", str(INSTALLER), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, cwd=folder, check=False)


@pytest.mark.parametrize("script", [INSTALLER, DEPLOY / "backup.sh"], ids=lambda path: path.name)
def test_scripts_are_well_formed_and_can_be_run(script: Path) -> None:
    shell = "bash" if "bash" in script.read_text("utf-8").splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0
    assert os.access(script, os.X_OK)
    if shutil.which("shellcheck"):
        assert subprocess.run(["shellcheck", str(script)], check=False).returncode == 0


def test_backups_are_kept_for_some_days_those_of_upgrades_too(tmp_path: Path) -> None:
    """For longer they would hold whoever was erased since."""
    for name, program in {
        "deploy/backup.sh": (DEPLOY / "backup.sh").read_text("utf-8"),
        "bin/sticky-calls": "",
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(program or '#!/bin/sh\n: > "$3"\n')
        (tmp_path / name).chmod(0o755)
    backups = tmp_path / "backups"
    (backups / "upgrades").mkdir(parents=True)
    names = {"calls-{}.db", "before-{}.db", "upgrades/before-{}.db", "theirs-{}.db"}
    for days in (13, 16):
        for name in names:
            (backups / name.format(days)).touch()
            os.utime(backups / name.format(days), (time.time() - days * 86_400,) * 2)
    subprocess.run([str(tmp_path / "deploy/backup.sh"), str(backups)], check=True)
    left = {str(path.relative_to(backups)) for path in backups.rglob("*.db")}
    today = f"calls-{time.strftime('%Y-%m-%d', time.gmtime())}.db"
    assert left == {name.format(13) for name in names} | {"theirs-16.db", today}


def test_a_dry_run_shows_everything_and_does_nothing(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef")
    done = installer(tmp_path, "install", *OPTIONS, *ACCOUNT, "--token-file", str(token), "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    for file in [path.name for path in (DEPLOY / "systemd").iterdir()]:
        assert f"would write: /etc/systemd/system/{file}" in done.stdout
    for shown in ("useradd", "config.yaml", "nginx -t", "certbot certonly", "python3-venv", "enable --now"):
        assert shown in done.stdout
    assert token.read_text() not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["programs", "token"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["install", *ACCOUNT, "--dry-run"], "--domain:"),
        (["install", *OPTIONS, "--dry-run"], "--account:"),
        (["install", *OPTIONS, *ACCOUNT, "--dry-run"], "--token-file:"),
        (["install", *OPTIONS, *ACCOUNT, "--proxy", "apache", "--dry-run"], "--proxy is"),
        (["install", "--domain"], "needs a value"),
        (["install", "--what", "x"], "--what is unknown"),
        (["install", "--domain", "a b; reboot", "--dry-run"], "--domain:"),
        (["install", *OPTIONS], "run this as root"),
        (["upgrade"], "run this as root"),
        (["rollback"], "run this as root"),
        (["uninstall", "--purge"], "run this as root"),
    ],
)
def test_what_is_missing_or_wrong_is_told_before_anything_is_done(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = installer(tmp_path, *arguments)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert "would" not in done.stdout


def test_without_a_command_the_installer_explains_itself(tmp_path: Path) -> None:
    done = installer(tmp_path)
    assert done.returncode == 2
    for command in ("install", "upgrade", "rollback", "uninstall", "--dry-run", "--purge", "--wheels"):
        assert command in done.stdout


def test_the_configuration_that_is_written_is_right(tmp_path: Path) -> None:
    written = SCRIPT.partition("<< YAML\n")[2].partition("\nYAML")[0]
    values = {"$domain": "voice.example.com", "$account": ACCOUNT[1], "$number": OPTIONS[3], "$dial": OPTIONS[5]}
    for name, value in {**values, "$STATE": "/var/lib/sticky-calls", "$NAME": "sticky-calls"}.items():
        written = written.replace(name, value)
    for name in ("pepper", "twilio-auth-tokens", "metrics-token"):
        (tmp_path / name).write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "config.yaml").write_text(written)
    config = load(tmp_path / "config.yaml", {})
    assert config.twilio.public_url == "https://voice.example.com"
    assert config.metrics.token
    socket_unit = (DEPLOY / "systemd/sticky-calls.socket").read_text("utf-8")
    assert f"ListenStream={config.server.bind.removeprefix('unix:')}\n" in socket_unit


def test_the_installer_knows_every_unit() -> None:
    named = re.search(r'^UNIT_FILES="([^"]*)"', SCRIPT.replace("\\\n", ""), re.MULTILINE)
    assert named
    assert sorted(named[1].replace("$NAME", "sticky-calls").split()) == sorted(
        path.name for path in (DEPLOY / "systemd").iterdir()
    )


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_all_units_are_hardened_alike_and_read_the_same_configuration(unit: Path) -> None:
    def hardening(path: Path) -> list[str]:
        lines = path.read_text("utf-8").splitlines()
        return lines[lines.index("User=sticky-calls") : lines.index("UMask=0077") + 1]

    assert hardening(unit) == hardening(DEPLOY / "systemd/sticky-calls.service")
    assert "Environment=ADAPTER_CONFIG=/etc/sticky-calls/config.yaml" in hardening(unit)
    # Of copies, a reload would read the old ones, and one unit would lack what was added for another.
    assert "\nLoadCredential" not in unit.read_text("utf-8")
    for setting in ("NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "PrivateUsers=yes"):
        assert setting in hardening(unit)


def test_every_file_that_the_configuration_names_is_made_for_the_service_s_group() -> None:
    named = re.findall(r"_file: (\S+)", SCRIPT.partition("<< YAML\n")[2].partition("\nYAML")[0])
    made = SCRIPT.partition("make_secrets() {")[2].partition("\n}")[0].splitlines()[1:]
    assert len(named) == len(made) == 3
    for name in named:
        assert any(f'put 0640 "root:$NAME" "$ETC/{name}"' in line for line in made), name


def test_a_reload_reads_the_configuration_again() -> None:
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in (DEPLOY / "systemd/sticky-calls.service").read_text("utf-8")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_units_run_what_there_is(unit: Path) -> None:
    command = re.search(r"^ExecStart=/opt/sticky-calls/current/(\S+) ?(\S*)", unit.read_text("utf-8"), re.MULTILINE)
    assert command
    if command[1] == "bin/sticky-calls":
        assert command[2] in _COMMANDS
    else:
        assert (ROOT / command[1]).exists()


def test_every_timer_has_its_service() -> None:
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        assert timer.with_suffix(".service").exists()
        assert "OnCalendar=" in timer.read_text("utf-8")


def test_no_query_string_is_logged_by_a_proxy() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text("utf-8")
    formats = "".join(re.findall(r"log_format[^;]*;", nginx))
    assert formats
    assert not re.findall(r"\$(request|request_uri|args|query_string|http_referer|arg_\w+)\b", formats)
    assert set(re.findall(r"access_log (.*);", nginx)) == {"off", "/var/log/nginx/sticky-calls.log sticky_calls"}
    assert re.findall(r"error_log .* (\w+);", nginx) == ["crit"]
    assert "\n\tlog" not in (DEPLOY / "Caddyfile").read_text("utf-8")


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in DEPLOY.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text("utf-8")):
            assert (DEPLOY / target).exists(), (page.name, target)


def test_the_main_loop_answers_systemds_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setattr(Arbiter, "__init__", lambda self, app: None)
        arbiter = WatchedArbiter(None)
        arbiter.timeout, arbiter.WORKERS, arbiter.log = 60, {}, Logger.__new__(Logger)
        arbiter.murder_workers()
        assert systemd.recv(100) == b"WATCHDOG=1"
