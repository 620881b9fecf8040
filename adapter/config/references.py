"""Mistakes that take more than one setting to see: names that point nowhere, doubles, limits that contradict.

Each check looks at the plain values as written (texts), so that it works, with the right index, while other settings
are wrong; a value that is wrong by itself is the schema's to report and is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapter.engine.policy import DEFAULT_TIERS

from .settings import DEFAULT_ORGANIZATION, DEFAULT_TIER, billing_account_of
from .suggestions import did_you_mean
from .tree import Path, as_items, as_mapping

Found = Iterator[tuple[Path, str]]
Written = Mapping[str, object]


def check_references(written: Written) -> Found:
    """Every mistake of this kind in the whole configuration: (path, message)."""
    for check in _CHECKS:
        yield from check(written)


def check_policy(loaded: Mapping[str, Any]) -> Found:
    """Limits that contradict each other. `loaded`: the sections as read; what could not be read is absent."""
    for first, second, message in _ORDERED:
        low, high = _number(loaded, first), _number(loaded, second)
        if low is not None and high is not None and low > high:
            yield first, f"is {low:.10g}, more than {'.'.join(second)} ({high:.10g}): {message}"
    yield from _doubted_is_never_greeted(loaded)


# (at most this one, that one, why and what to write)
_ORDERED: tuple[tuple[tuple[str, str], tuple[str, str], str], ...] = (
    (("identity", "confirm_from"), ("identity", "reuse_from"), "confirm would never be recommended; write it lower"),
    (("identity", "level_medium"), ("identity", "level_high"), "a level could not be reached; write them in order"),
    (("identity", "level_high"), ("identity", "level_very_high"), "a level could not be reached; write them in order"),
    (("variables", "default_ttl_seconds"), ("variables", "max_ttl_seconds"), "write it no longer than the maximum"),
    (
        ("calls", "unique_days"),
        ("retention", "calls_days"),
        "a call must be kept for as long as its call_id may not come again; keep calls longer",
    ),
)


def _number(loaded: Mapping[str, Any], path: tuple[str, str]) -> float | None:
    value = as_mapping(loaded.get(path[0])).get(path[1])
    return value if isinstance(value, int | float) else None


def _doubted_is_never_greeted(loaded: Mapping[str, Any]) -> Found:
    cap, reuse = _number(loaded, ("identity", "cap_doubted")), _number(loaded, ("identity", "reuse_from"))
    if cap is not None and reuse is not None and cap >= reuse:
        message = f"is {cap:g}, not below identity.reuse_from ({reuse:g}): a rejected caller would be greeted by name"
        yield ("identity", "cap_doubted"), f"{message}; write it lower"


def _tier_exists(written: Written) -> Found:
    tiers = [*DEFAULT_TIERS, *as_mapping(written.get("tiers"))]
    for at, organization in _entries(written, "organizations"):
        tier = organization.get("tier")
        if isinstance(tier, str) and tier not in tiers:
            what = f'there is no tier "{tier}"' + did_you_mean(tier, tiers)
            yield ("organizations", at, "tier"), f"{what}; write one of {', '.join(sorted(set(tiers)))}"


def _tier_is_complete(written: Written) -> Found:
    for name, tier in as_mapping(written.get("tiers")).items():
        for amount in ("per_minute", "monthly"):
            if isinstance(tier, dict) and name not in DEFAULT_TIERS and amount not in tier:
                yield ("tiers", name), f'a new tier needs {amount}; write a number or "unlimited"'


def _organization_exists(written: Written) -> Found:
    known = _organization_ids(written)
    for at, line in _entries(written, "lines"):
        named = line.get("organization")
        if isinstance(named, str) and named not in known:
            what = f'there is no organization "{named}"' + did_you_mean(named, known)
            yield ("lines", at, "organization"), f"{what}; write one of {', '.join(known)}"
        if named is None and len(known) > 1:
            yield ("lines", at, "organization"), f"is missing; write one of {', '.join(known)}"


def _organization_ids(written: Written) -> list[str]:
    named = [str(organization["id"]) for _, organization in _entries(written, "organizations") if "id" in organization]
    return named if as_items(written.get("organizations")) else [DEFAULT_ORGANIZATION]


def _account_has_a_token(written: Written) -> Found:
    """Without an auth token every webhook of the account would be refused, and its callers cut off."""
    known = [str(account.get("sid")) for _, account in _entries(as_mapping(written.get("twilio")), "accounts")]
    for at, line in _entries(written, "lines"):
        account = line.get("account", "*")
        covered = account in known or "*" in known or (account == "*" and known)
        if isinstance(account, str) and not covered:
            yield ("lines", at, "account"), 'has no auth token; add this account (or "*") to twilio.accounts'


def _public_url_is_set(written: Written) -> Found:
    if as_items(written.get("lines")) and "public_url" not in as_mapping(written.get("twilio")):
        yield ("twilio", "public_url"), "is missing; write the address Twilio calls, as https://calls.example.com"


def _recorded_lines_exist(written: Written) -> Found:
    known = [str(line["number"]) for _, line in _entries(written, "lines") if "number" in line]
    for at, number in enumerate(as_items(as_mapping(written.get("recording")).get("lines"))):
        if isinstance(number, str) and number not in known:
            yield ("recording", "lines", at), "is the number of no line; write it as it is written under lines"


def _nodes_share_the_pepper(written: Written) -> Found:
    """Made on first use, each node would make one of its own, and know nobody's keys but its own."""
    url = as_mapping(written.get("database")).get("url")
    is_shared = isinstance(url, str) and url.startswith("postgres")
    if is_shared and "pepper" not in as_mapping(written.get("security")):
        advice = "write pepper or pepper_file (`openssl rand -base64 32`), the same on every node"
        yield ("security", "pepper"), f"is missing, and PostgreSQL may be used by several nodes; {advice}"


