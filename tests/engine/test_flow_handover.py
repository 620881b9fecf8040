"""Putting through: the destination of an intent, what goes along, what follows an outcome, what is whispered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.flow import (
    CALLBACK_INTENT,
    HandOver,
    HangUp,
    Known,
    Record,
    Step,
    Whispered,
    go_on,
    hear,
    resumable,
    whisper,
)
from adapter.engine.flow.handover import destination_of
from adapter.engine.line import (
    DEFAULT,
    Destination,
    DestinationKind,
    Disclosure,
    DisclosureRules,
    Escalation,
    IntentRule,
)
from adapter.engine.model import Call, Outcome, Place, Talk
from tests.builders import NOW, a_line
from tests.engine.talks import (
    CALL,
    CONFIRM,
    DESTINATIONS,
    IGNORE,
    REUSE,
    a_caller,
    a_full_line,
    a_memory,
    a_talk,
    a_turn,
    an_intent,
    facts,
    texts,
)

LINE = a_full_line()
ESCALATING = (Escalation(2, "sales"), Escalation(4, "seniors"))


def context(step: Step) -> dict[str, str]:
    assert isinstance(step.then, HandOver)
    return dict(step.then.context)


class TestDestination:
    @pytest.mark.parametrize(
        ("attempts", "goes_to"),
        [(None, "billing"), (1, "sales"), (2, "sales"), (3, "seniors"), (9, "seniors")],
        ids=["first call", "second", "third", "fourth", "tenth"],
    )
    def test_is_escalated_by_the_ordinal_of_the_call(self, attempts: int | None, goes_to: str) -> None:
        line = a_full_line(intents={"refund": IntentRule("billing", escalate=ESCALATING)})
        memory = a_memory(*([an_intent("refund", attempts)] if attempts else []))
        known = a_caller(line, REUSE, memory=memory)
        assert destination_of(line, a_talk(Place.MENU, intent="refund"), known) == goes_to

    @pytest.mark.parametrize(
        ("last_call", "attempt_of", "goes_to"),
        [
            ("another", "", "seniors"),
            (CALL, "", "billing"),
            ("first", "first", "billing"),
            ("another", "first", "seniors"),
        ],
    )
    def test_a_call_taken_up_again_is_the_same_attempt(self, last_call: str, attempt_of: str, goes_to: str) -> None:
        known = a_caller(LINE, REUSE, memory=a_memory(an_intent("refund", 2, last_call)))
        assert destination_of(LINE, a_talk(Place.MENU, intent="refund", attempt_of=attempt_of), known) == goes_to

    def test_what_may_not_be_told_does_not_count(self) -> None:
        known = a_caller(LINE, CONFIRM, memory=a_memory(an_intent("refund", 9)))
        assert destination_of(LINE, a_talk(Place.MENU, intent="refund"), known) == "billing"

    @pytest.mark.parametrize(
        ("intent", "rules"),
        [
            pytest.param("", {}, id="no intent"),
            pytest.param("refund", {}, id="no rule"),
            pytest.param("refund", {"refund": IntentRule()}, id="a rule without a destination"),
            pytest.param("refund", {"refund": IntentRule("closed")}, id="a destination configured no more"),
            pytest.param(
                "refund", {"refund": IntentRule("sales", escalate=(Escalation(1, "closed"),))}, id="escalated"
            ),
        ],
    )
    def test_is_the_lines_own_without_another(self, intent: str, rules: dict[str, IntentRule]) -> None:
        line = a_full_line(intents=rules)
        assert destination_of(line, a_talk(Place.MENU, intent=intent), a_caller(line)) == DEFAULT


class TestContext:
    def hand_over(self, known: Known, line: Any = LINE, **talk: Any) -> dict[str, str]:
        visited = (Place.MENU,)
        line = replace(line, destination=DESTINATIONS["seniors"])
        _, step = go_on(line, a_talk(Place.MENU, visited=visited, **talk), known, NOW)
        return context(step)

    @pytest.mark.parametrize("kind", DestinationKind)
    def test_is_made_only_for_what_can_carry_it(self, kind: DestinationKind) -> None:
        line = replace(LINE, destination=Destination(kind, "target"), menu=None)
        _, step = go_on(line, a_talk(Place.MENU), a_caller(LINE, REUSE), NOW)
        carried = isinstance(step.then, HandOver) and bool(step.then.context)
        assert carried is (kind.value in {"sip", "client", "workflow", "relay", "stream", "redirect"})

    def test_a_call_that_another_application_takes_over_is_over(self) -> None:
        """Nothing is heard of it any more, so nobody was cut off who rings back."""
        line = replace(LINE, destination=Destination(DestinationKind.REDIRECT, "https://example.com/"), menu=None)
        talk, step = go_on(line, a_talk(Place.MENU), a_caller(LINE, REUSE), NOW)
        assert isinstance(step.then, HandOver)
        assert talk.place is Place.OVER
        assert talk.tried == ("",)
        call = Call("before", NOW, hung_up_at=NOW, talk=talk)
        assert resumable(line, call, NOW) is None

    def test_names_what_is_most_important_first(self) -> None:
        known = a_caller(LINE, REUSE, verified=True)
        assert list(self.hand_over(known, intent="refund")) == [
            "call_id",
            "customer_ref",
            "recommendation",
            "verified",
            "intent",
            "attempt",
            "name",
            "city",
            "language",
        ]

    def test_says_who_and_what(self) -> None:
        told = self.hand_over(a_caller(LINE, REUSE, verified=True), intent="refund", language="de-DE")
        assert (told["verified"], told["intent"], told["attempt"]) == ("yes", "refund", "3")
        assert (told["name"], told["city"], told["language"]) == ("Maria Miller", "Bonn", "de-DE")

    def test_of_a_newcomer_nothing_is_remembered(self) -> None:
        assert set(self.hand_over(a_caller(LINE, IGNORE))) == {
            "call_id",
            "customer_ref",
            "recommendation",
            "verified",
            "language",
        }

    def test_of_a_probable_caller_only_what_is_public(self) -> None:
        told = self.hand_over(a_caller(LINE, CONFIRM), intent="new_order")
        assert (told["city"], told["attempt"], told["recommendation"]) == ("Bonn", "1", "confirm")
        assert "name" not in told

    def test_mentions_what_may_be_the_reason_unless_the_caller_said_no(self) -> None:
        assert self.hand_over(a_caller(LINE, REUSE))["intent"] == "refund"
        assert self.hand_over(a_caller(LINE, REUSE), offered=("refund",))["intent"] == "new_order"
        assert "intent" not in self.hand_over(a_caller(LINE, REUSE), offered=("refund", "new_order"))

    def test_names_are_such_as_every_channel_takes(self) -> None:
        rules = DisclosureRules({"Shoe Size": Disclosure.PUBLIC, "verified": Disclosure.PUBLIC, "": Disclosure.PUBLIC})
        line = a_full_line(disclosure=rules)
        known = a_caller(line, REUSE, memory=a_memory(**{"Shoe Size": "38", "verified": "yes", "nothing": ""}))
        told = self.hand_over(known, line)
        assert (told["shoe_size"], told["verified"]) == ("38", "no")


class TestAfterwards:
    def after(self, outcome: Outcome | None, *tried: str, **known: Any) -> tuple[Talk, Step]:
        talk = a_talk(Place.HANDED_OVER, destination=tried[-1], tried=tried, turn=4)
        heard = hear(LINE, talk, a_turn(outcome=outcome), (), NOW)
        return go_on(LINE, heard.talk, a_caller(LINE, IGNORE, **known), NOW)

    @pytest.mark.parametrize("outcome", [Outcome.ANSWERED, None])
    def test_somebody_talked_with_the_caller(self, outcome: Outcome | None) -> None:
        talk, step = self.after(outcome, "billing")
        assert (talk.place, step) == (Place.OVER, Step((), HangUp(), 5))

    @pytest.mark.parametrize(
        ("outcome", "tried", "goes_to", "said", "then"),
        [
            (Outcome.NO_ANSWER, ("billing",), "seniors", ["connecting"], HandOver),
            (Outcome.DECLINED, ("seniors",), "billing", ["connecting"], HandOver),
            (Outcome.BUSY, ("seniors",), "", ["connecting"], HandOver),
            (Outcome.FAILED, ("billing",), "mailbox", ["voicemail"], Record),
            (Outcome.NO_ANSWER, ("billing", "seniors"), "callback", ["callback"], HangUp),
        ],
    )
    def test_the_next_destination(
        self, outcome: Outcome, tried: tuple[str, ...], goes_to: str, said: list[str], then: type
    ) -> None:
        talk, step = self.after(outcome, *tried)
        assert (talk.destination, talk.tried, talk.turn) == (goes_to, (*tried, goes_to), 5)
        assert (texts(step), type(step.then)) == (said, then)

    @pytest.mark.parametrize(
        ("outcome", "tried"),
        [
            pytest.param(Outcome.BUSY, ("billing",), id="none named for it"),
            pytest.param(Outcome.BUSY, ("sales",), id="itself"),
            pytest.param(Outcome.DECLINED, ("billing", "seniors"), id="rung before"),
            pytest.param(Outcome.FAILED, ("",), id="the default one has none"),
            pytest.param(Outcome.BUSY, ("", "seniors"), id="the default one, rung before"),
        ],
    )
    def test_nobody_is_left(self, outcome: Outcome, tried: tuple[str, ...]) -> None:
        talk, step = self.after(outcome, *tried)
        assert (talk.place, talk.tried) == (Place.OVER, tried)
        assert (texts(step), step.then) == (["unreached"], HangUp())

    def test_a_promise_to_ring_back_is_kept_as_an_intent(self) -> None:
        talk, _ = self.after(Outcome.NO_ANSWER, "seniors")
        assert talk.opened == (CALLBACK_INTENT,)

    def test_who_has_no_number_is_promised_nothing(self) -> None:
        talk, step = self.after(Outcome.NO_ANSWER, "seniors", has_number=False)
        assert (talk.opened, talk.place, texts(step)) == ((), Place.OVER, ["unreached"])

    @pytest.mark.parametrize(("recorded", "said"), [(True, ["recorded"]), (False, [])])
    def test_a_message_ends_the_call(self, recorded: bool, said: list[str]) -> None:
        heard = hear(LINE, a_talk(Place.VOICEMAIL), a_turn(recorded=recorded), (), NOW)
        talk, step = go_on(LINE, heard.talk, a_caller(LINE), NOW)
        assert (talk.place, texts(step), step.then) == (Place.OVER, said, HangUp())

    def test_what_is_over_stays_over(self) -> None:
        heard = hear(LINE, a_talk(Place.OVER), a_turn(outcome=Outcome.BUSY), (), NOW)
        talk, step = go_on(LINE, heard.talk, a_caller(LINE), NOW)
        assert (talk.place, step.says, step.then) == (Place.OVER, (), HangUp())


class TestWhisper:
    def whispered(self, name: str, known: Known, **talk: Any) -> Whispered | None:
        return whisper(LINE, a_talk(Place.HANDED_OVER, destination=name, tried=(name,), **talk), known)

    def test_tells_who_is_calling_about_what(self) -> None:
        told = self.whispered("sales", a_caller(LINE, REUSE, verified=True), intent="refund")
        assert told is not None
        assert not told.accept
        assert texts(told) == ["whisper"]
        assert facts(told, "whisper") == {
            "name": "Maria Miller",
            "city": "Bonn",
            "intent": "refund",
            "attempt": 3,
            "recommendation": "reuse",
            "verified": 1,
        }

    def test_in_the_lines_language(self) -> None:
        told = self.whispered("sales", a_caller(LINE, REUSE), intent="refund", language="de-DE")
        assert told is not None
        assert (told.says[0].language, facts(told, "whisper")["intent"]) == ("en-US", "refund")

    def test_asks_to_accept(self) -> None:
        told = self.whispered("seniors", a_caller(LINE))
        assert told is not None
        assert (texts(told), told.accept) == (["whisper", "whisper_accept"], True)

    def test_only_asks_to_accept(self) -> None:
        destination = replace(DESTINATIONS["seniors"], whisper=False)
        line = a_line(destinations={"x": destination})
        told = whisper(line, a_talk(Place.HANDED_OVER, destination="x"), a_caller(line))
        assert told is not None
        assert (texts(told), told.accept) == (["whisper_accept"], True)

    def test_of_a_newcomer_there_is_nothing_to_tell(self) -> None:
        told = self.whispered("sales", a_caller(LINE, IGNORE), intent="refund", offered=("refund",))
        assert told is not None
        assert facts(told, "whisper") == {
            "name": None,
            "city": None,
            "intent": None,
            "attempt": None,
            "recommendation": "ignore",
            "verified": 0,
        }

    @pytest.mark.parametrize(
        ("place", "name"), [(Place.HANDED_OVER, "billing"), (Place.OVER, "sales"), (Place.MENU, "sales")]
    )
    def test_nothing_is_told_where_nobody_is_to_hear_it(self, place: Place, name: str) -> None:
        assert whisper(LINE, a_talk(place, destination=name), a_caller(LINE)) is None


def test_a_callback_as_the_lines_only_destination_needs_a_number() -> None:
    line = a_full_line(destination=Destination(DestinationKind.CALLBACK), intents={})
    known = a_caller(line, IGNORE, has_number=False)
    talk, step = go_on(line, a_talk(Place.MENU, visited=(Place.MENU,)), known, NOW)
    assert (talk.opened, texts(step)) == ((), ["unreached"])
