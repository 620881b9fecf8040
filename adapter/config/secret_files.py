"""Secrets that are kept in files: `pepper_file: /run/secrets/pepper` stands for the pepper itself.

`pepper_file: credential:pepper` is the credential `pepper` that systemd gives to the service (LoadCredential=).

A secret that is missing, empty or unreadable stops the start; an empty pepper would be a door left open in silence.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, NamedTuple

from marshmallow import Schema, fields

from .tables import Items, is_secret, twin_of
from .tree import Node, Path, Problem

# No secret is longer; a device or a log named by mistake must not be read to its end.
_MOST_BYTES = 65_536
_CREDENTIAL = "credential:"


class _Unusable(Exception):
    """The file cannot give a secret, and why."""


def read_secret_files(root: Node, schema: Schema, folder: FilePath, credentials: str | None = None) -> list[Problem]:
    """Replaces every `*_file` setting in the tree by what its file holds (in place).

    `folder`: what relative paths begin from; `credentials`: $CREDENTIALS_DIRECTORY. A list setting gets one item from
    each line.
    """
    return _section(root, schema, (), _Where(folder, None if not credentials else FilePath(credentials)))


class _Where(NamedTuple):
    folder: FilePath
    credentials: FilePath | None

    def file(self, named: str) -> FilePath:
        if not named.startswith(_CREDENTIAL):
            return self.folder / named
        name = named.removeprefix(_CREDENTIAL)
        if self.credentials is None:
            raise _Unusable(
                "names a credential, and there are none: systemd sets CREDENTIALS_DIRECTORY (LoadCredential=)"
            )
        if not name or "/" in name or name in (".", ".."):
            raise _Unusable("names no credential; write credential: and the name that LoadCredential= gives it")
        return self.credentials / name


def _section(node: Node, schema: Schema, path: Path, where: _Where) -> list[Problem]:
    problems = []
    for name, field in schema.fields.items():
        if is_secret(field):
            problems += _resolve(node, name, field, path, where)
        child = node.child(name)
        if child is not None:
            problems += _below(child, field, (*path, name), where)
    return problems


def _below(node: Node, field: fields.Field[Any], path: Path, where: _Where) -> list[Problem]:
    if isinstance(field, fields.Nested):
        return _section(node, field.schema, path, where)
    if isinstance(field, Items) and isinstance(node.value, list):
        return [p for at, item in enumerate(node.value) for p in _below(item, field.entries, (*path, at), where)]
    return []


def _resolve(node: Node, name: str, field: fields.Field[Any], path: Path, where: _Where) -> list[Problem]:
    twin = twin_of(name)
    if not isinstance(node.value, dict) or twin not in node.value:
        return []
    named = node.value.pop(twin)
    if named.value is None:
        return []
    if node.value.get(name, Node("", None)).value is not None:
        return [Problem(named.origin, (*path, twin), f"is set and {name} too; keep one of them")]
    try:
        text = _content(named.value, where)
    except _Unusable as unusable:
        return [Problem(named.origin, (*path, twin), str(unusable))]
    lines = [Node(named.origin, line.strip()) for line in text.splitlines() if line.strip()]
    node.value[name] = Node(named.origin, lines if isinstance(field, Items) else text.rstrip("\r\n"))
    return []


def _content(named: object, where: _Where) -> str:
    if not isinstance(named, str):
        raise _Unusable("is not the path of a file; write the path of a file that holds the secret")
    file = where.file(named)
    try:
        if not file.is_file():
            raise _Unusable("names no file; write the path of a file that holds the secret")
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise _Unusable(f"cannot be read: {reason}; let this user read the file") from None
    if not text.strip():
        raise _Unusable("names an empty file; write the secret into it")
    if len(data) > _MOST_BYTES:
        raise _Unusable("names a file far too long for a secret; write the path of the right file")
    return text
