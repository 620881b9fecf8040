"""What was written, and where: a tree of texts in which every node knows its line or its environment variable.

Scalars stay the text that was written; the schema decides what they mean. So `number: +14155550123` (for YAML an
integer that loses its plus) and `language: no` (for YAML the boolean false) mean what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Key = str | int
Path = tuple[Key, ...]
Plain = str | list["Plain"] | dict[str, "Plain"] | None

_SHOWN_KEY_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Node:
    """`value` None: written, but left empty. Its children may be replaced while sources are laid over each other."""

    origin: str
    value: str | list[Node] | dict[str, Node] | None

    def child(self, key: Key) -> Node | None:
        """What is at `key`, or None."""
        if isinstance(self.value, dict) and isinstance(key, str):
            return self.value.get(key)
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return self.value[key]
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `origin`: file and line, or the environment variable's name; printed before the dotted key."""

    origin: str
    path: Path
    message: str

    def __str__(self) -> str:
        return ": ".join(shown(part) for part in (self.origin, dotted(self.path), self.message) if part)


def dotted(path: Sequence[Key]) -> str:
    """The key as a person would say it: `lines.0.number`. Keys may hold anything; what cannot be shown is escaped."""
    return ".".join(shown(str(key))[:_SHOWN_KEY_LENGTH] for key in path)


def shown(text: str) -> str:
    """On one line and without what a terminal would act on."""
    return text if text.isprintable() else ascii(text)[1:-1]


def plain(node: Node) -> Plain:
    """The tree as plain values. A key left empty (`lines:` and nothing after it) counts as not written."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items() if child.value is not None}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def origin_of(root: Node, path: Sequence[Key]) -> str:
    """Where `path` was written; for something that is missing, where it should have been."""
    node = root
    for key in path:
        child = node.child(key)
        if child is None:
            break
        node = child
    return node.origin


def as_mapping(value: object) -> Mapping[str, object]:
    """`value` when it is a mapping, else an empty one: cross-checks must not trip over what the schema reports."""
    return value if isinstance(value, dict) else {}


def as_items(value: object) -> list[object]:
    """`value` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []
