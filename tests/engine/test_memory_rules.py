"""Intents left open, variables that expire, and kept answers (semantics §7)."""

from __future__ import annotations

import pytest

from adapter.engine import idempotency, intents, variables
from adapter.engine.model import (
    IdempotencyKey,
    Intent,
    IntentStatus,
    IntentUpdate,
    Variable,
    VariableUpdate,
)
from adapter.engine.policy import HOUR, RetentionPolicy, VariablePolicy

NOW = 1_770_460_200_000
OPEN, RESOLVED = IntentStatus.OPEN, IntentStatus.RESOLVED


def end(before: dict[str, Intent], call_id: str, *updates: IntentUpdate) -> dict[str, Intent]:
    after = intents.apply(before, updates, call_id, NOW)
    return {**before, **{i.intent: i for i in after}}


class TestIntents:
    def test_each_ended_call_that_leaves_it_open_counts_once(self) -> None:
        state = end({}, "c1", IntentUpdate("refund"))
        state = end(state, "c2", IntentUpdate("refund"))
        state = end(state, "c2", IntentUpdate("refund"))
        assert state["refund"].attempt_count == 2

    def test_resolving_starts_the_count_anew(self) -> None:
        state = end({}, "c1", IntentUpdate("refund"))
        state = end(state, "c2", IntentUpdate("refund", RESOLVED, {"type": "processed"}))
        assert (state["refund"].attempt_count, state["refund"].resolution) == (0, {"type": "processed"})
        state = end(state, "c3", IntentUpdate("refund"))
        assert state["refund"].attempt_count == 1

    def test_an_open_intent_keeps_its_place_and_age(self) -> None:
        first = intents.apply({}, [IntentUpdate("a"), IntentUpdate("b")], "c1", NOW - HOUR)
        again = intents.apply({"b": first[1]}, [IntentUpdate("b")], "c2", NOW)
        assert (again[0].opened_at, again[0].position) == (NOW - HOUR, 1)


class TestVariables:
    def living(self, name: str) -> Variable:
        return Variable(name, "old", None, 60, NOW - HOUR, 3, NOW + 1)

    def test_writing_renews_the_time_to_live_and_keeps_the_place(self) -> None:
        keep, forget = variables.apply(
            {"name": self.living("name")}, [VariableUpdate("name", "new", "crm", 10)], VariablePolicy(), NOW
        )
        assert forget == []
        assert keep == [Variable("name", "new", "crm", 10, NOW - HOUR, 3, NOW + 10_000)]

    def test_without_a_ttl_the_default_of_thirty_days_holds(self) -> None:
        keep, _ = variables.apply({}, [VariableUpdate("name", "x")], VariablePolicy(), NOW)
        assert (keep[0].ttl_seconds, keep[0].created_at, keep[0].position) == (2_592_000, NOW, 0)

    def test_null_forgets(self) -> None:
        assert variables.apply({}, [VariableUpdate("name", None)], VariablePolicy(), NOW) == ([], ["name"])

    @pytest.mark.parametrize(("expires_at", "living"), [(NOW + 1, True), (NOW, False)])
    def test_it_is_gone_at_the_very_millisecond(self, expires_at: int, living: bool) -> None:
        assert variables.is_living(expires_at, NOW) is living


class TestIdempotency:
    @pytest.mark.parametrize(
        ("key", "usable"),
        [
            ("end_call_001_attempt1", True),
            ("x" * 255, True),
            ("x" * 256, False),
            ("", False),
            ("é", False),
            ("a\tb", False),
        ],
    )
    def test_a_key_is_printable_ascii_of_reasonable_length(self, key: str, usable: bool) -> None:
        assert idempotency.is_usable(key) is usable

    def test_the_same_body_is_a_replay_another_is_a_conflict(self) -> None:
        assert idempotency.refuse("f1", IdempotencyKey("k", ("f2", "f1"))) is None
        assert idempotency.refuse("f1", IdempotencyKey("k", ("f2",))) is not None

    def test_kept_for_a_day(self) -> None:
        assert idempotency.expires_at(NOW, RetentionPolicy()) == NOW + 24 * HOUR
