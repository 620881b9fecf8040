"""What a text may be: a template that prints and branches on the facts of its text, and does nothing else.

No loops, calls, attributes or macros, so that no template can take long. The configuration judges operators' texts
with `problem` before anybody calls; `compiled` refuses again what a text must not be made of, whatever came past it.
Leaves out: which texts there are and what they say (`texts`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .trials import failure


class TextFailed(Exception):
    """A text that cannot be spoken. The message names the template's fault and no value."""


LONGEST_TEMPLATE: Final = 2_000  # characters of source
# Jinja compiles 300 of "not not not" in ten seconds, and into what Python refuses (200 brackets, 100 indentations).
DEEPEST: Final = 50

# What each text may mention (`adapter.engine.flow`): only whom we know well enough is told anything. None where it is
# unknown. `speech`: 1 where callers may speak, else 0; `key`: what to press; `count`, `length`: digits asked for.
FACTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "reuse": frozenset({"name", "intent", "attempt_count"}),
        "confirm": frozenset(),
        "ignore": frozenset(),
        "neutral": frozenset(),
        "welcome": frozenset(),
        "welcome_back": frozenset({"name"}),
        "resumed": frozenset(),
        "ask_language": frozenset({"key"}),
        "ask_who": frozenset({"speech"}),
        "ask_name": frozenset({"speech"}),
        "ask_digits": frozenset({"count", "speech"}),
        "ask_pin": frozenset({"speech"}),
        "ask_account": frozenset({"length", "speech"}),
        "offer": frozenset({"intent", "attempt_count", "speech"}),
        "menu": frozenset({"speech"}),
        "menu_option": frozenset({"intent", "key"}),
        "ask_forget": frozenset({"speech"}),
        "forgotten": frozenset(),
        "again": frozenset(),
        "verified": frozenset({"name"}),
        "not_verified": frozenset(),
        "connecting": frozenset(),
        "unreached": frozenset(),
        "voicemail": frozenset(),
        "recorded": frozenset(),
        "callback": frozenset(),
        "goodbye": frozenset(),
        "whisper": frozenset({"name", "intent", "attempt", "recommendation", "verified"}),
        "whisper_accept": frozenset(),
    }
)
# These may mention the variables that the line declares (`disclosure.variables`), too.
MAY_MENTION_VARIABLES: Final = frozenset({"reuse", "welcome_back", "offer", "verified", "whisper"})

_TOO_DEEP: Final = "is not a valid Jinja text (too deeply nested, or a number too long); write a plain sentence"

ALLOWED_NODES: Final = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Test,
    nodes.Filter,
)


def problem(name: str, template: str, variables: Collection[str] = ()) -> str | None:
    """What is wrong with an operator's text called `name`, and what to write instead; None when it can be spoken.

    `variables`: names of variables that are declared where the text is spoken; some texts may mention them.
    """
    return _fault(name, template, variables) or failure(_template(template), _environment().parse(template))


def facts_of(name: str, variables: Collection[str] = ()) -> frozenset[str]:
    """All that the text called `name` may mention where these variables are declared."""
    return FACTS[name] | frozenset(variables) if name in MAY_MENTION_VARIABLES else FACTS[name]


@lru_cache(maxsize=4_096)
def compiled(name: str, source: str, variables: frozenset[str] = frozenset()) -> Template:
    """The text called `name`, ready to be rendered. Raises TextFailed for what is made of more than a text may be.

    Not tried again: the first caller would wait for it.
    """
    if fault := _fault(name, source, variables):
        raise TextFailed(fault)
    return _template(source)


def _fault(name: str, template: str, variables: Collection[str]) -> str | None:
    """What it is made of that it must not be."""
    if name not in FACTS:
        return f"is no text; there are {', '.join(sorted(FACTS))}"
    if len(template) > LONGEST_TEMPLATE:
        return f"is longer than {LONGEST_TEMPLATE} characters; write what somebody will listen to"
    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError as error:
        at = f" (line {error.lineno} of the text)" if error.lineno > 1 else ""
        return f"is not a valid Jinja text: {error.message}{at}; see jinja.palletsprojects.com/templates"
    except (RecursionError, ValueError):
        return _TOO_DEEP
    if _depth(tree) > DEEPEST:
        return _TOO_DEEP
    return next(_faults(tree, facts_of(name, variables), name), None)


@lru_cache(maxsize=4_096)
def _template(source: str) -> Template:
    return _environment().from_string(source)


def _depth(tree: nodes.Template) -> int:
    depth = 0
    level: list[nodes.Node] = [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in node.iter_child_nodes()]
    return depth


def _faults(tree: nodes.Template, facts: frozenset[str], name: str) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED_NODES):
            yield f"uses {type(node).__name__.lower()}, but a text may only print and branch; leave it out"
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield f'uses the filter "{node.name}"; the filters here are {", ".join(sorted(FILTERS))}'
        elif isinstance(node, nodes.Filter) and len(node.args) + len(node.kwargs) != (node.name == "default"):
            yield f'gives the filter "{node.name}" too much or too little; write upper or default("so")'
        if isinstance(node, nodes.Test) and node.name not in _environment().tests:
            yield f'uses an unknown test "{node.name}"; leave it out'
        if isinstance(node, nodes.Name) and node.name not in facts:
            yield f'uses "{node.name}", which is not known when this text is spoken; {_allowed(name, facts)}'


def _allowed(name: str, facts: frozenset[str]) -> str:
    if facts:
        return f"it may use {', '.join(sorted(facts))}"
    return f"only {', '.join(sorted(MAY_MENTION_VARIABLES))} may mention what is remembered"


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    """No autoescape: the TwiML builder escapes, and twice would be heard. A misspelt fact fails (StrictUndefined)."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_or_silence)
    environment.filters.clear()
    environment.filters.update(FILTERS)
    return environment


def _or_silence(value: object) -> object:
    """Without it a template that prints an unknown name says "None"."""
    return "" if value is None else value


def _of_text(change: Callable[[str], str]) -> Callable[[object], object]:
    return lambda value: change(value) if isinstance(value, str) else value


# All that there are. None makes a text longer than what goes in, as Jinja's `replace` and `center` do.
FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "capitalize": _of_text(str.capitalize),
    "lower": _of_text(str.lower),
    "title": _of_text(str.title),
    "trim": _of_text(str.strip),
    "upper": _of_text(str.upper),
    "default": lambda value, instead: instead if value is None else value,
}
