"""For users' own test suites: are recorded calls answered as they were, and do new ones go as they should?

    assert differences(Path("calls.jsonl"), Path("config.yaml")) == []

    with telephone(Path("config.yaml")) as phone:
        assert phone.call("1").handovers[0].target == "billing"

The fixtures of `pytest_plugin` give the same. Leaves out: running servers (`adapter.replay`, `sticky-calls replay`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click import ClickException

from adapter.cli.dialed import Dialed, dialed
from adapter.cli.replay.fresh import Fresh, fresh
from adapter.cli.replay.line import OfNoLine
from adapter.config import Config, load
from adapter.replay import Call, Network, Script, Transcript
from adapter.replay.recording import Answer, Recorded, read
from adapter.replay.rerun import Checked, Rerun, checked, in_order, play

_BEGINS = 1_767_225_600_000  # 2026-01-01T00:00:00Z: the same every time, so that answers are


def differences(recording: Path, config: Path, memory: Path | None = None) -> list[str]:
    """What is answered differently, a sentence each, as "voice of CA…: now says “Hi” instead of “Hello”".

    The calls are played to an app of this configuration, without ADAPTER_ variables, on a store of its own, with the
    recording's clock. `memory`: a database to begin with a copy of. ConfigError; ValueError for a line that cannot be
    read and when there is nothing to compare, OSError for a file that cannot be read.
    """
    found: list[str] = []
    compared = 0
    loaded = load(config, {})
    of_no_line = OfNoLine(loaded)

    def look_at(rerun: Rerun) -> None:
        nonlocal compared
        result = checked(rerun)
        compared += result.compared
        of_no_line.look_at(rerun.recorded)
        found.extend(_told(result))

    with fresh(loaded, memory) as target:
        play(in_order(_whole(recording)), [target], look_at)
    if of_no_line.is_all:
        raise ValueError(f"{recording}: nothing to compare: no line is configured for any of its calls")
    if not compared and not found:
        raise ValueError(f"{recording}: nothing to compare: it has no answers")
    return found


@dataclass(frozen=True, slots=True)
class Replay:
    """`differences` under one configuration."""

    config: Path

    def __call__(self, recording: Path | str, memory: Path | None = None) -> list[str]:
        """See `differences`."""
        return differences(Path(recording), self.config, memory)


@contextmanager
def telephone(config: Path, memory: Path | None = None) -> Iterator[Telephone]:
    """A telephone to an app of this configuration, as `differences` has it. ConfigError."""
    loaded = load(config, {})
    with fresh(loaded, memory) as app:
        app.clock.tell(_BEGINS)
        yield Telephone(app, loaded)


class Telephone:
    """Calls to one app in this process, whose clock stands still but for the seconds that calls take and `passes`."""

    def __init__(self, app: Fresh, config: Config) -> None:
        self._app = app
        self._config = config
        self._saved = 0

    def call(self, *script: Any, caller: str = "+14155550123", dialed: str = "", **call: Any) -> Transcript:
        """A whole call: keys, words, SILENCE, HANG_UP, answered(), BUSY … one after the other (`adapter.replay`).

        `dialed`: "": `number`. `call`: further arguments of `adapter.replay.Call`.
        """
        made = Call(caller, dialed or self.number, **call)
        network = Network(
            self._app.exchange,
            self._app.exchange.public_url,
            self.account_of(made.dialed),
            now=lambda: self._app.clock.now() / 1_000,
            passes=self.passes,
        )
        return network.play(made, Script(*script))

    def send(self, webhook: Recorded) -> Answer:
        """One webhook, signed (`adapter.replay.webhooks` builds them); the answer as it is."""
        answer = self._app.send(webhook).answer
        assert answer is not None, "an app in this process always answers"
        return answer

    def remember(self, caller: str, **saved: Any) -> dict[str, Any]:
        """What an agent saves about a caller, as in POST /v1/calls/end: variables, intent, intent_status, telco …"""
        self._saved += 1
        body = {"call_id": f"remembered-{self._saved}", "identity_hints": {"ani": caller}, **saved}
        line = self._dialed(self.number).line
        key = (line.organization, line.mode.value)
        return self._app.api.ask("POST", "/v1/calls/end", body, key)

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self._app.clock.tell(self._app.clock.now() + round(1_000 * seconds))

    @property
    def number(self) -> str:
        """The first that a line names; of patterns alone, one that the first line takes."""
        named = (each.number for each in self._config.lines if "*" not in each.number)
        return next(named, "") or self._dialed(None).number

    def account_of(self, dialed: str) -> str:
        """The AccountSid that a number's webhooks come with."""
        return self._dialed(dialed).account

    def _dialed(self, number: str | None) -> Dialed:
        try:
            return dialed(self._config, number)
        except ClickException as error:
            raise ValueError(error.message) from None


def _whole(recording: Path) -> Iterator[Recorded]:
    """A test must not pass because what it should look at is gone."""
    for each in read(recording):
        if not isinstance(each, Recorded):
            raise ValueError(str(each))
        yield each


def _told(result: Checked) -> list[str]:
    recorded = result.rerun.recorded
    sentences = [*([result.trouble] if result.trouble else []), *(each.sentence for each in result.differences)]
    return [f"{recorded.kind} of {recorded.call}: {sentence}" for sentence in sentences]
