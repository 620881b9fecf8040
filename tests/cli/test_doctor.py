"""`sticky-calls doctor`: nothing is found where nothing is wrong, and every finding where it was made on purpose."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any, NamedTuple

import pytest
import requests
import responses
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.cli.healthy import ACCOUNT, NUMBER, TOKEN, Healthy, Wsgi
from tests.serving import free_port, wait_for
from tests.twilio.rest import BASE

pytestmark = pytest.mark.sqlite
CHECKS = ["configuration", "database", "disk", "workers", "public URL", "signature", "clock", "tokens", "numbers"]


@pytest.fixture
def healthy(tmp_path: Path) -> Iterator[Healthy]:
    made = Healthy(tmp_path)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.rest.install(mock)
        yield made
        made.stop()


def doctor(healthy: Healthy, *options: str, trusting: bool = True) -> Result:
    trusted = ["--ca-file", str(healthy.ca_file)] if trusting else []
    return CliRunner().invoke(main, ["doctor", "--config", str(healthy.config_path), *trusted, *options])


def findings(result: Result) -> list[tuple[str, str]]:
    """(check, what), in order; every finding says what to do."""
    told = json.loads(result.stdout)
    assert all(found["do"] for each in told for found in each["findings"])
    found = [(each["check"], found["what"]) for each in told for found in each["findings"]]
    assert result.exit_code == bool(found)
    return found


def test_nothing_is_found_where_nothing_is_wrong(healthy: Healthy) -> None:
    healthy.start()
    result = doctor(healthy)
    assert (result.exit_code, result.stdout) == (0, "".join(f"✓ {name}\n" for name in CHECKS) + "Nothing is wrong.\n")
    assert findings(doctor(healthy, "--json")) == []


def test_the_signed_webhook_is_no_call(healthy: Healthy) -> None:
    healthy.start()
    doctor(healthy)
    with sqlite3.connect(healthy.database) as database:
        assert database.execute("SELECT count(*) FROM calls").fetchone() == (0,)
    database.close()


def test_no_token_is_printed(healthy: Healthy) -> None:
    healthy.rest.tokens = ["1" * 32, TOKEN]
    healthy.start()
    for options in ([], ["--json"]):
        shown = doctor(healthy, *options).output
        assert TOKEN not in shown
        assert "1" * 32 not in shown


class Broken(NamedTuple):
    """`before` the set-up starts, `after` it runs; what is found then, and nothing but what hangs on it (`also`)."""

    name: str
    check: str
    what: str
    before: Callable[[Healthy], None] = lambda healthy: None
    after: Callable[[Healthy], None] = lambda healthy: None
    also: frozenset[str] = frozenset()


def setting(section: str, **values: Any) -> Callable[[Healthy], None]:
    return lambda healthy: healthy.edit_config(lambda written: written.setdefault(section, {}).update(values))


def no_database(healthy: Healthy) -> None:
    setting("database", url=f"sqlite:///{healthy.folder / 'no-such.db'}")(healthy)


def of_something_else(healthy: Healthy) -> None:
    file = healthy.folder / "theirs.db"
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("CREATE TABLE theirs (x)")
    file.chmod(0o600)
    setting("database", url=f"sqlite:///{file}")(healthy)


def changed(**values: Any) -> Callable[[Healthy], None]:
    """Of the number at Twilio."""
    return lambda healthy: healthy.rest.numbers[0].update(values)


def with_rest(**values: Any) -> Callable[[Healthy], None]:
    return lambda healthy: healthy.rest.__dict__.update(values)


def damage(healthy: Healthy) -> None:
    with sqlite3.connect(healthy.database) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA writable_schema=ON")
        database.execute("DELETE FROM sqlite_master WHERE type = 'index' AND sql IS NULL")
    database.close()


def sealed(healthy: Healthy) -> None:
    """Writable for nobody, not even root: as `db copy --finish` leaves it."""
    with sqlite3.connect(healthy.database) as database:
        database.execute(
            "CREATE TRIGGER sealed BEFORE UPDATE ON clocks BEGIN SELECT RAISE(ABORT, 'it was sealed on purpose'); END"
        )
    database.close()


def one_number_more(healthy: Healthy) -> None:
    ours = healthy.rest.numbers[0]
    healthy.rest.add_number("+14155550177", voice_url=ours["voice_url"], voice_fallback_url=ours["voice_fallback_url"])


def at_version(number: str) -> Callable[[Healthy], None]:
    def change(healthy: Healthy) -> None:
        with closing(sqlite3.connect(healthy.database)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = ?", [number])

    return change


def answering(status: int, headers: list[tuple[str, str]] | None = None, only: str = "/") -> Callable[[Healthy], None]:
    """A proxy that answers by itself."""

    def proxy(app: Wsgi) -> Wsgi:
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["wsgi.url_scheme"] == "http" or not environ["PATH_INFO"].startswith(only):
                return app(environ, start)
            start(f"{status} x", headers or [])
            return [b""]

        return answer

    return lambda healthy: setattr(healthy, "proxy", proxy)


def spelling_anew(healthy: Healthy) -> None:
    """A proxy that loses the query, as far as the signature is concerned."""

    def proxy(app: Wsgi) -> Wsgi:
        def pass_on(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            address = environ["REQUEST_URI"].partition("?")[0]
            return app({**environ, "REQUEST_URI": address, "RAW_URI": address}, start)

        return pass_on

    healthy.proxy = proxy


def two_tokens(*tokens: str) -> Callable[[Healthy], None]:
    accounts = [{"sid": ACCOUNT, "auth_tokens": list(tokens)}]
    return setting("twilio", accounts=accounts)


BROKEN = [
    Broken("a setting that does not exist", "configuration", "twilo", after=setting("twilo", x=1)),
    Broken("no database", "database", "the database is gone", after=no_database),
    Broken("a damaged database", "database", "calls.db", after=damage),
    Broken("a database of something else", "database", "is a database of something else", after=of_something_else),
    Broken("an old schema", "database", "schema is at 0001", after=at_version("0001")),
    Broken("a newer schema", "database", "install the newer version", after=at_version("9999")),
    Broken(
        "a database that takes nothing",
        "database",
        "it was sealed on purpose",
        after=lambda h: sealed(h),
        also=frozenset({"workers", "public URL"}),
    ),
    Broken("everybody can read", "database", "everybody on this machine", after=lambda h: h.database.chmod(0o644)),
    Broken("the service is down", "workers", "nothing answers at", after=lambda h: h.stop(1)),
    Broken("no public URL", "public URL", "is not set", after=lambda h: h.edit_config(without_twilio)),
    Broken("the proxy is down", "public URL", "gives no answer", after=lambda h: h.stop(0)),
    Broken(
        "a name without address",
        "public URL",
        "has no address",
        after=setting("twilio", public_url="https://x.invalid"),
        also=frozenset({"numbers"}),
    ),
    Broken(
        "a certificate for another name",
        "public URL",
        "is not valid",
        before=lambda h: setattr(h, "names", ("x.example",)),
    ),
    Broken("a certificate that ended", "public URL", "expired", before=lambda h: setattr(h, "days", -1)),
    Broken("a certificate that ends soon", "public URL", "ends in 5 days", before=lambda h: setattr(h, "days", 5.2)),
    Broken(
        "no TLS",
        "public URL",
        "is not https",
        after=lambda h: setting("twilio", public_url=h.plain_url)(h),
        also=frozenset({"numbers"}),
    ),
    Broken("a redirect", "public URL", "leads elsewhere (301)", before=answering(301, [("Location", "https://x/")])),
    Broken("a proxy without the service", "public URL", "does not reach the service (502)", before=answering(502)),
    Broken("the database does not answer", "public URL", "the database does not answer", before=answering(503)),
    Broken("a path that is not passed on", "public URL", "/v1/health answers 404", before=answering(404)),
    Broken(
        "something else below /twilio",
        "signature",
        "a forged webhook was answered 204",
        before=answering(204, only="/twilio"),
    ),
    Broken("an address spelled anew", "signature", "a GET signed as Twilio signs", before=spelling_anew),
    Broken(
        "twilio's path is not passed on",
        "signature",
        "was answered 404, not 204",
        before=answering(404, only="/twilio"),
    ),
    Broken("no account", "signature", "accounts is empty", after=lambda h: h.edit_config(without_accounts)),
    Broken(
        "a slow clock",
        "clock",
        "the clock is ",
        after=lambda h: with_rest(date=formatdate(time() + 100.5, usegmt=True))(h),
    ),
    Broken("no time in the answer", "clock", "has no date", after=with_rest(date="soon")),
    Broken("a token of nobody", "tokens", "no auth token of AC", after=with_rest(tokens=["another"])),
    Broken("an old token", "tokens", "auth token 2 of AC", after=two_tokens(TOKEN, "an-old-token")),
    Broken("an account that is closed", "tokens", "is suspended", after=with_rest(account_status="suspended")),
    Broken(
        "another token signs", "tokens", "with a token that is not configured", after=with_rest(tokens=["new", TOKEN])
    ),
    Broken("Twilio is busy", "numbers", "Twilio answered 400", after=with_rest(refuses={"/IncomingPhoneNumbers": 400})),
    Broken(
        "the number goes elsewhere",
        "numbers",
        "calls https://old",
        after=changed(voice_url="https://old.example.com/x"),
    ),
    Broken(
        "the number is in a trunk",
        "numbers",
        "takes its calls, its own addresses are not used",
        after=changed(trunk_sid="TK" + "1" * 32),
    ),
    Broken(
        "the number is in an app", "numbers", "the TwiML App AP", after=changed(voice_application_sid="AP" + "1" * 32)
    ),
    Broken(
        "the number is somebody else's", "numbers", "is not a number of", after=changed(phone_number="+14155550155")
    ),
    Broken("the number takes faxes", "numbers", "receives fax, not calls", after=changed(voice_receive_mode="fax")),
    Broken("a number without a line", "numbers", "which has no line for it", after=lambda h: one_number_more(h)),
    Broken("ends of calls go elsewhere", "numbers", "tells the end of calls", after=changed(status_callback="")),
    Broken("no fallback", "numbers", "has no fallback", after=changed(voice_fallback_url="")),
]


def without_twilio(written: dict[str, Any]) -> None:
    del written["twilio"]["public_url"]
    written["lines"] = []


def without_accounts(written: dict[str, Any]) -> None:
    written["twilio"]["accounts"] = []
    written["lines"] = []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_what_is_broken_on_purpose_is_found_and_nothing_else(healthy: Healthy, broken: Broken) -> None:
    broken.before(healthy)
    healthy.start()
    broken.after(healthy)
    found = findings(doctor(healthy, "--json"))
    assert any(broken.what in what for check, what in found if check == broken.check), found
    assert {check for check, _ in found} == {broken.check} | broken.also


def test_a_certificate_of_an_unknown_ca_is_found(healthy: Healthy) -> None:
    healthy.start()
    assert "is not valid" in findings(doctor(healthy, "--json", trusting=False))[0][1]


def test_a_full_disk_is_found(healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy.start()
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5 * 1024**2))
    assert findings(doctor(healthy, "--json")) == [
        ("disk", "5 MiB are free where the database's files lie; 1,024 MiB are needed")
    ]


def test_twilio_out_of_reach_is_one_finding_and_what_hangs_on_it_is_not_looked_at(healthy: Healthy) -> None:
    healthy.start()
    with responses.RequestsMock() as mock:
        mock.head(BASE, body=requests.ConnectionError())
        result = doctor(healthy, "--json")
    [(check, what)] = findings(result)
    assert (check, "cannot be reached from here (ConnectionError)" in what) == ("clock", True)
    assert [each["check"] for each in json.loads(result.stdout) if each["skipped"]] == ["tokens", "numbers"]


def test_offline_nothing_beyond_the_machine_is_asked(healthy: Healthy) -> None:
    healthy.start()
    assert doctor(healthy, "--offline").stdout.startswith("✓ configuration\n✓ database\n✓ disk\n✓ workers\nNothing")
    assert healthy.rest.asked == []


def test_a_rotation_under_way_is_a_note(healthy: Healthy) -> None:
    healthy.start()
    two_tokens("the-next-token", TOKEN)(healthy)
    healthy.rest.tokens = [TOKEN, "the-next-token"]
    healthy.edit_config(lambda written: written["twilio"]["accounts"][0].update(auth_tokens=[TOKEN, "the-next-token"]))
    result = doctor(healthy, "--json")
    assert findings(result) == []
    assert "token 1 of 2 signs now" in result.stdout
    assert NUMBER not in result.stdout


_MASTER = """
import http.server, os, socketserver, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers()
    def address_string(self): return ""
    def log_message(self, *_): pass
