"""config.example.yaml has every setting, and says of each what it is by default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema, fields

from adapter.config import Config, load
from adapter.config.conversation import FlowSchema
from adapter.config.schema import ConfigSchema
from adapter.config.tables import Items, Table, is_secret, names_of
from adapter.engine.line import Confirm, Destination, DestinationKind, Identify, Line, Menu, Offer
from adapter.twilio.templates import FACTS
from tests.config.example import EXAMPLE, everything

# Alternatives of `dial` and of confirm's `variable`, told in comments.
ALTERNATIVES = {"sip", "client", "queue", "workflow", "conference", "relay", "stream", "redirect"} | {
    "external_id",
    "digits",
}


README = EXAMPLE.parent / "README.md"


def small() -> str:
    """The complete small example, as its comment says: sed -n 's/^#| //p'."""
    lines = [line.removeprefix("#| ") for line in EXAMPLE.read_text("utf-8").splitlines() if line.startswith("#| ")]
    return "\n".join(lines)


def below(shape: Schema | fields.Field[Any], value: Any, path: str = "") -> Iterator[str]:
    """The settings that the schema has and `value` has not."""
    if isinstance(shape, fields.Nested):
        shape = shape.schema
    if isinstance(shape, Schema):
        for name, field in shape.fields.items():
            if name in value:
                yield from below(field, value[name], f"{path}.{name}")
            elif name not in ALTERNATIVES:
                yield f"{path}.{name}"
    elif isinstance(shape, Table) and value:
        # Told of one entry is told of all.
        lacks = [set(below(shape.entries, entry, f"{path}.*")) for entry in value.values()]
        yield from set.intersection(*lacks)
    elif isinstance(shape, Items) and isinstance(shape.entries, fields.Nested):
        yield from below(shape.entries, value[0], f"{path}.0")


def test_the_example_is_the_default_configuration() -> None:
    assert load(EXAMPLE, {}) == Config()


def test_every_setting_is_in_the_example() -> None:
    """What a flow can say is told once, in the flow or on the line."""
    missing = set(below(ConfigSchema(), yaml.safe_load(everything())))
    shared = FlowSchema().fields
    on_line = {f".lines.0.{name}" for name in shared} & missing
    in_flow = {f".flows.*.{name}" for name in shared} & missing
    assert {path.rpartition(".")[2] for path in on_line} & {path.rpartition(".")[2] for path in in_flow} == set()
    texts = {f".lines.0.texts.{name}" for name in FACTS if name != "neutral"}
    ring = {f".lines.0.destination.{name}" for name in ("whisper", "accept", "caller_id", "after")}
    assert missing - on_line - in_flow == texts | ring


def test_every_other_spelling_is_in_the_example() -> None:
    text = EXAMPLE.read_text("utf-8")
    for name in [*ALTERNATIVES, "url_file", "pepper_file", "key_file", "auth_tokens_file"]:
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
    for name in SCALARS:
        assert getattr(line, name) == getattr(defaults, name), f"the example's {name} is not the default"
    assert config.organizations == Config().organizations


SCALARS = (
    "organization",
    "language",
    "strict_caller_id",
    "strict_forwarding",
    "look_up_line_type",
    "name_variable",
    "language_variable",
    "speech",
)


def test_the_numbers_of_the_examples_conversation_are_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(everything(), "utf-8")
    (line,) = load(path, {}).lines
    assert line.confirm is not None
    assert line.menu is not None
    assert replace(line.confirm, by=Confirm().by, variable="") == Confirm()
    assert (line.identify, line.offer) == (Identify("account_number", 8), Offer())
    assert line.menu.tries == Menu(()).tries
    assert line.destination.timeout_seconds == Destination(DestinationKind.DIAL).timeout_seconds


def test_the_complete_small_example_is_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(small(), "utf-8")
    (line,) = load(path, {}).lines
    assert line.converses
    assert {line.destination.target, *(each.target for each in line.destinations.values())} == {"support", "billing"}


def test_the_readmes_example_is_the_complete_small_one(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (whole,) = [block for block in blocks if block.startswith("twilio:")]
    (tmp_path / "readme.yaml").write_text(whole, "utf-8")
    (tmp_path / "example.yaml").write_text(small(), "utf-8")
    assert load(tmp_path / "readme.yaml", {}) == load(tmp_path / "example.yaml", {})


def test_every_fragment_in_the_readme_is_understood() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL):
        settings = yaml.safe_load(block)
        assert settings.keys() <= {*ConfigSchema().fields, *FlowSchema().fields}


def test_the_example_is_read_without_scrolling_sideways() -> None:
    assert max(len(line) for line in EXAMPLE.read_text("utf-8").splitlines()) <= 120


def test_every_setting_has_its_reason() -> None:
    """A setting without a comment above it belongs to a group that has one."""
    without = []
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for before, line in pairwise(lines):
        setting = re.match(r"  (#?)(\w+): \S|    +#(?:- )?([\w-]+):", line)
        if setting and not before.lstrip().startswith("# ") and not before.lstrip("- #").startswith("id:"):
            without.append(setting[0])
    assert without == []
