"""Settings that hold settings: sections with fixed keys, tables keyed by the user's names, lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from .fields import Text
from .suggestions import did_you_mean

_NO_LIST = "is missing; write its items below it, each after `- `"
_NOT_A_LIST = "is not a list; write its items below it, each after `- `"
_NOT_A_MAPPING = "is not a mapping; write its settings below it, indented"


class Section(Schema):
    """A mapping with fixed keys. An unknown key is a mistake, and gets the name that was probably meant."""

    error_messages = {"type": _NOT_A_MAPPING}

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Replaces marshmallow's "Unknown field." for each key that this section does not have."""
        if not isinstance(data, dict) or not isinstance(error.messages, dict):
            return
        for key in data.keys() - self.fields.keys():
            error.messages[key] = [unknown_setting(key, names_of(self))]


def names_of(schema: Schema) -> list[str]:
    """The keys that may be written in this section, `*_file` twins of secrets included."""
    twins = [f"{name}_file" for name, field in schema.fields.items() if is_secret(field)]
    return [*schema.fields, *twins]


def is_secret(field: fields.Field[Any]) -> bool:
    """Whether the value may also be read from a file, and is masked when shown."""
    return bool(field.metadata.get("secret"))


def twin_of(name: str) -> str:
    """`x_file` for `x`, `x` for `x_file`: the two spellings of a secret."""
    return name.removesuffix("_file") if name.endswith("_file") else f"{name}_file"


def unknown_setting(key: str, names: list[str]) -> str:
    """The message for a key that does not exist."""
    suggestion = did_you_mean(key, names)
    return "is not a setting" + (suggestion or f"; the settings here are {', '.join(sorted(names))}")


class Table(fields.Dict):
    """A mapping whose keys are the user's own names. `keys` reads (and may normalise) them, `values` the values."""

    def __init__(self, keys: Text, values: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(keys=keys, values=values, **kwargs)
        self.names, self.entries = keys, values

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(_NOT_A_MAPPING)
        found: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for key, entry in value.items():
            try:
                name = self.names.read(key)
                if name in found:
                    raise ValidationError(f'is "{name}" once more; keep one of them')
                found[name] = self.value_field.deserialize(entry, **kwargs) if self.value_field else entry
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors, valid_data=found)
        return found


class Items(fields.List[Any]):
    """A list, with a message that shows how one is written."""

    def __init__(self, inner: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(inner, error_messages={"invalid": _NOT_A_LIST, "required": _NO_LIST}, **kwargs)
        self.entries = inner
