"""What callers are told, judged before anybody is: is it a template, and does it mention only what it may?

The same rules as `adapter.twilio.texts`, which speaks them and lies above this package (a test holds the two together):
a text that lets the service start must not fail in a call. Nothing is rendered or computed here.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_TEMPLATE = 2_000
# Only `reuse` is sure enough to be told anything of what is remembered (see adapter.engine.flow).
FACTS: dict[str, tuple[str, ...]] = {
    "reuse": ("name", "intent", "attempt_count"),
    "confirm": (),
    "ignore": (),
    "neutral": (),
}
FILTERS = frozenset({"capitalize", "lower", "title", "trim", "upper", "default"})
# Printing and branching: neither a loop nor a call, so that no text takes long.
ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
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


def template_problem(name: str, template: str) -> str | None:
    """What is wrong with the text called `name`, and what to write instead; None when it can be spoken."""
    if len(template) > LONGEST_TEMPLATE:
        return f"is longer than {LONGEST_TEMPLATE} characters; write what somebody will listen to"
    environment = ImmutableSandboxedEnvironment(autoescape=True)
    try:
        tree = environment.parse(template)
    except TemplateSyntaxError as error:
        at = f" (line {error.lineno} of the text)" if error.lineno > 1 else ""
        return f"is not a valid Jinja text: {error.message}{at}; see jinja.palletsprojects.com/templates"
    except (RecursionError, ValueError):
        return "is not a valid Jinja text (too deeply nested, or a number too long); write a plain sentence"
    return next(_faults(name, environment, tree), None)


def _faults(name: str, environment: ImmutableSandboxedEnvironment, tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED_NODES):
            yield f"uses {type(node).__name__.lower()}, but a text may only print and branch; leave it out"
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield f'uses the filter "{node.name}"; the filters here are {", ".join(sorted(FILTERS))}'
        if isinstance(node, nodes.Test) and node.name not in environment.tests:
            yield f'uses an unknown test "{node.name}"; leave it out'
        if isinstance(node, nodes.Name) and node.name not in FACTS[name]:
            yield f'uses "{node.name}", which is not known when this text is spoken; {_allowed(name)}'


def _allowed(name: str) -> str:
    facts = ", ".join(FACTS[name])
    return f"it may use {facts}" if facts else "only reuse may mention what is remembered"