where = sys.argv[1]
if where.startswith("unix:"):
    server = socketserver.UnixStreamServer(where.removeprefix("unix:"), Answer)
else:
    server = http.server.HTTPServer(("127.0.0.1", int(where.rpartition(":")[2])), Answer)
if os.fork():
    os.wait()
else:
    server.serve_forever()
"""


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(
    ("wanted", "status", "found"),
    [
        (1, 200, ""),
        (2, 200, "1 of 2 workers are running"),
        (1, 503, "answers 503 to /v1/health"),
    ],
    ids=["all", "one is missing", "none is well"],
)
def test_workers_that_are_missing_or_not_well_are_found(
    healthy: Healthy, kind: str, wanted: int, status: int, found: str
) -> None:
    healthy.start()
    bind = f"unix:{healthy.folder}/http.sock" if kind == "unix" else f"127.0.0.1:{free_port()}"
    setting("server", bind=bind, workers=wanted)(healthy)
    assert findings(doctor(healthy, "--offline", "--json"))[0][1].startswith(f"nothing answers at {bind}")
    command = [sys.executable, "-c", _MASTER, bind, str(status)]
    master = subprocess.Popen(command, start_new_session=True)
    try:
        wait_for(lambda: "nothing answers" not in doctor(healthy, "--offline").stdout, "the master")
        told = findings(doctor(healthy, "--offline", "--json"))
        assert [check for check, _ in told] == (["workers"] if found else [])
        assert all(found in what for _, what in told)
    finally:
        os.killpg(master.pid, signal.SIGKILL)
        master.wait()


@pytest.mark.parametrize("away", ["no such server", "a folder of nobody"])
def test_a_database_that_does_not_answer_is_found(healthy: Healthy, away: str) -> None:
    healthy.start()
    if away == "no such server":
        url = f"postgresql://u@127.0.0.1:{free_port()}/x"
        settings = {"url": url, "state_dir": str(healthy.folder / "state"), "lock_timeout_ms": 100}
        setting("database", **settings)(healthy)
        setting("security", pepper="pepper-of-the-tests")(healthy)
    else:
        setting("database", url="sqlite:////proc/no-such-folder/calls.db")(healthy)
    told = {each["check"]: each["findings"] for each in json.loads(doctor(healthy, "--offline", "--json").stdout)}
    assert "restore" not in told["database"][0]["do"], "nothing says that it has lost anything"


def test_what_a_check_stumbles_over_is_a_finding_and_the_others_are_made(
    healthy: Healthy, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy.start()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: 1 / 0)
    assert findings(doctor(healthy, "--json")) == [("disk", "could not be checked: ZeroDivisionError")]


def test_for_people_every_finding_stands_under_its_check_with_what_to_do(healthy: Healthy) -> None:
    healthy.start()
    setting("twilio", accounts=[{"sid": "*", "auth_tokens": [TOKEN]}])(healthy)
    healthy.stop(1)
    shown = doctor(healthy).stdout
    assert "✗ workers\n    nothing answers at" in shown
    assert "\n      → start it: " in shown
    assert 'note: of the account "*" only its signatures' in shown
    # The service does not know the new configuration yet: it refuses what is signed for another account.
    assert shown.endswith("3 things to mend.\n")
