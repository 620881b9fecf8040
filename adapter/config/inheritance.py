"""What a line has from its flow: a setting written on the line wins over the flow's.

Tables (texts, destinations, intents) are joined name by name; every other setting is taken whole from one of the two.
The same rule joins the settings as written, with their places, for the checks, and as read, for the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .tree import Path, as_items, as_mapping

TABLES: Final = ("texts", "destinations", "intents")
# A line that names its language means not the flow's languages, and a voice speaks one language.
_GIVE_WAY: Final[Mapping[str, tuple[str, ...]]] = {
    "languages": ("language", "voice"),
    "language": ("languages", "voice"),
}


def inherited(line: Mapping[str, Any], flow: Mapping[str, Any]) -> dict[str, Any]:
    """The line's settings, with the flow's where the line has none."""
    displaced = {name for written in line for name in _GIVE_WAY.get(written, ()) if name not in line}
    joined = {name: value for name, value in flow.items() if name not in displaced}
    for name, value in line.items():
        joined[name] = {**as_mapping(joined.get(name)), **as_mapping(value)} if name in TABLES else value
    return joined


@dataclass(frozen=True, slots=True)
class Placed:
    """A setting as written, and where: on the line or in its flow."""

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Conversation:
    """A line with what it has from its flow, as written; or a flow that no line uses yet (`at` is the flow then)."""

    at: Path
    settings: Mapping[str, Any]

    def setting(self, name: str) -> Placed:
        """The setting, wherever it is written; the value None at the place where it belongs when it is not."""
        found = self.settings.get(name)
        return found if isinstance(found, Placed) else Placed((*self.at, name), None)

    def table(self, name: str) -> dict[str, Placed]:
        """The entries of `texts`, `destinations` or `intents`, by name."""
        found = self.settings.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def is_line(self) -> bool:
        """Whether calls come in here; a flow alone may lack what its lines add."""
        return self.at[0] == "lines"


def conversations(written: Mapping[str, object]) -> Iterator[Conversation]:
    """Every line with its flow, then the flows that no line uses. Lines of a flow that there is not are left out."""
    flows = as_mapping(written.get("flows"))
    used = set()
    for at, entry in enumerate(as_items(written.get("lines"))):
        line = as_mapping(entry)
        name = line.get("flow")
        used.add(name if isinstance(name, str) else "")
        if name is None or (isinstance(name, str) and name in flows):
            flow = _placed(as_mapping(flows.get(str(name))), ("flows", str(name)))
            yield Conversation(("lines", at), inherited(_placed(line, ("lines", at)), flow))
    for name, unused in flows.items():
        if name not in used:
            yield Conversation(("flows", name), _placed(as_mapping(unused), ("flows", name)))


def _placed(section: Mapping[str, object], path: Path) -> dict[str, Any]:
    return {
        name: {key: Placed((*path, name, key), item) for key, item in as_mapping(value).items()}
        if name in TABLES
        else Placed((*path, name), value)
        for name, value in section.items()
        if value is not None
    }
