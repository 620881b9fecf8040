"""What is in effect, printed: complete, loadable, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapter.config import Config, DatabaseConfig, SecurityConfig, TwilioAccount, TwilioConfig, load
from adapter.config.effective import MASK, effective
from adapter.engine.line import Destination, DestinationKind, Line
from adapter.engine.model import Mode
from adapter.errors import ConfigError
from tests.config.conversing import CONVERSATION

LINES = (
    Line(
        "*", "*", "default", Mode.TEST, Destination(DestinationKind.HANGUP), voice="Polly.Joanna", texts={"reuse": "Hi"}
    ),
    Line("*", "+14155550100", "default", Mode.PROD, Destination(DestinationKind.DIAL, "+14155550199", 45)),
)


def reloaded(folder: Path, config: Config) -> Config:
    path = folder / "effective.yaml"
    path.write_text(effective(config), "utf-8")
    return load(path, {})


def test_the_default_configuration_comes_back_equal(tmp_path: Path) -> None:
    assert reloaded(tmp_path, Config()) == Config()


def test_a_rich_configuration_comes_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        """
organizations: [{id: a, tier: gold, monthly: 5, billing_day: 3}, {id: b, tier: unlimited}]
tiers: {gold: {per_minute: unlimited, monthly: 7}}
texts: {de: {neutral: "Grüß Gott{% if 1 %}!{% endif %}"}}
identity: {ani_mobile: 0.123, never_identifying_keys: []}
logging: {level: DEBUG}
"""
    )
    config = load(path, {})
    assert reloaded(tmp_path, config) == config


def test_every_single_setting_comes_back_equal(tmp_path: Path) -> None:
    written = Path(__file__).with_name("everything.yaml")
    config = load(written, {})
    assert [name for part in sections(config) for name in as_by_default(part)] == ["language"]  # said in its languages
    secrets = yaml.safe_load(written.read_text("utf-8"))
    shown = yaml.safe_load(effective(config))
    shown["twilio"]["accounts"] = secrets["twilio"]["accounts"]
    shown["security"], shown["metrics"] = secrets["security"], secrets["metrics"]
    (tmp_path / "back.yaml").write_text(yaml.safe_dump(shown), "utf-8")
    assert load(tmp_path / "back.yaml", {}) == config


def sections(config: Config) -> Iterator[Any]:
    """The configuration with all its parts, and its line."""
    parts = [getattr(each, field.name) for each in (config, config.policy) for field in fields(each)]
    yield from (config, config.lines[0], *(part for part in parts if is_dataclass(part)))


def as_by_default(part: Any) -> Iterator[str]:
    for field in fields(part):
        if field.default is not MISSING and getattr(part, field.name) == field.default:
            yield field.name


def test_lines_are_printed_as_they_are_written() -> None:
    shown = yaml.safe_load(effective(Config(lines=LINES)))["lines"]
    assert shown[0]["destination"] == "hangup"
    assert shown[1]["destination"] == {
        "dial": "+14155550199",
        "timeout_seconds": 45,
        "whisper": False,
        "accept": False,
    }
    assert (shown[0]["mode"], shown[0]["texts"], "voice" in shown[1]) == ("test", {"reuse": "Hi"}, False)


@given(secret=st.binary(min_size=32, max_size=32), token=st.text("abcdefgh0123456789", min_size=12, max_size=32))
def test_no_secret_is_printed(secret: bytes, token: str) -> None:
    config = Config(
        security=SecurityConfig(token.encode(), (("id", secret),)),
        twilio=TwilioConfig("https://a.example", (TwilioAccount("*", (token, token)),)),
    )
    shown = yaml.safe_load(effective(config))
    assert token not in effective(config)
    assert shown["security"] == {"pepper": MASK, "former_peppers": [], "encryption_keys": [{"id": "id", "key": MASK}]}
    assert shown["twilio"]["accounts"] == [{"sid": "*", "auth_tokens": [MASK, MASK]}]


def test_a_printed_mask_cannot_be_loaded_as_a_secret(tmp_path: Path) -> None:
    accounts = TwilioConfig("https://a.example", (TwilioAccount("*", ("token",)),))
    config = Config(security=SecurityConfig(b"pepper" * 4, (("id", bytes(32)),)), twilio=accounts)
    with pytest.raises(ConfigError) as caught:
        reloaded(tmp_path, config)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@h:1/d", "postgresql://u:*****@h:1/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://h:5432/d?sslmode=require", "postgresql://h:5432/d?sslmode=require"),
        (
            "postgresql://h/d?user=u&password=pass&sslmode=require",
            "postgresql://h/d?user=u&password=*****&sslmode=require",
        ),
        ("postgres://u:pa:ss@h1,h2/d", "postgres://u:*****@h1,h2/d"),
        ("postgres://u:pa@ss@h/d", "postgres://u:*****@h/d"),
        ("postgres://u:p/a?s#s@h/d", "postgres://u:*****@h/d"),
        ("sqlite:////var/a:b@c.db", "sqlite:////var/a:b@c.db"),
    ],
)
def test_of_an_address_everything_but_the_password_is_printed(url: str, shown: str) -> None:
    assert yaml.safe_load(effective(Config(database=DatabaseConfig(url))))["database"]["url"] == shown


def test_a_conversation_comes_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        CONVERSATION.replace("{queue: billing}", "{queue: billing, after: callback}").replace(
            "timeout_seconds: 20", "timeout_seconds: 20, caller_id: +14155550100"
        )
    )
    config = load(path, {})
    assert config.lines[0].destinations["senior"].caller_id == "+14155550100"
    path.write_text(effective(config).replace(MASK, "abcdefgh"), "utf-8")
    assert load(path, {}).lines == config.lines
