"""What callers did and what became of hand-overs, as Twilio's forms tell it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.model import Outcome, Turn
from adapter.twilio.forms import LEG, TURN, Unusable, duplicated
from adapter.twilio.turns import Gone, Whispering, read_turn, read_turn_of_nobody, read_whisper

RECORDINGS = Path(__file__).parents[1] / "recordings"
PAYLOADS = {
    payload["name"]: list(payload["params"].items())
    for payload in map(json.loads, (RECORDINGS / "payloads.jsonl").read_text("utf-8").splitlines())
}
SID, PARENT = "CA" + "0" * 32, "CA" + "1" * 32
LEG_OF_CALLER = {"CallSid": SID, "AccountSid": "AC" + "0" * 32, "From": "+14155550123", "CallStatus": "in-progress"}


def turn(**fields: str) -> Turn:
    read = read_turn(list({**LEG_OF_CALLER, **fields}.items()), 3)
    assert isinstance(read, Turn)
    return read


class TestAnswers:
    @pytest.mark.parametrize(
        ("name", "digits", "speech", "outcome"),
        [
            ("gather_digits_post_in", "300", "", None),
            ("gather_speech_synthetic", "", "I'd like to order some food", None),
            ("dial_action_no_answer", "", "", Outcome.NO_ANSWER),
        ],
    )
    def test_recorded_webhooks_are_turns(self, name: str, digits: str, speech: str, outcome: Outcome | None) -> None:
        fields = PAYLOADS[name]
        assert read_turn(fields, 7) == Turn(dict(fields)["CallSid"], 7, digits, speech, outcome)

    def test_nothing_is_silence(self) -> None:
        assert turn() == Turn(SID, 3)
        assert turn(Digits="", SpeechResult="  ") == Turn(SID, 3)

    @pytest.mark.parametrize(
        ("pressed", "digits"),
        [
            ("1", "1"),
            ("12#*", "12#*"),
            (" 1 2 ", "12"),
            ("hangup", ""),
            ("٣", ""),
            ("1" * 200, "1" * 64),
            ("\x001", "1"),
        ],
    )
    def test_only_keys_are_keys(self, pressed: str, digits: str) -> None:
        assert turn(Digits=pressed).digits == digits

    @pytest.mark.parametrize(
        ("said", "speech"),
        [
            ("  My   name is\tMaria ", "My name is Maria"),
            ("a\x00b\nc\ud800d", "a b c d"),
            ("x" * 5_000, "x" * 500),
            ("</Say>{{ 7*7 }}", "</Say>{{ 7*7 }}"),
        ],
    )
    def test_whoever_speaks_is_never_cut_off_for_how_it_was_written(self, said: str, speech: str) -> None:
        assert turn(SpeechResult=said) == Turn(SID, 3, speech=speech)

    def test_half_heard_words_are_no_answer(self) -> None:
        assert turn(UnstableSpeechResult="I would", StableSpeechResult="I") == Turn(SID, 3)


class TestOutcomes:
    @pytest.mark.parametrize(
        ("dialed", "bridged", "outcome"),
        [
            ("completed", "true", Outcome.ANSWERED),
            ("completed", None, Outcome.ANSWERED),
            ("completed", "false", Outcome.DECLINED),
            ("answered", None, Outcome.ANSWERED),
            ("answered", "false", Outcome.ANSWERED),
            ("busy", "false", Outcome.BUSY),
            ("no-answer", "false", Outcome.NO_ANSWER),
            ("canceled", "false", Outcome.NO_ANSWER),
            ("failed", "false", Outcome.FAILED),
            ("something new", None, Outcome.FAILED),
        ],
    )
    def test_a_dial_ends_as_it_says(self, dialed: str, bridged: str | None, outcome: Outcome) -> None:
        told = {"DialCallStatus": dialed} | ({"DialBridged": bridged} if bridged else {})
        assert turn(**told) == Turn(SID, 3, outcome=outcome)

    @pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "canceled", "failed"])
    def test_a_caller_who_is_gone_before_anybody_answers_was_cut_off(self, status: str) -> None:
        """What became of the hand-over is nobody's doing, and nobody hears what comes next."""
        for told in ({"DialCallStatus": "no-answer"}, {"DialCallStatus": "canceled"}, {"QueueResult": "hangup"}):
            assert read_turn(list({**LEG_OF_CALLER, "CallStatus": status, **told}.items()), 3) == Gone()

    def test_a_caller_who_hangs_up_after_a_talk_was_answered(self) -> None:
        assert turn(CallStatus="completed", DialCallStatus="completed") == Turn(SID, 3, outcome=Outcome.ANSWERED)

    @pytest.mark.parametrize(
        ("queued", "outcome"),
        [
            ("bridged", Outcome.ANSWERED),
            ("bridging-in-process", Outcome.ANSWERED),
            ("redirected", Outcome.ANSWERED),
            ("redirected-from-bridged", Outcome.ANSWERED),
            ("hangup", Outcome.NO_ANSWER),
            ("leave", Outcome.NO_ANSWER),
            ("queue-full", Outcome.BUSY),
            ("error", Outcome.FAILED),
            ("system-error", Outcome.FAILED),
            ("something new", Outcome.FAILED),
        ],
    )
    def test_a_queue_is_left_as_it_says(self, queued: str, outcome: Outcome) -> None:
        assert turn(QueueResult=queued, QueueTime="5").outcome is outcome

    @pytest.mark.parametrize(
        ("fields", "outcome"),
        [
            ({"SessionStatus": "completed"}, Outcome.ANSWERED),
            ({"SessionStatus": "ended", "HandoffData": "{}"}, Outcome.ANSWERED),
            ({"SessionStatus": "failed"}, Outcome.FAILED),
            ({"SessionStatus": "completed", "ErrorCode": "64101"}, Outcome.FAILED),
            ({"StreamError": "31920"}, Outcome.FAILED),
            ({"StreamError": ""}, Outcome.ANSWERED),
        ],
    )
    def test_a_bots_session_ends_as_it_says(self, fields: dict[str, str], outcome: Outcome) -> None:
        assert turn(**fields).outcome is outcome

    @pytest.mark.parametrize(
        ("seconds", "recorded"), [("12", True), ("1", True), ("", True), (None, True), ("0", False), ("00", False)]
    )
    def test_a_message_is_a_recording_that_lasts(self, seconds: str | None, recorded: bool) -> None:
        length = {} if seconds is None else {"RecordingDuration": seconds}
        told = turn(RecordingUrl="https://api.twilio.com/r", Digits="hangup", SpeechResult="x", **length)
        assert told == Turn(SID, 3, recorded=recorded)

    def test_an_outcome_goes_before_all_else(self) -> None:
        told = turn(DialCallStatus="busy", RecordingUrl="https://api.twilio.com/r", Digits="1")
        assert told == Turn(SID, 3, outcome=Outcome.BUSY)


