"""The naive limits of an organization, and what is remembered of customers: intents, variables, spoken texts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .people import Who

TTL = 2_592_000
Body = dict[str, Any]


@dataclass
class Told:
    """An answer. `body` None: not compared (its wording is the product's own)."""

    status: int
    body: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)
    says: str | None = None


@dataclass
class Plan:
    per_minute: int | None = None
    monthly: int | None = None
    billing_day: int = 1


class Organization:
    """Rate and quota, shared by both modes (semantics §3, §4)."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name, self.plan = name, plan
        self.hits: list[int] = []
        self.used: dict[str, int] = {}

    def admit(self, steady: int, wall: int) -> tuple[Told | None, dict[str, str]]:
        """Count the request or refuse it; the headers that go with it."""
        limit = self.plan.per_minute
        if limit is None:
            return None, {}
        hard = limit + limit * 10 // 100
        inside = [at for at in self.hits if at > steady - 60_000]
        if len(inside) >= hard:
            wait = inside[len(inside) - hard] + 60_000 - steady
            headers = self._headers(limit, len(inside), wall + wait)
            after = max(1, math.ceil(wait / 1000))
            body = {"retryAfter": after, "currentUsage": len(inside) + 1, "limit": limit, "resetAt": iso(wall + wait)}
            return Told(429, body, {**headers, "Retry-After": str(after)}), headers
        self.hits.append(steady)
        inside.append(steady)
        return None, self._headers(limit, len(inside), wall + inside[0] + 60_000 - steady)

    def _headers(self, limit: int, usage: int, reset: int) -> dict[str, str]:
        left = str(max(0, limit - usage))
        return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": left, "X-RateLimit-Reset": str(reset)}

    def month(self, now: int) -> str:
        day = datetime.fromtimestamp(now / 1000, UTC)
        months = day.year * 12 + day.month - (0 if day.day >= self.plan.billing_day else 1)
        return str(months)

    def is_exhausted(self, now: int) -> bool:
        return self.plan.monthly is not None and self.used.get(self.month(now), 0) >= self.plan.monthly

    def charge(self, now: int) -> None:
        self.used[self.month(now)] = self.used.get(self.month(now), 0) + 1


class Memories:
    """Intents and variables of one realm's customers (semantics §7)."""

    def __init__(self) -> None:
        self.intents: dict[Who, dict[str, Body]] = {}
        self.variables: dict[Who, dict[str, Body]] = {}

    def memory(self, who: Who | None, now: int) -> Body:
        known = self.intents.get(who, {}) if who else {}
        still = sorted(
            (each for each in known.values() if each["status"] == "open"),
            key=lambda each: (each["opened"], each["place"], each["intent"]),
        )
        return {
            "open_intents": [{name: each[name] for name in ("intent", "status", "attempt_count")} for each in still],
            "variables": {each["name"]: shown(each) for each in self.living(who, now)},
        }

    def living(self, who: Who | None, now: int) -> list[Body]:
        known = self.variables.get(who, {}).values() if who else ()
        return sorted(
            (each for each in known if each["expires"] > now),
            key=lambda each: (each["created"], each["place"], each["name"]),
        )

    def write(self, who: Who, call_id: str, body: Body, now: int) -> tuple[int, int]:
        intents, variables = mentioned(body)
        for place, (name, status, resolution) in enumerate(intents):
            self._intent(who, call_id, name, status, resolution, place, now)
        for place, (name, value, source, ttl) in enumerate(variables):
            self._variable(who, name, value, source, ttl, place, now)
        return len(intents), len(variables)

    def _intent(self, who: Who, call_id: str, name: str, status: str, resolution: Any, place: int, now: int) -> None:
        before = self.intents.setdefault(who, {}).get(name)
        still = before if before and before["status"] == "open" else None
        attempts = 0 if status == "resolved" else 1
        if still and status == "open":
            attempts = still["attempt_count"] + (still["call"] != call_id)
        self.intents[who][name] = {
            "intent": name,
            "status": status,
            "attempt_count": attempts,
            "opened": still["opened"] if still else now,
            "place": still["place"] if still else place,
            "updated": now,
            "call": call_id,
            "resolution": resolution,
        }

    def _variable(self, who: Who, name: str, value: Any, source: Any, ttl: Any, place: int, now: int) -> None:
        mine = self.variables.setdefault(who, {})
        before = mine.get(name)
        if value is None:
            mine.pop(name, None)
            return
        lives = before is not None and before["expires"] > now
        seconds = TTL if ttl is None else ttl
        mine[name] = {
            "name": name,
            "value": value,
            "source": source,
            "ttl_seconds": seconds,
            "created": before["created"] if before and lives else now,
            "place": before["place"] if before and lives else place,
            "expires": now + seconds * 1000,
        }


TEXTS = {
    "neutral": "Welcome. One moment, please.",
    "ignore": "Hello and welcome. Thank you for calling us. One moment, please.",
    "confirm": "Hello, and thank you for calling. The person who takes your call will ask you to confirm who you are."
    " One moment, please.",
}


def speech(started: Body) -> str:
    wish = started["identity"]["recommendation"]
    if wish != "reuse":
        return TEXTS[wish]
    name = started["variables"].get("name", {}).get("value")
    intent = started["open_intents"][-1]["intent"] if started["open_intents"] else None
    asked = f" We are still working on your {intent.replace('_', ' ')}." if intent else ""
    return f"Welcome back{f', {name}' if name else ''}.{asked} One moment, please."


def mentioned(body: Body) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Both forms as one: (intent, status, resolution) and (name, value, source, ttl)."""
    intents = [(body["intent"], body.get("intent_status", "open"), None)] if "intent" in body else []
    intents += [(u["intent"], u.get("status", "open"), u.get("resolution")) for u in body.get("intent_updates", ())]
    variables = [(name, value, None, None) for name, value in body.get("variables", {}).items()]
    for name, update in body.get("variable_updates", {}).items():
        variables.append((name, update["value"], update.get("source"), update.get("ttl_seconds")))
    return intents, variables


def shown(variable: Body) -> Body:
    return {name: variable[name] for name in ("value", "source", "ttl_seconds")}


def iso(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