def _nothing_twice(written: Written) -> Found:
    twilio, security = as_mapping(written.get("twilio")), as_mapping(written.get("security"))
    yield from _twice(written, ("organizations",), lambda item: item.get("id"))
    yield from _twice(twilio, ("accounts",), lambda item: item.get("sid"), ("twilio",))
    yield from _twice(security, ("encryption_keys",), lambda item: item.get("id"), ("security",))
    yield from _twice(written, ("lines",), _line_identity)


def _line_identity(line: Mapping[str, object]) -> object:
    number = line.get("number")
    return (str(line.get("account", "*")), number) if isinstance(number, str) else None


def _twice(
    section: Written, key: tuple[str], identity: Callable[[Mapping[str, object]], object], above: tuple[str, ...] = ()
) -> Found:
    first: dict[object, int] = {}
    for at, item in _entries(section, key[0]):
        name = identity(item)
        if not isinstance(name, str | tuple):
            continue
        if name in first:
            yield (*above, *key, at), f"is the same as {'.'.join((*above, *key))}.{first[name]}; keep one of them"
        first.setdefault(name, at)


def _billing_accounts_agree(written: Written) -> Found:
    """The month belongs to the billing account: two organizations that share one cannot have two different months."""
    first: dict[str, tuple[int, object]] = {}
    for at, organization in _entries(written, "organizations"):
        # An id that is not ASCII is reported elsewhere; one that cannot be encoded must not stop this check.
        name = str(organization.get("id")).encode("ascii", "replace").decode()
        account = str(organization.get("billing_account", billing_account_of(name)))
        month = (_monthly(written, organization), organization.get("billing_day", "1"))
        if first.setdefault(account, (at, month))[1] != month:
            message = f"shares its billing account with organizations.{first[account][0]} but not its month"
            yield ("organizations", at, "billing_account"), f"{message}; write the same monthly and billing_day in both"


def _monthly(written: Written, organization: Mapping[str, object]) -> str:
    tier = str(organization.get("tier", DEFAULT_TIER))
    default = DEFAULT_TIERS.get(tier, (None, None))[1]
    of_tier = as_mapping(as_mapping(written.get("tiers")).get(tier)).get("monthly", default)
    amount = organization.get("monthly", of_tier)
    return "unlimited" if amount is None else str(amount)


def _entries(section: Written, key: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for at, item in enumerate(as_items(section.get(key))):
        if isinstance(item, dict):
            yield at, {name: value for name, value in item.items() if value is not None}


_CHECKS: tuple[Callable[[Written], Found], ...] = (
    _tier_exists,
    _tier_is_complete,
    _organization_exists,
    _account_has_a_token,
    _public_url_is_set,
    _recorded_lines_exist,
    _nodes_share_the_pepper,
    _nothing_twice,
    _billing_accounts_agree,
)
