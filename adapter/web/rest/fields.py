"""The fields of this API's JSON: what is accepted, and in which words the rest is refused.

Messages are predicates ("is required"); `schemas` puts the field's name before them, as the reference does. Each field
carries what its description (`web.openapi`) needs, so no rule is written twice. Leaves out: rules between fields
(`schemas`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from marshmallow import ValidationError, fields, validate
from marshmallow.exceptions import SCHEMA

from adapter.engine.caller_id import CallerId, read_ani

MAX_RESOLUTION = 4096
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_NOT_NUL = r"^[^\x00]*$"
_Messages = dict[str, str | list[Any] | dict[Any, Any]]


class Name(str):
    """A name the client chose, as a step of an error's path: never to be taken for marshmallow's own "_schema"."""

    __slots__ = ()


class _Spoken:
    default_error_messages: _Messages = {"required": "is required", "null": "must not be null"}


class Text(_Spoken, fields.String):
    """A string of `at_least` to `at_most` characters that every database and every UTF-8 answer can hold."""

    default_error_messages: _Messages = {
        "invalid": "must be a string",
        "characters": "must not hold NUL or unpaired surrogates",
    }

    def __init__(self, at_most: int, at_least: int = 0, **options: Any) -> None:
        bounds = f"{at_least} to {at_most}" if at_least else f"at most {at_most}"
        length = validate.Length(at_least or None, at_most, error=f"must be {bounds} characters long")
        super().__init__(validate=length, metadata={"pattern": _NOT_NUL, **options.pop("metadata", {})}, **options)
        self.error_messages["null"] = self.error_messages["invalid"]

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not is_storable(value):
            raise self.make_error("characters")
        return value


class CustomerRef(_Spoken, fields.String):
    """A customer_ref: a UUID's 8-4-4-4-12 form in any case; loads as lower case."""

    default_error_messages: _Messages = {"invalid": "must be a UUID", "null": "must be a UUID"}

    def __init__(self, **options: Any) -> None:
        form = {"format": "uuid", "pattern": f"^{UUID.pattern}$"}
        super().__init__(metadata={**form, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not UUID.fullmatch(value):
            raise self.make_error("invalid")
        return value.lower()


# As it is described: gateways and generated clients check by it. More is understood (`engine.caller_id`).
_NUMBER_OR_NONE = r"^(\+[1-9][0-9]{6,14}|[Aa]nonymous|[Bb]locked|[Pp]rivate|[Rr]estricted|[Uu]navailable|[Uu]nknown)?$"


class Ani(_Spoken, fields.String):
    """A caller's number; loads as a CallerId. Withheld or empty is an answer, malformed is not (semantics §5)."""

    default_error_messages: _Messages = {
        "invalid": "must be a phone number in E.164 format, like +14155550123",
        "null": "must be a phone number in E.164 format, like +14155550123",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"pattern": _NUMBER_OR_NONE, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> CallerId:  # type: ignore[override]
        caller = read_ani(value) if isinstance(value, str) else None
        # With blanks around it, Twilio's number is one; what a client sends has to be in the form that is asked for.
        if caller is None or caller.note == "not_dialable" or caller.number not in (None, value):
            raise self.make_error("invalid")
        return caller


class Word(_Spoken, fields.Enum[Any]):
    """One of an Enum's values; loads as the member."""

    def __init__(self, words: type[Enum], **options: Any) -> None:
        super().__init__(words, by_value=fields.String(), **options)
        self.error_messages["unknown"] = self.error_messages["null"] = f"must be one of: {self.choices_text}"

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("unknown")
        return super()._deserialize(value, attr, data, **kwargs)


class Whole(_Spoken, fields.Integer):
    """An integer from `least` to `most`. As in JSON Schema, 60.0 is one; as in neither, true and "60" are not."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most, error=f"must be {least} to {most}"), **options)
        self.error_messages["invalid"] = self.error_messages["null"] = "must be a whole number"

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class JsonObject(_Spoken, fields.Dict):
    """Any JSON object of at most MAX_RESOLUTION characters when written compactly."""

    default_error_messages: _Messages = {
        "invalid": "must be an object",
        "null": "must be an object",
        "characters": "must not hold NUL or unpaired surrogates",
        "size": f"must be at most {MAX_RESOLUTION} characters of JSON",
    }

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if len(written) > MAX_RESOLUTION:
            raise self.make_error("size")
        if "\\u0000" in written.replace("\\\\", "") or not is_storable(written):
            raise self.make_error("characters")
        return value


class Named(_Spoken, fields.Dict):
    """An object whose names the client chooses: at most `at_most` of them, each name and value checked by a field.

    Of too many none is looked at: an issue for each would be an answer of megabytes, and seconds of work.
    """

    default_error_messages: _Messages = {"invalid": "must be an object", "null": "must be an object"}

    def __init__(self, values: fields.Field[Any], *, at_most: int, **options: Any) -> None:
        self.names, self.members, self.at_most = Text(128, 1), values, at_most
        super().__init__(keys=self.names, values=self.members, **options)

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        if len(value) > self.at_most:
            raise ValidationError({SCHEMA: [f"must not hold more than {self.at_most} names"]})
        loaded: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for name, member in value.items():
            problems = self._problems(name, member, loaded)
            if problems:
                wrong[Name(name)] = problems
        if wrong:
            raise ValidationError(wrong, valid_data=loaded)
        return loaded

    def _problems(self, name: str, member: object, loaded: dict[str, Any]) -> list[Any]:
        problems: list[Any] = []
        try:
            self.names.deserialize(name)
        except ValidationError as error:
            problems += [f"has a name that {message}" for message in error.messages]
        try:
            loaded[name] = self.members.deserialize(member)
        except ValidationError as error:
            problems.append(error.messages)
        return problems


class Part(_Spoken, fields.Nested):
    """An object described by a schema."""

    default_error_messages: _Messages = {"null": "must be an object"}


class Many(_Spoken, fields.List[Any]):
    """At most `at_most` items of one kind. Of too many none is looked at, as above."""

    default_error_messages: _Messages = {"invalid": "must be an array", "null": "must be an array"}

    def __init__(self, item: fields.Field[Any], *, at_most: int, **options: Any) -> None:
        self._limit = validate.Length(max=at_most, error=f"must not hold more than {at_most} items")
        super().__init__(item, validate=self._limit, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self._limit(value)
        return super()._deserialize(value, attr, data, **kwargs)


def is_storable(text: str) -> bool:
    """Whether every database and every UTF-8 answer can hold this text: no NUL, no unpaired surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
