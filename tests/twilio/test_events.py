"""Which forms start and end calls, and what is read from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.line import Destination, DestinationKind, Line
from adapter.engine.model import Distrust, HangUp, Hints, Mode, Origin, StartCall
from adapter.twilio.events import Ignored, distrust, line_for, line_of, read_status, read_voice
from adapter.twilio.forms import Unusable, duplicated

RECORDINGS = Path(__file__).parents[1] / "recordings"
PAYLOADS = {
    payload["name"]: list(payload["params"].items())
    for payload in map(json.loads, (RECORDINGS / "payloads.jsonl").read_text("utf-8").splitlines())
}
SID = "CA0123456789abcdef0123456789ABCDEF"
ACCOUNT = "AC" + "0" * 32
VOICE = {"CallSid": SID, "AccountSid": ACCOUNT, "From": "+14155550123", "To": "+14155550199", "Direction": "inbound"}
STATUS = {**VOICE, "CallStatus": "completed", "Timestamp": "Sat, 08 Aug 2020 03:26:02 +0000", "CallDuration": "35"}
THEN = 1_596_857_162_000  # the Timestamp above
NOW = THEN + 60_000
USED = ["AccountSid", "CallSid", "CallStatus", "CallbackSource", "CallDuration", "Direction", "From", "ParentCallSid"]
USED += ["StirVerstat", "Timestamp", "To"]


def form(base: dict[str, str], **changes: str) -> list[tuple[str, str]]:
    return list({**base, **changes}.items())


def line(account: str = "*", number: str = "*", strict_caller_id: bool = False) -> Line:
    return Line(
        account, number, "org", Mode.PROD, Destination(DestinationKind.HANGUP), strict_caller_id=strict_caller_id
    )


class TestVoice:
    def test_a_webhook_starts_a_call(self) -> None:
        hints = Hints(ani="+14155550123", dnis="+14155550199")
        assert read_voice(form(VOICE)) == StartCall(SID, hints, Origin.TWILIO)

    @pytest.mark.parametrize(
        ("name", "ani", "note"),
        [
            ("incoming_us_stir_a_2025", "+18185550109", None),
            ("incoming_au_to_us_stir_c_addons", "+61005550196", None),
            ("incoming_us_callername_blank_2020", "+14805550174", None),
            ("incoming_withheld_266696687", None, "withheld"),
        ],
    )
    def test_recorded_webhooks_start_calls(self, name: str, ani: str | None, note: str | None) -> None:
        start = read_voice(PAYLOADS[name])
        assert isinstance(start, StartCall)
        assert (start.hints.ani, start.hints.ani_note) == (ani, note)

    @pytest.mark.parametrize("name", ["incoming_sip_registered", "incoming_docs_forwarding_example"])
    def test_a_call_sid_of_another_form_starts_nothing(self, name: str) -> None:
        assert read_voice(PAYLOADS[name]) == Unusable("malformed: CallSid")

    @pytest.mark.parametrize("sid", ["", "CA" + "0" * 31, "CA" + "0" * 33, "AC" + "0" * 32, "CA" + "g" * 32, SID + " "])
    def test_only_a_call_sid_names_a_call(self, sid: str) -> None:
        assert read_voice(form(VOICE, CallSid=sid)) == Unusable("malformed: CallSid")

    def test_nothing_starts_nothing(self) -> None:
        assert read_voice([]) == Unusable("malformed: CallSid")

    @pytest.mark.parametrize(
        ("caller", "note"),
        [("", "missing"), ("anonymous", "withheld"), ("sip:1001@pbx.example.com", "not_dialable")],
    )
    def test_a_caller_without_a_number_has_a_note_instead(self, caller: str, note: str) -> None:
        start = read_voice(form(VOICE, From=caller))
        assert isinstance(start, StartCall)
        assert start.hints == Hints(dnis="+14155550199", ani_note=note)

    @pytest.mark.parametrize(
        ("to", "dnis"),
        [("", None), (" ", None), ("sip:100@example.com", "sip:100@example.com"), ("client:bob", "client:bob")],
    )
    def test_whatever_was_dialed_is_taken(self, to: str, dnis: str | None) -> None:
        start = read_voice(form(VOICE, To=to))
        assert isinstance(start, StartCall)
        assert start.hints.dnis == dnis

    def test_a_webhook_without_to_or_direction_starts_a_call(self) -> None:
        start = read_voice([("CallSid", SID)])
        assert start == StartCall(SID, Hints(ani_note="missing"), Origin.TWILIO)

    @pytest.mark.parametrize("direction", ["outbound-api", "outbound-dial", "Inbound"])
    def test_a_call_we_made_starts_nothing(self, direction: str) -> None:
        assert read_voice(form(VOICE, Direction=direction)) == Unusable("not inbound")

    def test_a_child_leg_starts_nothing(self) -> None:
        assert read_voice(form(VOICE, ParentCallSid="CA" + "1" * 32)) == Unusable("child leg")
        assert isinstance(read_voice(form(VOICE, ParentCallSid="")), StartCall)

    @pytest.mark.parametrize(
        "verstat",
        ["TN-Validation-Failed"]
        + [f"TN-Validation-Failed-{level}{way}" for level in "ABC" for way in ("", "-Diverted", "-Passthrough")]
        + ["TN-Validation-Failed-D", "TN-Validation-Failed-A-Diverted-Passthrough"],
    )
    def test_a_spoofed_number_is_no_evidence(self, verstat: str) -> None:
        start = read_voice(form(VOICE, StirVerstat=verstat))
        assert isinstance(start, StartCall)
        assert start.hints == Hints(dnis="+14155550199", ani_note="caller_id_failed")

    @pytest.mark.parametrize(
        "verstat",
        ["", "TN-Validation-Passed-A", "TN-Validation-Passed-C-Diverted", "No-TN-Validation", "NULL", "tn-failed"],
    )
    def test_any_other_validation_is_neutral(self, verstat: str) -> None:
        start = read_voice(form(VOICE, StirVerstat=verstat))
        assert isinstance(start, StartCall)
        assert start.hints.ani == "+14155550123"

    def test_a_withheld_number_stays_withheld_when_validation_failed(self) -> None:
        start = read_voice(form(VOICE, From="+266696687", StirVerstat="TN-Validation-Failed"))
        assert isinstance(start, StartCall)
        assert start.hints.ani_note == "withheld"

    @pytest.mark.parametrize("name", ["ForwardedFrom", "CalledVia"])
    @pytest.mark.parametrize("through", ["+14155550177", "0014155550177000000000", "sip:pbx@example.com"])
    def test_a_call_that_was_sent_on_is_known_as_forwarded(self, name: str, through: str) -> None:
        start = read_voice([*form(VOICE), (name, through), (name, through)])
        assert isinstance(start, StartCall)
        assert start.hints == Hints(ani="+14155550123", dnis="+14155550199", forwarded=True)

    def test_an_empty_forwarding_is_none(self) -> None:
        assert read_voice(form(VOICE, ForwardedFrom="", CalledVia=" ")) == read_voice(form(VOICE))

    @pytest.mark.parametrize("name", ["ForwardedFrom", "CalledVia"])
    def test_the_number_of_the_telephone_that_sent_it_on_is_not_the_callers(self, name: str) -> None:
        start = read_voice(form(VOICE, **{name: " +14155550123"}))
        assert isinstance(start, StartCall)
        assert start.hints == Hints(dnis="+14155550199", ani_note="caller_id_forwarded", forwarded=True)

    def test_a_spoofed_number_stays_spoofed_when_it_was_forwarded(self) -> None:
        start = read_voice(form(VOICE, StirVerstat="TN-Validation-Failed", ForwardedFrom="+14155550123"))
        assert isinstance(start, StartCall)
        assert (start.hints.ani, start.hints.ani_note) == (None, "caller_id_failed")

    def test_unknown_fields_change_nothing(self) -> None:
        odd = [("", ""), ("foo", "x" * 100_000), ("foo", "\x00"), ("from", "+14155550100"), ("\ud800", "\ud800")]
        assert read_voice([*odd, *form(VOICE), *odd]) == read_voice(form(VOICE))


class TestStatus:
    def test_a_terminal_status_ends_the_call(self) -> None:
        hints = Hints(ani="+14155550123", dnis="+14155550199")
        assert read_status(form(STATUS), NOW) == HangUp(SID, hints, THEN, 35)

    def test_the_recorded_callback_is_read_in_seconds_not_minutes(self) -> None:
        end = read_status(PAYLOADS["status_inbound_completed_same_call_2020"], NOW)
        assert isinstance(end, HangUp)
        assert (end.call_id, end.at, end.duration_seconds) == ("CA7c382bcc7f9cce2af04d2b86deef154c", THEN, 35)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("child_leg_answered_same_call_2020", "child leg"),
            ("status_outbound_busy_486_2022", "not inbound"),
            ("status_outbound_no_answer_client_2020", "not inbound"),
            ("status_outbound_completed_200_2022", "not inbound"),
            ("status_outbound_initiated_2021", "not inbound"),
            ("dial_action_no_answer", "not terminal"),
            ("gather_digits_post_in", "not terminal"),
            ("incoming_us_callername_blank_2020", "not terminal"),
        ],
    )
    def test_no_other_recorded_callback_ends_a_call(self, name: str, reason: str) -> None:
        assert read_status(PAYLOADS[name], NOW) == Ignored(reason)

    @pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
    def test_every_terminal_status_ends_the_call(self, status: str) -> None:
        assert isinstance(read_status(form(STATUS, CallStatus=status), NOW), HangUp)

    @pytest.mark.parametrize("status", ["", "queued", "initiated", "ringing", "in-progress", "answered", "Completed"])
    def test_no_other_status_does(self, status: str) -> None:
        assert read_status(form(STATUS, CallStatus=status), NOW) == Ignored("not terminal")

    def test_without_a_status_nothing_ends(self) -> None:
        assert read_status(form(VOICE), NOW) == Ignored("not terminal")

    def test_a_completed_child_leg_ends_nothing(self) -> None:
        child = form(STATUS, ParentCallSid="CA" + "1" * 32, Direction="inbound")
        assert read_status(child, NOW) == Ignored("child leg")

    @pytest.mark.parametrize(
        ("source", "ends"), [("call-progress-events", True), ("", True), ("something-else", False)]
    )
    def test_only_call_progress_counts(self, source: str, ends: bool) -> None:
        assert isinstance(read_status(form(STATUS, CallbackSource=source), NOW), HangUp) is ends

    def test_without_a_direction_it_is_ours(self) -> None:
        assert isinstance(read_status(form(STATUS, Direction=""), NOW), HangUp)

    @pytest.mark.parametrize(
        ("timestamp", "at"),
        [
            ("Sat, 08 Aug 2020 03:26:02 +0000", THEN),
            ("Sat, 08 Aug 2020 05:26:02 +0200", THEN),
            ("Sat, 08 Aug 2020 03:26:02 GMT", THEN),
            ("Sat, 08 Aug 2020 03:26:02 -0000", THEN),
            ("08 Aug 2020 03:26:02", THEN),
            ("Sat, 08 Aug 2020 03:27:02 +0000", NOW),
            ("Sat, 08 Aug 2020 03:27:03 +0000", NOW),
            ("Sat, 08 Aug 2099 03:26:02 +0000", NOW),
            ("Thu, 01 Jan 1970 00:00:00 +0000", NOW),
            ("Wed, 31 Dec 1969 23:59:59 +0000", NOW),
            ("Fri, 31 Dec 9999 23:59:59 -2359", NOW),
            ("Sat, 08 Aug 99999999999999999999 03:26:02 +0000", NOW),
            ("Sat, 32 Aug 2020 25:61:61 +9999", NOW),
            ("2020-08-08T03:26:02Z", NOW),
            ("1596857162", NOW),
            ("", NOW),
            (",", NOW),
        ],
    )
    def test_it_ended_when_twilio_says_but_not_in_the_future(self, timestamp: str, at: int) -> None:
        end = read_status(form(STATUS, Timestamp=timestamp), NOW)
        assert isinstance(end, HangUp)
        assert end.at == at

    def test_without_a_timestamp_it_ended_now(self) -> None:
        end = read_status([("CallSid", SID), ("CallStatus", "completed")], NOW)
        assert end == HangUp(SID, Hints(ani_note="missing"), NOW, None)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("0", 0), ("35", 35), ("999999", 999_999)]
        + [(odd, None) for odd in ("1000000", "", "-1", "3.5", "٣٥", "35 ", "1e3")],
    )
    def test_a_duration_is_whole_seconds_or_unknown(self, text: str, seconds: int | None) -> None:
        end = read_status(form(STATUS, CallDuration=text), NOW)
        assert isinstance(end, HangUp)
        assert end.duration_seconds == seconds

    def test_minutes_are_not_taken_for_seconds(self) -> None:
        fields = [field for field in form(STATUS, Duration="1") if field[0] != "CallDuration"]
        end = read_status(fields, NOW)
        assert isinstance(end, HangUp)
        assert end.duration_seconds is None

    @given(
        st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [+-]?\d{1,6}")
    )
    def test_no_timestamp_breaks_anything(self, timestamp: str) -> None:
        end = read_status(form(STATUS, Timestamp=timestamp), NOW)
        assert isinstance(end, Ignored) or 0 < end.at <= NOW


class TestMalformed:
    @pytest.mark.parametrize("name", USED)
    @pytest.mark.parametrize("value", ["x" * 1_025, "a\x00b", "a\nb", "\x7f", "\x9f", "\ud800"], ids=ascii)
    def test_a_field_we_use_that_cannot_be_kept_makes_the_form_unusable(self, name: str, value: str) -> None:
        assert read_voice(form(VOICE, **{name: value})) == Unusable(f"malformed: {name}")
        assert read_status(form(STATUS, **{name: value}), NOW) == Ignored(f"malformed: {name}")

    @pytest.mark.parametrize("name", ["To", "From", "StirVerstat", "AccountSid"])
    def test_1024_characters_are_not_too_many(self, name: str) -> None:
        assert isinstance(read_voice(form(VOICE, **{name: "é" * 1_024})), StartCall)

    @pytest.mark.parametrize("name", USED)
    def test_a_field_we_use_given_twice_is_told(self, name: str) -> None:
        twice = [(name, "a"), (name, "a")]
        rest = [field for field in form(STATUS) if field[0] != name]
        assert duplicated(rest) == ()
        assert duplicated(rest + twice) == (name,)

    def test_a_field_we_do_not_use_may_be_given_twice(self) -> None:
        assert duplicated([*form(VOICE), ("foo", "1"), ("foo", "2"), ("Duration", "1"), ("Duration", "1")]) == ()

    def test_names_given_twice_are_listed_in_order(self) -> None:
        assert duplicated(form(VOICE) * 2) == ("AccountSid", "CallSid", "Direction", "From", "To")

    @given(st.lists(st.tuples(st.sampled_from(USED) | st.text(max_size=5), st.text(max_size=40))))
    def test_no_form_raises(self, fields: list[tuple[str, str]]) -> None:
        assert isinstance(read_voice([("CallSid", SID), *fields]), (StartCall, Unusable))
        assert isinstance(read_status([("CallSid", SID), *fields], NOW), (HangUp, Ignored))
        distrust(line(strict_caller_id=True), fields, Hints())

    def test_a_reason_shows_no_value(self) -> None:
        reading = read_voice(form(VOICE, From="+14155550123\x00"))
        assert isinstance(reading, Unusable)
        assert "4155550123" not in reading.reason


class TestLine:
    LINES = (
        line(),
        line(number="+14155550199"),
        line(account=ACCOUNT),
        line(ACCOUNT, "+14155550199"),
        line(ACCOUNT, "+14155550199", strict_caller_id=True),
    )

    @pytest.mark.parametrize(
        ("account", "to", "place"),
        [
            (ACCOUNT, "+14155550199", 3),
            (ACCOUNT, "+14155550100", 2),
            ("AC1", "+14155550199", 1),
            ("AC1", "+14155550100", 0),
            ("", "", 0),
            ("*", "*", 0),
        ],
    )
    def test_the_most_specific_line_takes_the_call(self, account: str, to: str, place: int) -> None:
        assert line_for(self.LINES, account, to) is self.LINES[place]

    def test_the_account_is_more_specific_than_the_number(self) -> None:
        lines = (line(number="+14155550199"), line(account=ACCOUNT))
        assert line_for(lines, ACCOUNT, "+14155550199") is lines[1]

    @pytest.mark.parametrize(
        ("to", "place"),
        [
            ("+14155550199", 3),
            ("+14155550100", 2),
            ("+14150000000", 2),
            ("+1415", 2),
            ("+14165550199", 1),
            ("+1", 1),
            ("+441632960000", 0),
            ("sip:+1415@example.com", 0),
            ("", 0),
        ],
    )
    def test_the_longest_pattern_takes_the_call_that_no_exact_number_takes(self, to: str, place: int) -> None:
        lines = tuple(line(number=number) for number in ("*", "+1*", "+1415*", "+14155550199"))
        assert line_for(lines, ACCOUNT, to) is lines[place]
        assert line_for(lines[::-1], ACCOUNT, to) is lines[place]

    def test_an_accounts_pattern_goes_before_anybodys_exact_number(self) -> None:
        lines = (line(number="+14155550199"), line(account=ACCOUNT, number="+1*"))
        assert line_for(lines, ACCOUNT, "+14155550199") is lines[1]

    @pytest.mark.parametrize(
        "to",
        [
            "sip:+14155550199@acme.sip.twilio.com",
            "sips:+14155550199@acme.sip.twilio.com:5061",
            "sip:+14155550199;user=phone@acme.sip.twilio.com",
            "tel:+14155550199",
            "whatsapp:+14155550199",
        ],
    )
    def test_who_does_not_dial_a_number_dials_the_one_in_the_address(self, to: str) -> None:
        exact, anybody = line(number="+14155550199"), line(number="*")
        assert line_for((anybody, exact), ACCOUNT, to) is exact

    @pytest.mark.parametrize(
        "to",
        [
            "sip:desk@acme.sip.twilio.com",
            "sip:14155550199@acme.sip.twilio.com",
            "client:+14155550199",
            "",
            "sip:+1@x",
            "tel:+14155550199x",
        ],
    )
    def test_what_has_no_number_in_it_is_taken_by_a_line_for_any(self, to: str) -> None:
        exact, anybody = line(number="+14155550199"), line(number="*")
        assert line_for((exact, anybody), ACCOUNT, to) is anybody
        assert line_for((exact,), ACCOUNT, to) is None

    def test_only_a_star_at_the_end_is_a_pattern(self) -> None:
        assert line_for((line(number="+1*5"),), ACCOUNT, "+14155") is None

    def test_a_line_is_found_by_its_key_if_it_is_one_of_the_accounts(self) -> None:
        for each in self.LINES:
            assert line_of(self.LINES[:4], ACCOUNT, each.key) is not None
        assert line_of(self.LINES, "AC1", self.LINES[0].key) is self.LINES[0]
        assert line_of(self.LINES, "AC1", self.LINES[3].key) is None
        assert line_of(self.LINES, ACCOUNT, "") is None

    def test_another_accounts_line_does_not_take_it(self) -> None:
        assert line_for((line(ACCOUNT, "+14155550199"),), "AC1", "+14155550199") is None
        assert line_for((), ACCOUNT, "+14155550199") is None


class TestStrictCallerId:
    def test_a_line_that_is_not_strict_may_always_greet_by_name(self) -> None:
        assert distrust(line(), [], Hints(forwarded=True)) is None
        assert distrust(line(), [("StirVerstat", "TN-Validation-Passed-C")], Hints()) is None

    def test_a_strict_line_wants_the_carriers_word(self) -> None:
        fields = form(VOICE, StirVerstat="TN-Validation-Passed-A")
        assert distrust(line(strict_caller_id=True), fields, Hints(forwarded=True)) is None

    @pytest.mark.parametrize(
        "verstats",
        [
            [],
            [""],
            ["TN-Validation-Passed-B"],
            ["TN-Validation-Passed-C"],
            ["TN-Validation-Passed-A-Diverted"],
            ["TN-Validation-Passed-A-Passthrough"],
            ["tn-validation-passed-a"],
            [" TN-Validation-Passed-A"],
            ["TN-Validation-Failed-A"],
            ["No-TN-Validation"],
            ["NULL"],
            ["TN-Validation-Passed-A", "TN-Validation-Passed-A"],
            ["TN-Validation-Passed-A", "TN-Validation-Failed"],
        ],
    )
    def test_a_strict_line_takes_nothing_else_for_it(self, verstats: list[str]) -> None:
        fields = [("StirVerstat", verstat) for verstat in verstats]
        assert distrust(line(strict_caller_id=True), fields, Hints()) is Distrust.NOT_ATTESTED
