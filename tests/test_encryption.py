"""Encryption at rest, end to end: nothing readable in the files, callers known through every step of a rotation."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from adapter.app import create_app
from adapter.clock import RandomIds
from adapter.config import Config, SecurityConfig
from adapter.engine.model import Mode
from adapter.store.rekey import rekey
from tests import databases
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, call_sid, issue_key
from tests.conformance.wire import stored

pytestmark = pytest.mark.stores

Key = tuple[str, bytes]
OTHER: Key = ("k3", b"3" * 32)
OLD, NEW = ("k1", b"1" * 32), ("k2", b"2" * 32)
ANI = "+14155550123"
SECRETS = ("Maria Quux", "4155550123", "crm-value-77", "processed-ref-9")


def under(folder: Path, *keys: tuple[str, bytes]) -> Config:
    return a_config(folder, security=SecurityConfig(encryption_keys=keys))


def remember(config: Config, clock: ToldClock) -> str:
    """A caller whose name, number, CRM id and a resolution are kept."""
    app = create_app(config, clock=clock, ids=CountedIds())
    api = Api(app.test_client(), issue_key(app))
    ref = api.start("call-1", "mobile", ani=ANI, external_ids={"crm": "crm-value-77"}).json["customer_ref"]
    resolved = {"intent": "refund", "status": "resolved", "resolution": {"reference": "processed-ref-9"}}
    body = {"variables": {"name": "Maria Quux"}, "intent_updates": [resolved]}
    ended = api.end("call-1", "key-1", customer_ref=ref, **body)
    assert ended.status_code == 200
    app.extensions["sticky-calls"].store.close()
    return str(ref)


def hears(config: Config, clock: ToldClock, sid: int) -> str:
    app = create_app(config, clock=clock, ids=CountedIds(100))
    said = Twilio(app.test_client()).voice(call_sid(sid), ANI).text
    app.extensions["sticky-calls"].store.close()
    return said


def at_rest(folder: Path) -> bytes:
    """All files; PostgreSQL's are not ours to read, so what it holds in their place."""
    on_disk = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return on_disk + (stored(folder).encode() if databases.kind == "postgresql" else b"")


def test_nothing_personal_can_be_read_in_the_files(tmp_path: Path, clock: ToldClock) -> None:
    remember(under(tmp_path, OLD), clock)
    assert [secret for secret in SECRETS if secret.encode() in at_rest(tmp_path)] == []


def test_without_a_key_it_can(tmp_path: Path, clock: ToldClock) -> None:
    """The positive control of the search."""
    remember(under(tmp_path), clock)
    assert [secret for secret in SECRETS if secret.encode() not in at_rest(tmp_path)] == []


def test_a_caller_is_known_through_every_step_of_a_rotation(tmp_path: Path, clock: ToldClock) -> None:
    remember(under(tmp_path), clock)
    for sid, keys in enumerate([(OLD,), (NEW, OLD)]):
        assert "Maria Quux" in hears(under(tmp_path, *keys), clock, sid)
        app = create_app(under(tmp_path, *keys), clock=clock)
        store = app.extensions["sticky-calls"].store
        rekey(store)
        store.compact()
        store.close()
    assert "Maria Quux" in hears(under(tmp_path, NEW), clock, 9)
    assert [secret for secret in SECRETS if secret.encode() in at_rest(tmp_path)] == []


def known_across(folder: Path, clock: ToldClock, writer: tuple[Key, ...], reader: tuple[Key, ...]) -> bool:
    """Whether who called at one machine is known at the other one, and their call, too."""
    ids = RandomIds()
    here, there = (create_app(under(folder, *keys), clock=clock, ids=ids) for keys in (writer, reader))
    call, ani = str(clock.now()), f"+1415555{clock.now() // 3_600_000 % 10_000:04}"
    ref = Api(here.test_client(), issue_key(here)).start(call, "mobile", ani=ani).json["customer_ref"]
    api = Api(there.test_client(), issue_key(there))
    ended = api.end(call, customer_ref=ref, variables={"name": "Maria Quux"})
    clock.advance(hours=1)
    said = Twilio(there.test_client()).voice(call_sid(clock.now()), ani).text
    for app in (here, there):
        app.extensions["sticky-calls"].store.close()
    return ended.status_code == 200 and "Maria Quux" in said


def test_of_two_machines_one_may_be_a_step_ahead_of_the_other(tmp_path: Path, clock: ToldClock) -> None:
    """As README has the steps: behind the old one, before it, `db rekey`, out."""
    steps: list[tuple[Key, ...]] = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
    for place, (before, then) in enumerate(itertools.pairwise(steps)):
        if then == (NEW,):
            app = create_app(under(tmp_path, *before), clock=clock)
            rekey(app.extensions["sticky-calls"].store)
            app.extensions["sticky-calls"].store.close()
        assert known_across(tmp_path, clock, before, then), place
        assert known_across(tmp_path, clock, then, before), place
    assert not known_across(tmp_path, clock, (OTHER,), (NEW,)), "a key that the other one does not have would be told"


def test_a_request_repeated_across_a_change_of_keys_is_still_the_same(tmp_path: Path, clock: ToldClock) -> None:
    ref = remember(under(tmp_path, OLD), clock)
    app = create_app(under(tmp_path, NEW, OLD), clock=clock, ids=CountedIds())
    resolved = {"intent": "refund", "status": "resolved", "resolution": {"reference": "processed-ref-9"}}
    body = {"variables": {"name": "Maria Quux"}, "intent_updates": [resolved]}
    again = Api(app.test_client(), issue_key(app, mode=Mode.PROD)).end("call-1", "key-1", customer_ref=ref, **body)
    app.extensions["sticky-calls"].store.close()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
