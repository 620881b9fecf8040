"""Installations, upgrades and rollbacks that go wrong at one step or another: what runs then, and what is told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.deploy.standins import StandIn


def test_an_upgrade_backs_up_and_changes_to_the_clone_s_version(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    done = machine.run("upgrade")
    assert done.code == 0, done.said
    assert (machine.link("previous"), machine.link("current") in {"v1", "v2"}) == ("v2", False)
    log = "\n".join(machine.log())
    assert log.index("db backup") < log.index("restart sticky-calls.service")
    # Not among the nightly ones: `db drill` would take it for one of them, and nobody notice that there are none.
    assert "/var/backups/sticky-calls/upgrades/before-" in log


def test_a_rollback_changes_to_the_version_before(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    done = machine.run("rollback")
    assert done.code == 0, done.said
    assert (machine.link("current"), machine.link("previous")) == ("v1", "v2")


@pytest.mark.parametrize("step", ["db drill", "db restore"])
def test_a_backup_that_cannot_be_restored_leaves_the_version_that_ran_running(tmp_path: Path, step: str) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    backup = tmp_path / "before.db"
    backup.touch()
    machine.fails(step)
    done = machine.run("rollback", "--restore", str(backup))
    assert (done.code, "cannot be restored" in done.said) == (1, True), done.said
    assert (machine.link("current"), machine.link("previous")) == ("v2", "v1")
    stopped = [line for line in machine.log() if line.startswith(("systemctl stop", "systemctl start"))]
    verbs = ["stop", "start"] if step == "db restore" else []
    assert stopped == [f"systemctl {verb} sticky-calls.socket sticky-calls.service" for verb in verbs]


def test_a_backup_is_restored_while_nobody_writes(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    backup = tmp_path / "before.db"
    backup.touch()
    done = machine.run("rollback", "--restore", str(backup))
    assert (done.code, machine.link("current")) == (0, "v1"), done.said
    log = "\n".join(machine.log())
    steps = ("db drill", "stop sticky-calls.socket", "db restore", "start sticky-calls.socket")
    assert [log.index(step) for step in steps] == sorted(log.index(step) for step in steps)
    assert "db check" not in log


def test_an_upgrade_that_was_taken_back_is_not_what_a_rollback_goes_to(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    machine.becomes_unhealthy("0.")
    done = machine.run("upgrade")
    assert (done.code, "taken back" in done.said) == (1, True), done.said
    assert (machine.link("current"), machine.link("previous")) == ("v2", "v1")
    (failed,) = machine.releases() - {"v1", "v2"}
    assert failed in done.said


def test_after_the_first_upgrade_was_taken_back_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1")
    machine.becomes_unhealthy("0.")
    assert machine.run("upgrade").code == 1
    assert (machine.link("current"), machine.link("previous")) == ("v1", None)


def test_a_rollback_to_a_version_that_is_not_healthy_is_taken_back(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    machine.becomes_unhealthy("v1")
    done = machine.run("rollback")
    assert (done.code, "taken back" in done.said) == (1, True), done.said
    assert (machine.link("current"), machine.link("previous")) == ("v2", "v1")
    assert machine.log().count("systemctl restart sticky-calls.service") == 2


def test_postgresql_is_not_backed_up_here_and_is_upgraded_all_the_same(tmp_path: Path) -> None:
    """After the move the old file is still there, closed."""
    machine = StandIn(tmp_path, "v1", "v2")
    machine.database("postgresql://calls:*****@db.example/calls")
    machine.fails("db backup")
    done = machine.run("upgrade")
    assert (done.code, "pg_dump" in done.said) == (0, True), done.said
    assert machine.link("previous") == "v2"


def test_a_database_elsewhere_is_backed_up(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    (tmp_path / "elsewhere.db").touch()
    machine.database(f"sqlite:///{tmp_path}/elsewhere.db")
    (machine.state / "calls.db").unlink()
    assert machine.run("upgrade").code == 0
    assert "db backup" in "\n".join(machine.log())


@pytest.mark.parametrize("step", ["check-config", "db backup", " serve"])
def test_what_fails_before_the_change_changes_nothing_and_leaves_nothing(tmp_path: Path, step: str) -> None:
    machine = StandIn(tmp_path, "v1", "v2")
    machine.fails(step)
    done = machine.run("upgrade")
    assert (done.code, "nothing was changed" in done.said) == (1, True), done.said
    assert (machine.link("current"), machine.link("previous"), machine.releases()) == ("v2", "v1", {"v1", "v2"})
    assert not any("restart" in line for line in machine.log())


def a_certificate(folder: Path) -> list[str]:
    folder.mkdir()
    for name in ("site.pem", "site.key"):
        (folder / name).touch()
    return ["--certificate", f"{folder}/site.pem", "--certificate-key", f"{folder}/site.key"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"--certificate-key": None}, "both"),
        ({"--certificate": None}, "both"),
        ({"--certificate": "nowhere.pem"}, "cannot be read"),
        ({"--certificate-key": "nowhere.key"}, "cannot be read"),
        ({"--certificate": "a#b.pem"}, "characters"),
        ({"--certificate-key": 'a"b.key'}, "characters"),
        ({"--proxy": "caddy"}, "nginx"),
    ],
)
def test_a_certificate_that_nginx_could_not_use_is_refused_before_anything_is_done(
    tmp_path: Path, wrong: dict[str, str | None], says: str
) -> None:
    machine = StandIn(tmp_path)
    for name in ("a#b.pem", 'a"b.key'):
        (machine.root / name).touch()
    given = a_certificate(tmp_path / "certificates")
    options = {**dict(zip(given[::2], given[1::2], strict=True)), **wrong}
    words = [word for name, value in options.items() if value is not None for word in (name, value)]
    done = machine.run("install", "--domain", "voice.example.com", *words)
    assert (done.code, says in done.said) == (1, True), done.said
    assert not any(line.startswith(("install", "systemctl")) for line in machine.log())


def test_a_certificate_may_be_named_from_here_and_with_blanks(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1")
    a_certificate(machine.root / "our keys")
    words = ["--certificate", "our keys/site.pem", "--certificate-key", "our keys/site.key"]
    done = machine.run("install", "--domain", "voice.example.com", *words)
    assert done.code == 0, done.said
    site = (machine.root / "etc/nginx/conf.d/sticky-calls.conf").read_text("utf-8")
    assert f'ssl_certificate "{machine.root}/our keys/site.pem";' in site
    assert f'ssl_certificate_key "{machine.root}/our keys/site.key";' in site


@pytest.mark.parametrize("before", [None, "the site as it was"])
def test_a_site_that_nginx_does_not_take_does_not_stay(tmp_path: Path, before: str | None) -> None:
    """With it nginx would not start again, and nobody's sites on this machine with it."""
    machine = StandIn(tmp_path, "v1")
    site = machine.root / "etc/nginx/conf.d/sticky-calls.conf"
    if before is not None:
        site.write_text(before)
    machine.fails("nginx -t")
    done = machine.run("install", "--domain", "voice.example.com", *a_certificate(tmp_path / "certificates"))
    assert (done.code, "as it was" in done.said) == (1, True), done.said
    assert (site.read_text() if site.exists() else None) == before
    assert (machine.root / "etc/nginx/modules-enabled/60-sticky-calls.conf").exists() is False
    assert not any("nginx" in line for line in machine.log() if line.startswith("systemctl"))


