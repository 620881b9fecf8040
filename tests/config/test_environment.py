"""ADAPTER_ variables win over the file, reach every single value, and cannot be misspelt in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import Config, load
from adapter.engine.line import Destination, DestinationKind
from adapter.engine.model import Tier
from adapter.engine.policy import IdentityPolicy
from adapter.errors import ConfigError


def loaded(text: str = "", folder: Path | None = None, **environ: str) -> Config:
    if folder is None:
        return load(None, {f"ADAPTER_{name}": value for name, value in environ.items()})
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return load(path, {f"ADAPTER_{name}": value for name, value in environ.items()})


def problem(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(**environ)
    (only,) = caught.value.problems
    return only


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    config = loaded("server: {workers: 3, threads: 4}", tmp_path, SERVER__WORKERS="5")
    assert (config.server.workers, config.server.threads) == (5, 4)


def test_a_whole_service_can_be_configured_without_a_file() -> None:
    config = loaded(
        DATABASE__URL="sqlite:////data/calls.db",
        TWILIO__PUBLIC_URL="https://calls.example.com",
        TWILIO__ACCOUNTS__0__SID="*",
        TWILIO__ACCOUNTS__0__AUTH_TOKENS__0="new-token",
        TWILIO__ACCOUNTS__0__AUTH_TOKENS__1="old-token",
        LINES__0__NUMBER="+14155550100",
        LINES__0__DESTINATION__DIAL="+14155550199",
        LINES__1__NUMBER="*",
        LINES__1__DESTINATION="hangup",
        TEXTS__DE_AT__NEUTRAL="Servus.",
        SECURITY__PEPPER="pepper-pepper-pepper",
    )
    assert config.twilio.accounts[0].auth_tokens == ("new-token", "old-token")
    assert [line.destination for line in config.lines] == [
        Destination(DestinationKind.DIAL, "+14155550199", 30),
        Destination(DestinationKind.HANGUP),
    ]
    assert config.texts == {"de-AT": {"neutral": "Servus."}}


def test_items_are_added_in_the_order_of_their_numbers() -> None:
    tokens = {f"TWILIO__ACCOUNTS__0__AUTH_TOKENS__{at}": f"token-{at}" for at in range(8)}
    config = loaded(TWILIO__ACCOUNTS__0__SID="*", **tokens)
    assert config.twilio.accounts[0].auth_tokens == tuple(f"token-{at}" for at in range(8))
    keys = {f"IDENTITY__NEVER_IDENTIFYING_KEYS__{at}": f"key_{at}" for at in range(13)}
    assert loaded(**keys).policy.identity.never_identifying_keys == tuple(f"key_{at}" for at in range(13))


def test_what_is_not_in_the_file_is_changed_from_its_default() -> None:
    config = loaded(
        ORGANIZATIONS__0__TIER="growth", TIERS__GROWTH__PER_MINUTE="7", IDENTITY__NEVER_IDENTIFYING_KEYS__0="x"
    )
    assert (config.organizations[0].id, config.organizations[0].tier) == ("default", Tier("growth", 7))
    default = IdentityPolicy().never_identifying_keys
    assert config.policy.identity.never_identifying_keys == ("x", *default[1:])


def test_names_of_the_file_are_found_in_any_case_and_with_underscores(tmp_path: Path) -> None:
    config = loaded("texts: {en-US: {neutral: Hi.}}", tmp_path, TEXTS__EN_US__NEUTRAL="Hello.")
    assert config.texts == {"en-US": {"neutral": "Hello."}}


def test_a_variable_takes_the_place_of_something_of_another_kind(tmp_path: Path) -> None:
    text = "twilio: {public_url: 'https://a', accounts: [{sid: '*', auth_tokens: [a]}]}\n"
    text += "lines: [{number: '*', destination: hangup}]"
    config = loaded(text, tmp_path, LINES__0__DESTINATION__QUEUE="support")
    assert config.lines[0].destination == Destination(DestinationKind.QUEUE, "support", 30)


def test_other_variables_are_left_alone() -> None:
    assert load(None, {"ADAPTER_CONFIG": "x", "ADAPTER_API_KEY": "y", "PATH": "z", "adapter_x": "1"}) == Config()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SERVR__BIND", "x", 'ADAPTER_SERVR__BIND: is not a setting: "SERVR" is not known (did you mean "SERVER"?)'),
        ("SERVER__QUUX", "x", 'is not a setting: "QUUX" is not known; here it can be BIND, THREADS, WORKERS'),
        ("SERVER__WORKERS__0", "x", "is not a setting: there is nothing below WORKERS, it has a single value"),
        ("LINES__FIRST__NUMBER", "*", '"FIRST" stands where the number of a list\'s item belongs (0, 1, …)'),
        ("LINES__1__NUMBER", "*", "leaves a gap: the list has 0 items, so the next one is number 0"),
        ("LINES", "*", "ADAPTER_LINES: names a whole list or table, not one value; add __0 (or a key) and what is"),
        ("TEXTS", "*", "names a whole list or table"),
        ("", "*", 'ADAPTER_: is not a setting: "" is not known'),
        ("SERVER__WORKERS", "many", "ADAPTER_SERVER__WORKERS: server.workers: is not a whole number; write a whole"),
        ("SERVER__WORKERS", "", "ADAPTER_SERVER__WORKERS: server.workers: is not a whole number"),
        ("SERVER", "x", "ADAPTER_SERVER: server: is not a mapping"),
        ("TIERS__FREE", "x", "ADAPTER_TIERS__FREE: tiers.free: is not a mapping"),
        ("DATABASE__URL", "sqlite:///a\udc80", "ADAPTER_DATABASE__URL: database.url: is not usable here"),
    ],
)
def test_a_mistake_names_the_variable(name: str, value: str, says: str) -> None:
    assert says in problem(**{name: value})
