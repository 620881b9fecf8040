"""config.example.yaml has every setting, and says of each what it is by default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema, fields

from adapter.config import Config, load
from adapter.config.schema import ConfigSchema
from adapter.config.tables import Items, Table, is_secret, names_of
from adapter.engine.line import Line
from tests.config.example import EXAMPLE, everything

# Alternatives of `dial`, told in its comment.
DESTINATIONS = {"sip", "client", "queue", "redirect"}


def below(shape: Schema | fields.Field[Any], value: Any, path: str = "") -> Iterator[str]:
    """The settings that the schema has and `value` has not."""
    if isinstance(shape, fields.Nested):
        shape = shape.schema
    if isinstance(shape, Schema):
        for name, field in shape.fields.items():
            if name in value:
                yield from below(field, value[name], f"{path}.{name}")
            elif name not in DESTINATIONS:
                yield f"{path}.{name}"
    elif isinstance(shape, Table):
        for name, entry in value.items():
            # A line's and a language's texts may have any of the four.
            yield from below(shape.entries, entry, f"{path}.{name}")
    elif isinstance(shape, Items) and isinstance(shape.entries, fields.Nested):
        yield from below(shape.entries, value[0], f"{path}.0")


def test_the_example_is_the_default_configuration() -> None:
    assert load(EXAMPLE, {}) == Config()


def test_every_setting_is_in_the_example() -> None:
    missing = set(below(ConfigSchema(), yaml.safe_load(everything())))
    assert missing == {".lines.0.texts.reuse", ".lines.0.texts.confirm", ".lines.0.texts.ignore"}


def test_every_other_spelling_is_in_the_example() -> None:
    text = EXAMPLE.read_text("utf-8")
    for name in [*DESTINATIONS, "url_file", "pepper_file", "key_file", "auth_tokens_file"]:
        assert f"{name}" in text


def test_secrets_have_a_twin_that_names_a_file() -> None:
    account = ConfigSchema().fields["twilio"].schema.fields["accounts"].entries.schema  # type: ignore[attr-defined]
    assert is_secret(account.fields["auth_tokens"])
    assert names_of(account) == ["sid", "auth_tokens", "auth_tokens_file"]


def test_the_example_with_everything_taken_in_is_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(everything(), "utf-8")
    config = load(path, {})
    (line,) = config.lines
    defaults = Line(line.account, line.number, "default", line.mode, line.destination)
    for name in ("organization", "language", "strict_caller_id", "name_variable"):
        assert getattr(line, name) == getattr(defaults, name), f"the example's {name} is not the default"
    assert config.organizations == Config().organizations


def test_every_setting_has_its_reason() -> None:
    """A setting without a comment above it belongs to a group that has one."""
    without = []
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for before, line in pairwise(lines):
        setting = re.match(r"  (#?)(\w+): \S", line)
        if setting and not before.lstrip().startswith("# ") and not before.lstrip("- #").startswith("id:"):
            without.append(setting[2])
    assert without == []
