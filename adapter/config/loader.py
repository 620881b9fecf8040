"""Reads the configuration: a YAML file, ADAPTER_ variables over it, secrets from their files; all mistakes at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from marshmallow import ValidationError

from adapter.errors import ConfigError

from .build import build
from .document import parse
from .environment import overlay
from .flow_references import check_conversations
from .line_references import check_lines
from .references import check_policy, check_references
from .schema import ConfigSchema
from .secret_files import read_secret_files
from .settings import Config
from .tables import twin_of
from .text_references import check_texts
from .tree import Key, Node, Path, Problem, as_mapping, origin_of, plain

_SCHEMA_LEVEL = "_schema"


def find(named: FilePath | None, environ: Mapping[str, str]) -> FilePath | None:
    """The file to read: the one named, else ADAPTER_CONFIG's, else config.yaml here if there is one, else none."""
    if named is not None:
        return named
    if environ.get("ADAPTER_CONFIG"):
        return FilePath(environ["ADAPTER_CONFIG"])
    here = FilePath("config.yaml")
    return here if here.exists() else None


def load(path: FilePath | None, environ: Mapping[str, str]) -> Config:
    """The configuration of `path` (None: defaults) and of the ADAPTER_ variables in `environ`, which win.

    Raises ConfigError with every mistake, each as `file:line: key.path: what is wrong, and what to write instead`
    (for a mistake in a variable: its name in place of file and line).
    """
    root, problems = _read(path)
    schema = ConfigSchema()
    problems += overlay(root, schema, environ)
    unread = read_secret_files(root, schema, path.parent if path else FilePath(), environ.get("CREDENTIALS_DIRECTORY"))
    problems += unread
    loaded, wrong = _check(root, schema)
    answered = {(*problem.path[:-1], twin_of(str(problem.path[-1]))) for problem in unread}
    problems += [problem for problem in wrong if problem.path not in answered]
    if problems:
        raise ConfigError(list(dict.fromkeys(str(problem) for problem in sorted(problems, key=_place))))
    return build(loaded)


def _place(problem: Problem) -> tuple[bool, int]:
    """The order in which a person mends a file: from top to bottom, and the variables after it."""
    line = problem.origin.rpartition(":")[2]
    return not line.isdecimal(), int(line) if line.isdecimal() else 0


def _read(path: FilePath | None) -> tuple[Node, list[Problem]]:
    if path is None:
        return Node("", {}), []
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it has no usable name"
        raise ConfigError([f"{path}: cannot be read: {reason}; name a YAML file that this user can read"]) from None
    return parse(data, str(path))


def _check(root: Node, schema: ConfigSchema) -> tuple[Mapping[str, Any], list[Problem]]:
    """What the schema made of it, and its mistakes with those between settings."""
    written = as_mapping(plain(root))
    found: list[tuple[Path, str]] = []
    loaded: Mapping[str, Any]
    try:
        loaded = schema.load(dict(written))
    except ValidationError as error:
        loaded = as_mapping(error.valid_data)
        found += _flat(error.messages)
    found += [*check_references(written), *check_lines(written)]
    found += [*check_conversations(written), *check_texts(written)]
    found += check_policy(loaded)
    return loaded, [Problem(origin_of(root, path), path, message) for path, message in found]


def _flat(messages: object, path: tuple[Key, ...] = ()) -> list[tuple[Path, str]]:
    """marshmallow's nested messages as (path, message)."""
    if isinstance(messages, dict):
        pairs = [(path if key == _SCHEMA_LEVEL else (*path, key), below) for key, below in messages.items()]
        return [found for deeper, below in pairs for found in _flat(below, deeper)]
    if isinstance(messages, list):
        return [found for message in messages for found in _flat(message, path)]
    return [(path, str(messages))]
