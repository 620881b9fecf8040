"""Callers who follow a script: which item is used when, and what happens when it does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.replay import (
    BUSY,
    HANG_UP,
    SILENCE,
    Answered,
    Handover,
    Heard,
    Keys,
    Message,
    Question,
    Role,
    Script,
    ScriptError,
    Speech,
    answered,
    declined,
    mailbox,
    speech,
)

QUESTION = Question(Role.CALLER, "Well?", keys=True, speech=True)
HANDOVER = Handover("number", "+14155550199")
HEARD = Heard(Role.CALLER, "Hello there.")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12#", Keys("12#")),
        ("refund please", Speech("refund please")),
        ("", Speech("")),
        (speech("1"), Speech("1")),
        (SILENCE, SILENCE),
    ],
)
def test_text_is_keys_or_words(written: Any, meant: Any) -> None:
    assert Script(written).asked(QUESTION) == meant


def test_items_are_used_one_after_the_other_and_then_the_caller_hangs_up() -> None:
    script = Script("1", SILENCE)
    assert [script.asked(QUESTION) for _ in range(3)] == [Keys("1"), SILENCE, HANG_UP]
    assert not script.left


def test_when_it_rings_an_agent_answers_unless_the_script_says_otherwise() -> None:
    assert Script("1").rings(HANDOVER) == answered()
    assert Script(BUSY).rings(HANDOVER) is BUSY
    assert Script(HANG_UP).rings(HANDOVER) is HANG_UP


def test_a_recording_gets_a_message_unless_the_script_says_otherwise() -> None:
    assert Script("1").records(QUESTION) == Message()
    assert Script(Message(3)).records(QUESTION) == Message(3)
    assert Script(SILENCE).records(QUESTION) is SILENCE


def test_a_question_where_the_script_awaits_a_hand_over_is_told() -> None:
    with pytest.raises(ScriptError, match="Well"):
        Script(BUSY).asked(QUESTION)


def test_what_was_not_needed_is_left() -> None:
    assert Script("1", BUSY).left == (Keys("1"), BUSY)


def test_hanging_up_while_listening() -> None:
    assert Script().hears(HEARD) is None
    assert Script(hangs_up_hearing="there").hears(HEARD) is HANG_UP
    assert Script(hangs_up_hearing="").hears(HEARD) is HANG_UP
    assert Script(hangs_up_hearing="else").hears(HEARD) is None


def test_who_answers() -> None:
    assert [answered("2", HANG_UP).agent.asked(QUESTION) for _ in range(1)] == [Keys("2")]
    agent = answered().agent
    assert [agent.asked(QUESTION), agent.asked(QUESTION)] == [Keys("1"), SILENCE]
    assert mailbox().agent.asked(QUESTION) is SILENCE
    assert declined().agent.hears(HEARD) is HANG_UP


def test_an_outcome_can_be_used_in_several_scripts() -> None:
    outcome = answered("1")
    for _ in range(2):
        found = Script(outcome).rings(HANDOVER)
        assert isinstance(found, Answered)
        assert found.agent.asked(QUESTION) == Keys("1")


@pytest.mark.parametrize("keys", ["", "A", "1 2", "\uff11"])
def test_a_telephone_has_twelve_keys(keys: str) -> None:
    with pytest.raises(ValueError, match="telephone"):
        Keys(keys)