class TestUnusable:
    def test_a_turn_is_of_a_call(self) -> None:
        assert read_turn([], 1) == Unusable("malformed: CallSid")
        assert read_turn([("CallSid", SID), ("From", "\x00")], 1) == Unusable("malformed: From")

    def test_a_child_leg_takes_no_turn(self) -> None:
        assert read_turn([("CallSid", SID), ("ParentCallSid", PARENT)], 1) == Unusable("child leg")

    @pytest.mark.parametrize("name", sorted(LEG | TURN))
    def test_a_field_that_counts_comes_once(self, name: str) -> None:
        fields = [field for field in {**LEG_OF_CALLER, "ParentCallSid": ""}.items() if field[0] != name]
        doubled = [*fields, (name, "a"), (name, "a")]
        assert duplicated(doubled) == (name,)

    def test_what_names_no_call_still_tells_whether_somebody_was_rung(self) -> None:
        assert read_turn_of_nobody([("DialCallStatus", "busy")]) == Turn("", 0, outcome=Outcome.BUSY)
        assert read_turn_of_nobody([("RecordingUrl", "https://api.twilio.com/r")]) == Turn("", 0, recorded=True)
        assert read_turn_of_nobody([]) == Turn("", 0)

    @given(st.lists(st.tuples(st.sampled_from(sorted(LEG | TURN)) | st.text(max_size=5), st.text(max_size=40))))
    def test_no_form_raises(self, fields: list[tuple[str, str]]) -> None:
        assert isinstance(read_turn([("CallSid", SID), *fields], 1), (Turn, Unusable))
        assert isinstance(read_whisper([("CallSid", SID), *fields]), (Whispering, Unusable))
        assert isinstance(read_turn_of_nobody(fields), Turn)


class TestWhispers:
    def test_the_call_is_the_parent(self) -> None:
        assert read_whisper([("CallSid", SID), ("ParentCallSid", PARENT)]) == Whispering(PARENT)

    @pytest.mark.parametrize("parent", ["", "CA", SID + " "])
    def test_without_a_parent_there_is_no_call(self, parent: str) -> None:
        fields = [("CallSid", SID), ("ParentCallSid", parent)]
        assert read_whisper(fields) == Unusable("malformed: ParentCallSid")
