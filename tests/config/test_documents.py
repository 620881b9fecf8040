"""YAML's own mistakes, and what is refused although it is YAML."""

from __future__ import annotations

import copy
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.config import Config, load
from adapter.config.document import parse
from adapter.errors import ConfigError
from tests.config.example import everything
from tests.examples import examples


def problems(data: bytes) -> list[str]:
    return [str(problem) for problem in parse(data, "f")[1]]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: [1", "f:1: is not valid YAML: expected ',' or ']', but got '<stream end>'"),
        (b"a: 1\nb: c: d", "f:2: is not valid YAML: mapping values are not allowed here"),
        (b"a: 1\n\tb: 2", "f:2: is not valid YAML: found character '\\t' that cannot start any token"),
        (b"a: 1\nb: \xff", "f:2: is not UTF-8 text; save the file as UTF-8"),
        (b"a: 1\nb: \x00", "f:2: holds a control character that YAML does not allow; remove it"),
        (b"a: &x 1\nb: *x", "f:1: is not valid YAML: anchors and aliases are not supported; write the value out"),
        (b"a: *x", "f:1: is not valid YAML: anchors and aliases are not supported; write the value out"),
        (b"a: " + b"[" * 30, "f:1: is not valid YAML: too many levels; no setting is nested this deeply"),
        (b"- 1", "f:1: is not a mapping; begin with sections such as `server:`"),
        (b"a", "f:1: is not a mapping; begin with sections such as `server:`"),
        (b"a: 1\n---\nb: 2", "f:2: is not valid YAML: but found another document"),
        (b"a: 1\n\na: 2", "f:3: a: is written twice (first at f:1); keep one of them"),
        (b"a:\n  b: 1\n  b: 2", "f:3: a.b: is written twice (first at f:2); keep one of them"),
        (b"? [1]\n: 2", "f:1: has a list or mapping as a key; keys are plain words"),
        (b"a: !x 1", "f:1: a: tags are not supported; write the value without it"),
        (b"a: !!python/object:os.system [x]", "f:1: a: tags are not supported; write the value without it"),
        (b'a: "\\UFFFFFFFF"', "f: is not valid YAML: an escape or a number in it is too large"),
        (b"%YAML " + b"9" * 5_000 + b".1\n---\na: 1", "f: is not valid YAML: an escape or a number in it is too large"),
    ],
)
def test_a_mistake_of_form_is_said_with_its_line(data: bytes, problem: str) -> None:
    assert problems(data) == [problem]


@pytest.mark.parametrize("data", [b"", b"\n# nothing\n", b"~", b"\xef\xbb\xbfserver: {}", b"---\n"])
def test_an_empty_document_is_no_mistake(data: bytes) -> None:
    assert problems(data) == []


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    if isinstance(value, dict):
        below = [place for key, item in value.items() for place in _places(item, (*path, key))]
    elif isinstance(value, list):
        below = [place for at, item in enumerate(value) for place in _places(item, (*path, at))]
    else:
        below = []
    return [path, *below] if path else below


_FULL = yaml.safe_load(everything())
_PLACES = _places(_FULL)
_WORDS = [
    "",
    "-1",
    "1.5",
    "true",
    "*",
    "default",
    "free",
    "+14155550123",
    "{% if %}",
    "hangup",
    "https://a",
    "/dev/null",
]
_SCALARS = st.none() | st.sampled_from(_WORDS) | st.integers() | st.floats() | st.dates() | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below, max_size=3)
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """The full example with other values in some places, so that every check is reached and none is spared."""
    document = copy.deepcopy(_FULL)
    for path in draw(st.lists(st.sampled_from(_PLACES), min_size=1, max_size=4)):
        *above, last = path
        holder = document
        with suppress(KeyError, IndexError, TypeError):
            for key in above:
                holder = holder[key]
            holder[last] = draw(_VALUES)
    return yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace")


_NAMES = sorted(
    {str(key).upper() for path in _PLACES for key in path} | {"", "X", "1", "PEPPER_FILE", "AUTH_TOKENS_FILE"}
)
_VARIABLES = st.dictionaries(
    st.one_of(
        st.sampled_from(_PLACES).map(lambda path: "ADAPTER_" + "__".join(str(key).upper() for key in path)),
        st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4).map(lambda parts: "ADAPTER_" + "__".join(parts)),
    ),
    st.text(max_size=8) | st.sampled_from([*_WORDS, "\udc80"]),
    max_size=4,
)


@settings(max_examples=examples(200))
@given(data=_damaged() | st.binary(max_size=60) | st.text(max_size=60).map(str.encode), environ=_VARIABLES)
@example(data=b"lines: [[], {texts: 1, destination: {dial: []}}]", environ={})
@example(data=b"twilio: {accounts: 1}\nlines: [{account: [], number: {}}]", environ={})
@example(data=b"organizations: [{id: a}]", environ={"ADAPTER_ORGANIZATIONS__0__ID": "\udc80"})
@example(data=b"tiers: {free: 1}\norganizations: [{id: a}, {id: b, tier: []}]", environ={})
def test_whatever_is_written_gives_a_configuration_or_its_mistakes_and_nothing_else(
    data: bytes, environ: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(data)
        assert isinstance(outcome(path, environ), Config | ConfigError)


def outcome(path: Path, environ: dict[str, str]) -> Config | ConfigError:
    try:
        return load(path, environ)
    except ConfigError as error:
        well_formed = error.problems and not any("\n" in problem for problem in error.problems)
        return error if well_formed else pytest.fail(f"not a list of lines: {error.problems}")
