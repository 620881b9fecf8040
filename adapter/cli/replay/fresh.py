"""An app of its own for recorded calls: in this process, on a temporary store, with the clock of the recording.

Nothing it does reaches the real memory or Twilio, and the same calls are answered the same to the byte.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from adapter.app import create_app
from adapter.clock import CountedIds, ToldClock
from adapter.config import Config, DatabaseConfig, RecordingConfig, TwilioAccount, TwilioConfig
from adapter.engine.model import Millis, Mode
from adapter.replay import WsgiExchange
from adapter.replay.recording import Receipt, Recorded
from adapter.replay.rerun import Rerun
from adapter.replay.rerun.api_calls import ApiCalls
from adapter.replay.rerun.targets import answer_of, sent, sent_to_api
from adapter.store.keys import issue
from adapter.store.sqlite.copying import copy_database
from adapter.usecases import Service

_TOKEN = "of-a-replay"  # noqa: S105 - signs what an app in this very process is asked
_NOWHERE = "http://localhost"


class _Receipts:
    """A recorder that keeps the last receipt."""

    def __init__(self) -> None:
        self.last: Receipt | None = None

    def record(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        *,
        status: int,
        content_type: str,
        body: str,
        receipt: Receipt | None = None,
        at: Millis | None = None,
        sent: object = None,
        key: tuple[str, str] | None = None,
    ) -> None:
        """See `web.recording.Recorder`."""
        self.last = receipt


class _Keys:
    """API keys of the app, made when they are first asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._made: dict[tuple[str, str], str | None] = {}

    def of(self, whose: tuple[str, str]) -> str | None:
        """None for an organization that is not configured."""
        if whose not in self._made:
            self._made[whose] = self._issued(*whose)
        return self._made[whose]

    def _issued(self, organization: str, mode: str) -> str | None:
        store, directory = self._service.store, self._service.directory
        if mode not in set(Mode) or directory.principal(organization, Mode(mode)) is None:
            return None
        return issue(store, directory.pepper, organization, Mode(mode), "replay", self._service.clock.now())[0]


class Fresh:
    """See `Target`. `exchange` leads into the app; `clock`: what time it is there."""

    def __init__(self, exchange: WsgiExchange, clock: ToldClock, receipts: _Receipts, keys: _Keys) -> None:
        self.exchange = exchange
        self.clock = clock
        self._receipts = receipts
        self.api = ApiCalls(exchange, exchange.public_url, keys.of)

    def send(self, recorded: Recorded) -> Rerun:
        """The answer at the time of the recording; where nobody knows it, at that of the webhook before."""
        if recorded.at is not None:
            self.clock.tell(recorded.at)
        self._receipts.last = None
        if recorded.is_api:
            return sent_to_api(self.api, recorded)
        began = time.perf_counter()
        reply = sent(self.exchange, self.exchange.public_url, recorded)
        seconds = time.perf_counter() - began
        return Rerun(recorded, answer_of(reply), self._receipts.last, seconds)


@contextmanager
def fresh(config: Config, memory: Path | None = None) -> Iterator[Fresh]:
    """An app of this configuration. `memory`: a database to begin with a copy of; None: nobody is known.

    The account of a webhook need not be configured, and line types are not looked up. StoreUnavailable when `memory`
    cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="sticky-calls-replay-") as folder, _quiet():
        file = Path(folder) / "memory.db"
        if memory is not None:
            copy_database(memory, file)
        clock, receipts = ToldClock(), _Receipts()
        app = create_app(_apart(config, file), clock=clock, ids=CountedIds(), recorder=receipts)
        service: Service = app.extensions["sticky-calls"]
        try:
            exchange = WsgiExchange(app, config.twilio.public_url or _NOWHERE, _TOKEN)
            yield Fresh(exchange, clock, receipts, _Keys(service))
        finally:
            service.store.close()


def _apart(config: Config, file: Path) -> Config:
    """The same decisions and words, without anything outside of this process."""
    return replace(
        config,
        database=DatabaseConfig(f"sqlite:///{file}"),
        twilio=TwilioConfig(config.twilio.public_url or _NOWHERE, (TwilioAccount("*", (_TOKEN,)),)),
        lines=tuple(replace(line, look_up_line_type=False) for line in config.lines),
        recording=RecordingConfig(),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """What the app would log is of calls long gone."""
    log = logging.getLogger("adapter")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