DEBIANS = ":80 {\n\tfile_server\n}\n"
THEIRS = "shop.example {\n\tfile_server\n}\n"
IMPORT = "import conf.d/sticky-calls.caddy"


def with_caddy(machine: StandIn, caddyfile: str | None) -> Path:
    (machine.root / "debians-own").write_text(hashlib.md5(DEBIANS.encode(), usedforsecurity=False).hexdigest())
    main = machine.root / "etc/caddy/Caddyfile"
    main.parent.mkdir()
    if caddyfile is not None:
        main.write_text(caddyfile)
    return main


@pytest.mark.parametrize("before", [None, DEBIANS])
def test_a_caddy_of_nobody_gets_the_shipped_file(tmp_path: Path, before: str | None) -> None:
    machine = StandIn(tmp_path, "v1")
    main = with_caddy(machine, before)
    done = machine.run("install", "--domain", "voice.example.com", "--proxy", "caddy")
    assert done.code == 0, done.said
    site = (main.parent / "conf.d/sticky-calls.caddy").read_text()
    assert "\nvoice.example.com {\n" in site
    assert ("read_body" in main.read_text(), "read_body" in site) == (True, False)
    assert main.read_text().endswith(f"}}\n\n{IMPORT}\n")


def test_who_has_sites_in_caddy_keeps_them(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1")
    main = with_caddy(machine, THEIRS)
    words = ["install", "--domain", "voice.example.com", "--proxy", "caddy"]
    said = machine.run(*words).said
    assert "timeouts" in said
    assert main.read_text() == f"{THEIRS}\n{IMPORT}\n"
    main.write_text(main.read_text() + "\n" + THEIRS.replace("shop", "cafe"))
    before = main.read_text()
    assert machine.run(*words).code == 0
    assert main.read_text() == before
    assert machine.run("uninstall").code == 0
    assert main.read_text() == before.replace(f"{IMPORT}\n", "")
    assert not (main.parent / "conf.d/sticky-calls.caddy").exists()


def test_what_caddy_does_not_take_does_not_stay(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1")
    main = with_caddy(machine, THEIRS)
    machine.fails("caddy adapt")
    done = machine.run("install", "--domain", "voice.example.com", "--proxy", "caddy")
    assert (done.code, "as it was" in done.said) == (1, True), done.said
    assert main.read_text() == THEIRS
    assert not (main.parent / "conf.d/sticky-calls.caddy").exists()


def test_sites_beside_an_older_installation_s_are_not_lost(tmp_path: Path) -> None:
    """It wrote all into the one file."""
    machine = StandIn(tmp_path, "v1")
    older = f"# Caddy before the service: it fetches …\nvoice.example.com {{\n}}\n{THEIRS}"
    main = with_caddy(machine, older)
    assert machine.run("install", "--domain", "voice.example.com", "--proxy", "caddy").code == 0
    assert "voice.example.com" not in main.read_text()
    assert main.with_name("Caddyfile.before-sticky-calls").read_text() == older


@pytest.mark.parametrize(("domain", "warned"), [("voice.example.com", False), ("calls.example.com", True)])
def test_a_second_run_tells_what_it_does_not_change(tmp_path: Path, domain: str, warned: bool) -> None:
    machine = StandIn(tmp_path, "v1")
    given = ["--number", "+14155550101", *a_certificate(tmp_path / "certificates")]
    done = machine.run("install", "--domain", domain, *given)
    assert done.code == 0, done.said
    assert "config.yaml stays as it is" in done.said
    assert ("public_url is https://voice.example.com/calls" in done.said) == warned
    # Not of what was given now and is not configured.
    assert "numbers point NUMBER --dry-run" in done.said


def test_a_second_run_to_which_nothing_is_given_says_nothing_of_that(tmp_path: Path) -> None:
    machine = StandIn(tmp_path, "v1")
    done = machine.run("install", "--domain", "voice.example.com", *a_certificate(tmp_path / "certificates"))
    assert (done.code, "stays as it is" in done.said) == (0, False), done.said
    assert "numbers point NUMBER --dry-run" in done.said


def test_a_timer_that_somebody_has_disabled_stays_so(tmp_path: Path) -> None:
    """As with PostgreSQL the backup's is (deploy/scaling.md): it would fail every night."""
    machine = StandIn(tmp_path, "v1", "v2")
    (machine.root / "etc/systemd/system/sticky-calls-backup.timer").touch()
    assert machine.run("upgrade").code == 0
    (enabled,) = (line for line in machine.log() if line.startswith("systemctl enable"))
    # What the old version did not have is.
    assert enabled == "systemctl enable --now sticky-calls-doctor.timer sticky-calls-maintenance.timer"
