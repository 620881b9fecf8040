"""From the bytes of a YAML file to a tree that knows its lines, reporting every mistake of form.

Leaves out: what the settings mean (`schema`). Anchors, aliases and tags are refused: a configuration does not need
them, and without them a document cannot contain itself, grow exponentially or name a Python object.
"""

from __future__ import annotations

import yaml
from yaml.composer import Composer
from yaml.events import AliasEvent, Event, NodeEvent
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as YamlNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import Resolver
from yaml.scanner import Scanner

from .tree import Node, Path, Problem

# The deepest setting (a word of flows.x.menu.options.0.words) is at 7; far more would exhaust Python's stack.
_DEEPEST = 20
_NULL_TAG = "tag:yaml.org,2002:null"
# What YAML finds out by itself about a value written without a tag.
_IMPLICIT_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
)


class _Unsupported(yaml.MarkedYAMLError):
    """YAML that is valid and still refused."""

    def __init__(self, problem: str, event: Event) -> None:
        super().__init__(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]


class _Loader(Reader, Scanner, Parser, Composer, Resolver):
    """PyYAML up to nodes and no further: nothing is constructed, so nothing can be executed."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        Resolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: YamlNode | None, index: int) -> YamlNode | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise _Unsupported("anchors and aliases are not supported; write the value out", event)
        if self._depth >= _DEEPEST:
            raise _Unsupported("too many levels; no setting is nested this deeply", event)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def parse(data: bytes, name: str) -> tuple[Node, list[Problem]]:
    """The document's tree and its mistakes. `name`: the file's name for messages. Never raises.

    After a mistake of YAML syntax the tree is empty, since nothing after it can be trusted.
    """
    empty = Node(name, {})
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return empty, [Problem(f"{name}:{line}", (), "is not UTF-8 text; save the file as UTF-8")]
    try:
        top = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        return empty, [_syntax_problem(error, text, name)]
    except (ValueError, OverflowError):  # PyYAML on "\\UFFFFFFFF" and on %YAML with a version of 5 000 digits
        return empty, [Problem(name, (), "is not valid YAML: an escape or a number in it is too large")]
    if top is None or (isinstance(top, ScalarNode) and top.tag == _NULL_TAG):
        return empty, []
    reader = _TreeReader(name)
    tree = reader.read(top, (), _line(top))
    if not isinstance(tree.value, dict):
        problem = Problem(tree.origin, (), "is not a mapping; begin with sections such as `server:`")
        return empty, [problem, *reader.problems]
    return tree, reader.problems


def _syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """Only the parser's own words: its excerpt of the file could show a secret."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = error.problem or "cannot be understood"
        return Problem(f"{name}:{mark.line + 1 if mark else 1}", (), f"is not valid YAML: {what}")
    position = getattr(error, "position", 0)
    line = text.count("\n", 0, position) + 1
    return Problem(f"{name}:{line}", (), "holds a control character that YAML does not allow; remove it")


def _line(node: YamlNode) -> int:
    return int(node.start_mark.line) + 1


class _TreeReader:
    """Turns YAML nodes into ours and collects what is wrong with their form."""

    def __init__(self, name: str) -> None:
        self.problems: list[Problem] = []
        self._name = name

    def read(self, node: YamlNode, path: Path, line: int) -> Node:
        origin = f"{self._name}:{line}"
        if node.tag not in _IMPLICIT_TAGS:
            self._report(line, path, "tags are not supported; write the value without it")
        if isinstance(node, MappingNode):
            return Node(origin, self._mapping(node, path))
        if isinstance(node, SequenceNode):
            items = [self.read(item, (*path, at), _line(item)) for at, item in enumerate(node.value)]
            return Node(origin, items)
        return Node(origin, None if node.tag == _NULL_TAG else node.value)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, ScalarNode):
                self._report(line, path, "has a list or mapping as a key; keys are plain words")
                continue
            key = str(key_node.value)
            if key in children:
                first = children[key].origin
                self._report(line, (*path, key), f"is written twice (first at {first}); keep one of them")
                continue
            children[key] = self.read(value_node, (*path, key), line)
        return children

    def _report(self, line: int, path: Path, message: str) -> None:
        self.problems.append(Problem(f"{self._name}:{line}", path, message))
