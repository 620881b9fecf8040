"""Random schedules against the rate window: four processes at once, time that passes anyhow, clocks that are set.

Never more than the hard limit may be admitted in any 60 s. Time is told: all processes share one count of milliseconds
since "boot", which any of them moves on at any moment, also between another's look at the clock and its turn at the
store. The wall clock is set back an hour or on by 31 days in between (on PostgreSQL, by whose clock windows are
measured, it is the database's). Judged twice: by what was admitted, between being asked and being answered, and by the
times that the store keeps.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapter.app import build_service
from adapter.config import Config, DatabaseConfig, SecurityConfig
from adapter.engine.model import Mode, Organization, Plan, RateExceeded, Tier
from adapter.store.postgres import clock as postgres_clock
from adapter.store.statements import Prepared, bind
from adapter.store.tables import clocks
from adapter.usecases import count_only
from tests import databases
from tests.abuse.crowd import Step, failures, shared_number, together
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.builders import NOW, PEPPER

WINDOW = 60_000
_HOUR, _DAY = 3_600_000, 86_400_000
# What an operator, NTP or a virtual machine does to a clock.
_SETTINGS = (-_HOUR, 31 * _DAY, -31 * _DAY, _HOUR, -500, 40_000)
_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Hit:
    """One admitted request: between these ticks."""

    schedule: int
    asked: int
    answered: int


class SharedClock:
    """Ticks and what the wall clock is off by, shared by all processes. `steady_is_wall`: the planted mistake."""

    def __init__(self, ticks: Any, off: Any, steady_is_wall: bool) -> None:
        self._ticks, self._off, self.steady_is_wall = ticks, off, steady_is_wall

    def ticks(self) -> int:
        return int(self._ticks.value)

    def now(self) -> int:
        return NOW + self.ticks() + int(self._off.value)

    def steady(self) -> int:
        return self.now() if self.steady_is_wall else NOW + self.ticks()

    def move_on(self, chance: random.Random) -> None:
        """Time passes; now and then somebody sets the wall clock."""
        with self._ticks.get_lock():
            self._ticks.value += chance.choice((0, 1, 7, 900, 5_000, 19_000, 59_999))
        if chance.random() < 0.2:
            with self._off.get_lock():
                self._off.value = chance.choice((0, *_SETTINGS))


def examine(count: int, seed: int, store: str = "sqlite", bug: bool = False) -> Findings:
    """What came of `count` schedules. `bug`: windows are measured by the wall clock."""
    with in_memory() as folder:
        url = databases.postgresql.bare() if store == "postgresql" else f"sqlite:///{folder}/calls.db"
        build_service(_config(url, folder, count, seed)).store.close()
        told = together(_part, url, folder, count, seed, SharedClock(shared_number(), shared_number(), bug))
        kept = databases.rows_at(url, "SELECT account, at, seq FROM rate_hits ORDER BY account, seq")
    return _judge(count, seed, told, kept)


def hard_limit_of(schedule: int, seed: int) -> tuple[int, int]:
    """(base, hard) of this schedule's organization."""
    base = random.Random(f"{seed} {schedule}").choice((1, 3, 10, 15))
    return base, base + base // 10


def _config(url: str, folder: Path, count: int, seed: int) -> Config:
    """An organization a schedule, each with its own account: no schedule knows of another."""
    organizations = tuple(
        Organization(f"o{number:05d}", Tier("t", hard_limit_of(number, seed)[0]), Plan(f"ba_{number:05d}", None))
        for number in range(count)
    )
    database = DatabaseConfig(url, lock_timeout_ms=60_000, state_dir=f"{folder}/state")
    return Config(database=database, organizations=organizations, security=SecurityConfig(PEPPER))


def _part(
    place: int, step: Step, url: str, folder: Path, count: int, seed: int, clock: SharedClock
) -> list[tuple[int, int, int, bool]]:
    """One process: its part in every schedule, all of which begin at once. (schedule, asked, answered, admitted)."""
    _tell_the_database(clock)
    service = build_service(_config(url, folder, count, seed), clock=clock)
    told = []
    for schedule in range(count):
        principal = service.directory.principal(f"o{schedule:05d}", Mode.PROD)
        assert principal is not None
        chance = random.Random(f"{seed} {schedule} {place}")
        step()
        for _ in range(_ROUNDS):
            clock.move_on(chance)
            for _ in range(chance.randrange(4)):
                asked = clock.ticks()
                answer = count_only(service, principal)
                told.append((schedule, asked, clock.ticks(), not isinstance(answer.outcome, RateExceeded)))
    service.store.close()
    return told


def _tell_the_database(clock: SharedClock) -> None:
    """PostgreSQL's own clock, told like ours: the statement that reads it asks for what we tell it."""

    class Told(Prepared):
        def text(self, *given: Any) -> tuple[str, dict[str, Any]]:
            sql, constants = super().text(*given)
            return sql, {**constants, _wall_name(constants): clock.now()}

    reading = sa.select(sa.literal(_PLACE, sa.BigInteger()), clocks.c.offset_ms)
    postgres_clock._READ = Told(reading.where(clocks.c.boot_id == bind("boot_id")))
    postgres_clock.ticks = clock.ticks
    if clock.steady_is_wall:
        # Steps are not noticed.
        postgres_clock._LEAST_STEP_MS = 10**15


_PLACE = 4_711


def _wall_name(constants: dict[str, Any]) -> str:
    return next(name for name, value in constants.items() if value == _PLACE)


def _judge(count: int, seed: int, told: list[Any], kept: Sequence[tuple[int, int, int]]) -> Findings:
    findings = Findings(tried=count)
    if failures(told):
        findings.fault("a process failed", failures(told))
        return findings
    answers = [answer for each in told for answer in each]
    hits = [Hit(schedule, asked, answered) for schedule, asked, answered, admitted in answers if admitted]
    findings.answers.update({"admitted": len(hits), "refused": len(answers) - len(hits)})
    by_schedule: dict[int, list[Hit]] = {}
    for hit in hits:
        by_schedule.setdefault(hit.schedule, []).append(hit)
    for schedule, admitted in by_schedule.items():
        _judge_clients(admitted, hard_limit_of(schedule, seed)[1], findings)
    _judge_store(kept, seed, findings)
    full = Counter(schedule for schedule, _, _, admitted in answers if not admitted)
    findings.told["schedules in which somebody was refused"] = len(full)
    return findings


def _judge_clients(admitted: list[Hit], hard: int, findings: Findings) -> None:
    """What was asked and answered within a window was admitted within it."""
    for first in admitted:
        inside = [hit for hit in admitted if first.asked <= hit.asked and hit.answered < first.asked + WINDOW]
        if len(inside) > hard:
            findings.fault("more than the hard limit, by the clients", (hard, inside))
            return


def _judge_store(kept: Sequence[tuple[int, int, int]], seed: int, findings: Findings) -> None:
    """By the times that are kept: a hit and the one `hard` places later are at least a window apart."""
    by_account: dict[int, list[int]] = {}
    for account, at, _ in kept:
        by_account.setdefault(account, []).append(at)
    for account, times in by_account.items():
        hard = hard_limit_of(account, seed)[1]
        for earlier, later in zip(times, times[hard:], strict=False):
            if later - earlier < WINDOW:
                findings.fault("more than the hard limit, by the store", (account, hard, later - earlier))
