"""Line types are looked up behind the greeting: nobody waits, nothing is asked twice, no failure is the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import responses
from flask import Flask

from adapter import app as wiring
from adapter import lookups
from adapter.config import Config, TwilioAccount
from adapter.engine.model import LineType, Mode, Principal
from adapter.errors import StoreUnavailable
from adapter.lookups import LineTypeLookups
from adapter.twilio.lookup import Lookup
from adapter.usecases import Service
from tests.builders import ACCOUNT, AUTH_TOKEN, Api, ToldClock, Twilio, a_config, a_line, a_twilio, call_sid

ANI = "+14155550123"
URL = "https://lookups.twilio.com/v2/PhoneNumbers/{}"
WANTED = a_line(look_up_line_type=True)
PATIENCE = 30.0  # seconds until a test gives up


class Asked(Lookup):
    """Answers by hand: each question waits until it is answered, or answers itself when `found` is given."""

    def __init__(self, found: LineType | Callable[[], LineType | None] | None = None, wait: bool = False) -> None:
        super().__init__({ACCOUNT: (AUTH_TOKEN,)})
        self.found = found
        self.questions: list[tuple[str, str]] = []
        self.asked = threading.Semaphore(0)
        self.answer = threading.Event()
        if not wait:
            self.answer.set()

    def line_type(self, account: str, number: str) -> LineType | None:
        self.questions.append((account, number))
        self.asked.release()
        assert self.answer.wait(PATIENCE)
        return self.found() if callable(self.found) else self.found


@pytest.fixture
def principal(service: Service) -> Principal:
    found = service.directory.principal("acme", Mode.PROD)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _known(api: Api) -> None:
    api.start("call-1", ani=ANI)


def sources(api: Api, call_id: str, ani: str = ANI) -> list[str]:
    found: list[str] = api.start(call_id, ani=ani).json["identity"]["sources"]
    return found


class TestTheThread:
    def test_an_offered_number_is_asked_about_and_the_answer_remembered(
        self, service: Service, principal: Principal, api: Api
    ) -> None:
        asked = Asked(LineType.MOBILE)
        work = LineTypeLookups(service, asked)
        work.offer(WANTED, ACCOUNT, principal, ANI)
        work.drain()
        assert asked.questions == [(ACCOUNT, ANI)]
        assert "ani:mobile" in sources(api, "call-2")

    def test_a_line_that_does_not_want_it_looks_nothing_up(self, service: Service, principal: Principal) -> None:
        asked = Asked(LineType.MOBILE)
        work = LineTypeLookups(service, asked)
        work.offer(a_line(), ACCOUNT, principal, ANI)
        work.drain()
        assert asked.questions == []

    def test_an_account_without_credentials_is_not_asked(self, service: Service, principal: Principal) -> None:
        asked = Asked(LineType.MOBILE)
        work = LineTypeLookups(service, asked)
        work.offer(replace(WANTED, account="*"), "AC" + "b" * 32, principal, ANI)
        work.drain()
        assert asked.questions == []

    def test_the_account_of_the_webhook_is_asked_on_a_line_of_any_account(
        self, service: Service, principal: Principal
    ) -> None:
        asked = Asked(LineType.MOBILE)
        work = LineTypeLookups(service, asked)
        work.offer(replace(WANTED, account="*"), ACCOUNT, principal, ANI)
        work.drain()
        assert asked.questions == [(ACCOUNT, ANI)]

    def test_a_number_in_flight_is_not_asked_about_again(self, service: Service, principal: Principal) -> None:
        asked = Asked(None, wait=True)
        work = LineTypeLookups(service, asked)
        work.offer(WANTED, ACCOUNT, principal, ANI)
        assert asked.asked.acquire(timeout=PATIENCE)
        work.offer(WANTED, ACCOUNT, principal, ANI)
        asked.answer.set()
        work.drain()
        assert len(asked.questions) == 1

    def test_a_number_is_asked_about_again_when_there_was_no_answer(
        self, service: Service, principal: Principal
    ) -> None:
        asked = Asked(None)
        work = LineTypeLookups(service, asked)
        for _ in range(2):
            work.offer(WANTED, ACCOUNT, principal, ANI)
            work.drain()
        assert len(asked.questions) == 2

    def test_an_answer_is_not_asked_for_again_for_thirty_days(
        self, service: Service, principal: Principal, clock: ToldClock
    ) -> None:
        asked = Asked(LineType.UNKNOWN)
        work = LineTypeLookups(service, asked)
        for days in (0, 29, 1):
            clock.advance(days=days)
            work.offer(WANTED, ACCOUNT, principal, ANI)
            work.drain()
        assert len(asked.questions) == 2

    def test_what_is_too_much_is_dropped(self, service: Service, principal: Principal, api: Api) -> None:
        numbers = [f"+1415555000{digit}" for digit in range(5)]
        for digit, number in enumerate(numbers):
            api.start(f"call-{digit}-of-many", ani=number)
        asked = Asked(LineType.MOBILE, wait=True)
        work = LineTypeLookups(service, asked, most_waiting=2)
        work.offer(WANTED, ACCOUNT, principal, numbers[0])
        assert asked.asked.acquire(timeout=PATIENCE)
        for number in numbers[1:]:
            work.offer(WANTED, ACCOUNT, principal, number)
        asked.answer.set()
        work.drain()
        assert [number for _, number in asked.questions] == numbers[:3]
        work.offer(WANTED, ACCOUNT, principal, numbers[4])
        work.drain()
        assert asked.questions[3:] == [(ACCOUNT, numbers[4])]

    @pytest.mark.parametrize(
        ("error", "logged"),
        [
            (StoreUnavailable(f"{ANI} is away"), "line type not looked up: store_unavailable"),
            (ZeroDivisionError(ANI), "looking up a line type failed: ZeroDivisionError"),
        ],
    )
    def test_whatever_breaks_the_next_number_is_looked_up(
        self,
        service: Service,
        principal: Principal,
        caplog: pytest.LogCaptureFixture,
        error: Exception,
        logged: str,
    ) -> None:
        def fail() -> LineType | None:
            raise error

        asked = Asked(fail)
        work = LineTypeLookups(service, asked)
        with caplog.at_level(logging.INFO):
            for _ in range(2):
                work.offer(WANTED, ACCOUNT, principal, ANI)
                work.drain()
        assert [record.getMessage() for record in caplog.records] == [logged] * 2
        assert len(asked.questions) == 2

    def test_a_machine_without_threads_greets_all_the_same(
        self, service: Service, principal: Principal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = Asked(LineType.MOBILE)
        work = LineTypeLookups(service, asked)
        with monkeypatch.context() as patched:
            patched.setattr(lookups.threading.Thread, "start", _no_more_threads)
            work.offer(WANTED, ACCOUNT, principal, ANI)
        work.offer(WANTED, ACCOUNT, principal, ANI)
        work.drain()
        assert len(asked.questions) == 1

    def test_no_thread_is_started_before_there_is_work(self, service: Service, principal: Principal) -> None:
        before = threading.active_count()
        work = LineTypeLookups(service, Asked())
        work.offer(a_line(), ACCOUNT, principal, ANI)
        assert threading.active_count() == before


def _no_more_threads(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


class TestBehindTheWebhook:
    """The whole way: webhook, thread, Twilio's client, store."""

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> list[LineTypeLookups]:
        made: list[LineTypeLookups] = []

        def make(service: Service, lookup: Lookup) -> LineTypeLookups:
            made.append(LineTypeLookups(service, lookup))
            return made[-1]

        monkeypatch.setattr(wiring, "LineTypeLookups", make)
        return made

    @pytest.fixture
    def config(self, tmp_path: Path, made: list[LineTypeLookups]) -> Config:
        any_account = (TwilioAccount(ACCOUNT, (AUTH_TOKEN,)), TwilioAccount("*", (AUTH_TOKEN,)))
        lines = (replace(WANTED, account="*"), a_line(number="+14155550101"))
        return a_config(tmp_path, lines=lines, twilio=a_twilio(*any_account))

    @pytest.fixture
    def lookup_api(self) -> Iterator[responses.RequestsMock]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            yield mock

    def test_a_caller_is_greeted_before_twilio_has_answered(
        self, twilio: Twilio, api: Api, made: list[LineTypeLookups], lookup_api: responses.RequestsMock
    ) -> None:
        asked, answer = threading.Event(), threading.Event()

        def slowly(_: object) -> tuple[int, dict[str, str], str]:
            asked.set()
            assert answer.wait(PATIENCE)
            return 200, {}, '{"valid": true, "line_type_intelligence": {"type": "mobile"}}'

        lookup_api.add_callback(responses.GET, URL.format(ANI), slowly)
        assert twilio.voice(call_sid(1), ANI).status_code == 200
        assert asked.wait(PATIENCE)
        assert twilio.voice(call_sid(2), ANI).status_code == 200  # while Twilio is still thinking
        assert not answer.is_set()
        answer.set()
        made[0].drain()
        assert "ani:mobile" in sources(api, "call-2")
        assert len(lookup_api.calls) == 1

    @pytest.mark.parametrize(
        ("caller", "fields"),
        [
            pytest.param("anonymous", {}, id="a withheld number"),
            pytest.param(ANI, {"StirVerstat": "TN-Validation-Failed"}, id="a spoofed number"),
            pytest.param(ANI, {"To": "+14155550101"}, id="a line that does not want it"),
            pytest.param(ANI, {"AccountSid": "AC" + "b" * 32}, id="an account without a token of its own"),
            pytest.param(ANI, {"CallSid": "nonsense"}, id="a webhook that is none"),
        ],
    )
    def test_nothing_is_asked_of(
        self,
        twilio: Twilio,
        made: list[LineTypeLookups],
        lookup_api: responses.RequestsMock,
        caller: str,
        fields: dict[str, str],
    ) -> None:
        lookup_api.get(URL.format(ANI), json={})
        assert twilio.post("voice", **{"CallSid": call_sid(1), "From": caller, **fields}).status_code == 200
        made[0].drain()
        assert len(lookup_api.calls) == 0

    def test_a_failing_look_up_changes_nothing_for_the_caller(
        self, app: Flask, twilio: Twilio, made: list[LineTypeLookups], lookup_api: responses.RequestsMock
    ) -> None:
        lookup_api.get(URL.format(ANI), status=500)
        first = twilio.voice(call_sid(1), ANI)
        made[0].drain()
        second = twilio.voice(call_sid(2), ANI)
        made[0].drain()
        assert first.status_code == second.status_code == 200
        assert len(lookup_api.calls) == 2
