"""Recording as configured: which webhooks are kept, with what, and that no call notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.config import RecordingConfig
from adapter.engine.model import Mode
from adapter.replay.recording import Recorded, read, recorder
from tests.builders import (
    DIALED,
    Api,
    CountedIds,
    ToldClock,
    Twilio,
    a_config,
    a_line,
    an_organization,
    call_sid,
    issue_key,
)

CALLER = "+14155550123"


class Kept(list[dict[str, Any]]):
    """A recorder that keeps what it is told."""

    def record(self, *webhook: Any, **answer: Any) -> None:
        self.append({"webhook": webhook, **answer})


class Broken:
    """A recorder that never works."""

    def record(self, *webhook: Any, **answer: Any) -> None:
        raise OSError("no space left")


MakeApp = Callable[..., Flask]


@pytest.fixture
def make(tmp_path: Path, clock: ToldClock) -> Iterator[MakeApp]:
    made: list[Flask] = []

    def app(recorder: Any = None, **settings: Any) -> Flask:
        config = a_config(tmp_path, **settings)
        made.append(create_app(config, clock=clock, ids=CountedIds(), recorder=recorder))
        return made[-1]

    yield app
    for each in made:
        each.extensions["sticky-calls"].store.close()


def written(file: Path) -> list[Recorded]:
    """The recording, once its thread has written it."""
    recorder.close_all()
    return [each for each in read(file) if isinstance(each, Recorded)]


def test_without_a_file_no_view_is_wrapped(make: MakeApp) -> None:
    app = make()
    assert isinstance(app.view_functions["twilio./status"], partial)
    app = make(Kept())
    assert not isinstance(app.view_functions["twilio./status"], partial)


def test_a_webhook_is_kept_with_its_answer_its_time_and_what_was_decided(make: MakeApp, clock: ToldClock) -> None:
    kept = Kept()
    answer = Twilio(make(kept).test_client()).voice(call_sid(1))
    (entry,) = kept
    method, target, fields, headers = entry["webhook"]
    assert (method, target, dict(fields)["From"]) == ("POST", "/twilio/voice", CALLER)
    assert "X-Twilio-Signature" in headers
    assert (entry["status"], entry["body"], entry["at"]) == (200, answer.text, clock.now())
    receipt = entry["receipt"]
    assert (receipt["recommendation"], receipt["step"]) == ("ignore", "hand_over")
    assert receipt["destination"] == "dial +14155550199"
    assert receipt["place"] == "handed_over"


def test_the_rules_of_a_known_caller_are_in_the_receipt(make: MakeApp) -> None:
    kept = Kept()
    twilio = Twilio(make(kept).test_client())
    twilio.voice(call_sid(1))
    twilio.voice(call_sid(2))
    assert kept[1]["receipt"]["recommendation"] == "confirm"
    assert {"rule": "ani.known", "weight": 0.3} in kept[1]["receipt"]["rules"]


def test_a_repeated_webhook_is_recorded_too(make: MakeApp) -> None:
    kept = Kept()
    twilio = Twilio(make(kept).test_client())
    first, again = twilio.voice(call_sid(1)), twilio.voice(call_sid(1))
    assert [entry["body"] for entry in kept] == [first.text, again.text]


def test_a_forged_webhook_never_happened(make: MakeApp) -> None:
    kept = Kept()
    assert Twilio(make(kept).test_client(), token="guessed").voice(call_sid(1)).status_code == 403
    assert not kept


def test_a_recorder_that_fails_fails_no_call(make: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    answer = Twilio(make(Broken()).test_client()).voice(call_sid(1))
    assert "<Dial" in answer.text
    assert "webhook not recorded: OSError" in caplog.text


def test_the_file_has_pseudonyms_that_are_the_same_for_the_same_caller(make: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    app = make(recording=RecordingConfig(str(file)))
    twilio = Twilio(app.test_client())
    twilio.voice(call_sid(1))
    twilio.status(call_sid(1))
    voice, status = written(file)
    assert CALLER not in file.read_text()
    assert voice.value("From") == status.value("From") != CALLER
    assert voice.value("To") == DIALED
    assert (voice.kind, status.kind) == ("voice", "status")
    assert voice.receipt is not None
    assert voice.receipt["destination"] == "dial +14155550199"
    assert "x-twilio-signature" not in voice.headers


def test_workers_draw_the_same_pseudonyms(make: MakeApp, tmp_path: Path) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "other.jsonl"]
    callers = set()
    for file in files:
        app = make(recording=RecordingConfig(str(file)))
        Twilio(app.test_client()).voice(call_sid(1))
        callers.add(written(file)[0].value("From"))
    assert len(callers) == 1


def test_personal_keep_keeps_the_caller(make: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    app = make(recording=RecordingConfig(str(file), personal="keep"))
    Twilio(app.test_client()).voice(call_sid(1), CallToken="secret")
    (voice,) = written(file)
    assert voice.value("From") == CALLER
    assert voice.value("CallToken") == ""


def test_only_the_lines_that_are_named_are_recorded(make: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    lines = (a_line(), a_line(number="+1650*"))
    app = make(recording=RecordingConfig(str(file), lines=("+1650*",), personal="keep"), lines=lines)
    twilio = Twilio(app.test_client())
    twilio.voice(call_sid(1))
    twilio.voice(call_sid(2), To="+16505550100")
    twilio.post(f"whisper/{lines[1].key}/1", CallSid=call_sid(3), ParentCallSid=call_sid(2), To="+14155550199")
    assert [each.call for each in written(file)] == [call_sid(2), call_sid(2)]


def saves(app: Flask, call_id: str = "crm_1", **body: Any) -> Any:
    api = Api(app.test_client(), issue_key(app))
    return api.end(call_id, "once", identity_hints={"ani": CALLER}, variables={"name": "Maria"}, **body)


def test_what_the_api_saves_is_recorded_and_the_key_is_not(make: MakeApp, tmp_path: Path, clock: ToldClock) -> None:
    file = tmp_path / "calls.jsonl"
    app = make(recording=RecordingConfig(str(file)))
    answer = saves(app)
    Twilio(app.test_client()).voice(call_sid(1))
    ended, voice = written(file)
    text = file.read_text()
    assert (ended.kind, ended.path, ended.key, ended.at) == ("api", "/v1/calls/end", ("acme", "prod"), clock.now())
    assert (ended.caller, ended.caller != CALLER) == (voice.value("From"), True)
    assert list(ended.headers) == ["content-type", "idempotency-key"]
    assert "Maria" not in text
    assert "sk_prod" not in text
    assert answer.json["customer_ref"] not in text


def test_reads_and_refused_api_calls_are_not_recorded(make: MakeApp) -> None:
    kept = Kept()
    app = make(kept)
    saves(app)
    api = Api(app.test_client(), issue_key(app))
    api.call("crm_1")
    api.end("crm_1", identity_hints={"ani": CALLER}, intent="again")  # 409
    api.post("/v1/calls/end", {"call_id": 7})
    Api(app.test_client(), "sk_prod_nobody").start("crm_2", ani=CALLER)
    assert [entry["webhook"][1] for entry in kept] == ["/v1/calls/end"]


def test_api_calls_are_recorded_of_the_organizations_whose_lines_are(make: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    lines = (a_line(), a_line(number="+1650*", organization="other"))
    recording = RecordingConfig(str(file), lines=("+1650*",))
    app = make(recording=recording, lines=lines, organizations=(an_organization(), an_organization("other")))
    saves(app)
    Api(app.test_client(), issue_key(app, "other", Mode.TEST)).start("crm_1", ani=CALLER)
    Api(app.test_client(), issue_key(app, "other")).start("crm_1", ani=CALLER)
    assert [(each.path, each.key) for each in written(file)] == [("/v1/calls/start", ("other", "prod"))]


def test_a_recorder_that_fails_fails_no_api_call(make: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    assert saves(make(Broken())).status_code == 200
    assert "API call not recorded: OSError" in caplog.text
