"""What callers are told, checked before anybody is: Jinja syntax, known filters, and only the facts a text may use.

A text is not rendered here, and constants in it are not computed: `{{ 9 ** 9 ** 9 }}` must not stop a start.
"""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

TEXT_NAMES = ("reuse", "confirm", "ignore", "neutral")
# Only `reuse` is sure enough to be told anything of what is remembered (see adapter.engine.flow).
_FACTS = {"reuse": ("name", "intent", "attempt_count")}
_OTHER_FILES: Any = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def template_problem(name: str, template: str) -> str | None:
    """What is wrong with the text called `name`, and what to write instead; None when it can be spoken."""
    environment = SandboxedEnvironment(autoescape=True)
    try:
        tree = environment.parse(template)
    except TemplateSyntaxError as error:
        at = f" (line {error.lineno} of the text)" if error.lineno > 1 else ""
        return f"is not a valid Jinja text: {error.message}{at}; see jinja.palletsprojects.com/templates"
    except (RecursionError, ValueError):
        return "cannot be compiled (too deeply nested, or a number too long); write a plain sentence"
    return _other_file(tree) or _unknown_function(environment, tree) or _unknown_fact(name, tree)


def _other_file(tree: nodes.Template) -> str | None:
    if any(True for _ in tree.find_all(_OTHER_FILES)):
        return "refers to another template; there are no others, write the text here"
    return None


def _unknown_function(environment: SandboxedEnvironment, tree: nodes.Template) -> str | None:
    filters = [("filter", used.name) for used in tree.find_all(nodes.Filter) if used.name not in environment.filters]
    tests = [("test", used.name) for used in tree.find_all(nodes.Test) if used.name not in environment.tests]
    for kind, name in filters + tests:
        return f'uses an unknown {kind} "{name}"; leave it out'
    return None


def _unknown_fact(name: str, tree: nodes.Template) -> str | None:
    allowed = _FACTS.get(name, ())
    names = list(tree.find_all(nodes.Name))
    own = {found.name for found in names if found.ctx != "load"}
    unknown = sorted({found.name for found in names} - own - set(allowed))
    if not unknown:
        return None
    what = "it may use " + ", ".join(allowed) if allowed else 'only "reuse" may mention what is remembered'
    return f'uses "{unknown[0]}", which is not known when this text is spoken; {what}'
