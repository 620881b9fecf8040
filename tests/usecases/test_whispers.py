"""What who answers is told before the caller is connected."""

from __future__ import annotations

import pytest

from adapter.engine.flow import Whispered
from adapter.engine.line import Destination, DestinationKind
from adapter.usecases import whispered
from tests import databases
from tests.builders import AGENTS, Api, a_line
from tests.usecases.conftest import Calling
from tests.usecases.phone import Phone, by_pin

WHISPERING = Destination(DestinationKind.DIAL, AGENTS, whisper=True, accept=True)


@pytest.fixture
def phone(calling: Calling, maria: str) -> Phone:
    """Maria, verified, is being put through by step 2."""
    phone = calling(by_pin(menu=None, destination=WHISPERING))
    phone.call("call-1")
    phone.presses("call-1", "4711")
    return phone


def told(phone: Phone, call_id: str = "call-1", number: int = 2) -> Whispered | None:
    return whispered(phone.service, phone.principal, phone.line, call_id, number)


def test_who_answers_is_told_who_calls(phone: Phone) -> None:
    whisper = told(phone)
    assert whisper is not None
    assert (whisper.says[0].text, whisper.accept) == ("whisper", True)
    facts = whisper.says[0].facts
    assert (facts["name"], facts["verified"]) == ("Maria Lopez", 1)


def test_who_answers_is_not_told_what_the_caller_may_not_hear(calling: Calling, maria: str) -> None:
    phone = calling(a_line(destination=WHISPERING))
    phone.call("call-1")
    whisper = told(phone, number=1)
    assert whisper is not None
    assert whisper.says[0].facts["name"] is None


@pytest.mark.parametrize(("call_id", "number"), [("call-1", 1), ("call-1", 3), ("nobody", 2), ("of-the-api", 1)])
def test_of_another_step_or_call_nothing_is_told(api: Api, phone: Phone, call_id: str, number: int) -> None:
    api.start("of-the-api", ani="+14155550124")
    assert told(phone, call_id, number) is None


def test_nothing_is_written(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError

    databases.replace_in_stores(monkeypatch, "begin", forbidden)
    assert told(phone) is not None
