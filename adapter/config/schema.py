"""Every setting: its name, its kind, its range and its default. One class a section, in the order of the example file.

The defaults are those of `settings` and `adapter.engine.policy`, taken from there so that there is one place for each.
A line's conversation is in `conversation`. Leaves out: what needs more than one setting to judge (`references`).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from marshmallow import Schema, fields, validate

from adapter.engine import policy

from .conversation import DisclosureSchema, FlowSchema
from .fields import Address, Bind, Choice, DatabaseUrl, Fraction, Numbers, Pepper, SecretKey, Switch, Text, Whole
from .settings import (
    DEFAULT_ORGANIZATION,
    DEFAULT_TIER,
    ApiConfig,
    DatabaseConfig,
    LoggingConfig,
    RecordingConfig,
    ServerConfig,
    TwilioConfig,
)
from .tables import Items, Section, Table
from .words import Language, TextsSchema

_ACCOUNT_SID = r"AC[0-9a-fA-F]{32}|\*"
_YEAR_SECONDS = 31_536_000

# Settings of policy.py that are whole numbers: least, most, unit. The rest are weights (0..1) and lists of names.
_WHOLE_RANGES: dict[str, tuple[int, int, str]] = {
    # The store stops counting other numbers at 10 (it would read the whole history of a shared id otherwise).
    "shared_external_id_after_numbers": (1, 9, "telephone numbers"),
    "unique_days": (1, 3_650, "days"),
    "wrap_up_hours": (0, 720, "hours"),
    "default_ttl_seconds": (1, 10 * _YEAR_SECONDS, "seconds"),
    "max_ttl_seconds": (1, 10 * _YEAR_SECONDS, "seconds"),
    "window_seconds": (1, 3_600, "seconds"),
    "grace_percent": (0, 100, "percent"),
    "idempotency_hours": (1, 720, "hours"),
    "calls_days": (1, 3_650, "days"),
}


def flow_name() -> Text:
    """The name of a flow, where it is given one and where a line refers to it."""
    return Text("the name of a flow: letters, digits, _ . and -", r"[A-Za-z0-9_.-]{1,64}")


class DatabaseSchema(Section):
    url = DatabaseUrl(load_default=DatabaseConfig().url, metadata={"secret": True})
    lock_timeout_ms = Whole(1, 60_000, unit="milliseconds", load_default=DatabaseConfig().lock_timeout_ms)
    pool_size = Whole(1, 1_000, unit="connections of each worker", load_default=DatabaseConfig().pool_size)
    state_dir = Text("the path of a folder", load_default=DatabaseConfig().state_dir)


class ServerSchema(Section):
    bind = Bind(load_default=ServerConfig().bind)
    workers = Whole(1, 256, unit="processes", load_default=ServerConfig().workers)
    threads = Whole(1, 1_024, unit="threads of each worker", load_default=ServerConfig().threads)


class TierSchema(Section):
    per_minute = Whole(1, 1_000_000, word="unlimited")
    monthly = Whole(0, 10**12, word="unlimited")


class OrganizationSchema(Section):
    id = Text("a short name: letters, digits, _ . and -", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", required=True)
    tier = Text("the name of a tier", r"[A-Za-z0-9_.-]{1,64}", load_default=DEFAULT_TIER)
    monthly = Whole(0, 10**12, word="unlimited")
    billing_account = Text("ba_ and letters, digits, _ or -", r"ba_[A-Za-z0-9_-]{1,61}")
    billing_day = Whole(1, 31, unit="day of the month, UTC", load_default=1)


class AccountSchema(Section):
    sid = Text('the account SID (AC and 32 hex digits), or "*" for any', _ACCOUNT_SID, required=True)
    auth_tokens = Items(
        Text("the auth token as Twilio's console shows it", r"(?!\*+$|replace-with-)\S{1,128}"),
        required=True,
        validate=validate.Length(min=1, max=8, error="has no token, or more than 8; write the account's auth token"),
        metadata={"secret": True},
    )


class TwilioSchema(Section):
    public_url = Address("the address Twilio calls, as https://calls.example.com", ("https", "http"), base=True)
    accounts = Items(fields.Nested(AccountSchema), load_default=list)
    webhook_deadline_ms = Whole(500, 12_000, unit="milliseconds", load_default=TwilioConfig().webhook_deadline_ms)


class LineSchema(FlowSchema):
    """A number of an account, and all that a flow can say, which then counts for this line alone."""

    account = Text('the account SID (AC and 32 hex digits), or "*" for any', _ACCOUNT_SID, load_default="*")
    number = Numbers(required=True)
    organization = Text("the id of an organization", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
    mode = Choice(("prod", "test"), load_default="prod")
    flow = flow_name()


class RecordingSchema(Section):
    file = Text("the path of a file, such as recordings/calls.jsonl")
    max_bytes = Whole(10_000, 10**12, unit="bytes", load_default=RecordingConfig().max_bytes)
    keep = Whole(0, 1_000, unit="older files", load_default=RecordingConfig().keep)
    lines = Items(Numbers(), load_default=list)
    personal = Choice(("pseudonyms", "keep"), load_default=RecordingConfig().personal)


class EncryptionKeySchema(Section):
    id = Text("a short name: letters, digits, _ and -", r"[A-Za-z0-9_-]{1,32}", required=True)
    key = SecretKey(required=True, metadata={"secret": True})


class SecuritySchema(Section):
    pepper = Pepper(metadata={"secret": True})
    former_peppers = Items(
        Pepper(),
        load_default=list,
        validate=validate.Length(max=8, error="has more than 8; leave out those that no key is hashed under any more"),
        metadata={"secret": True},
    )
    encryption_keys = Items(fields.Nested(EncryptionKeySchema), load_default=list)


class LoggingSchema(Section):
    level = Choice(("debug", "info", "warning", "error"), load_default=LoggingConfig().level)


class MetricsSchema(Section):
    token = Text(
        "at least 16 random characters (openssl rand -hex 24)",
        r"(?!replace-with-)\S{16,256}",
        metadata={"secret": True},
    )


class TracingSchema(Section):
    endpoint = Address("an address such as http://127.0.0.1:4318/v1/traces", ("http", "https"))


class ApiSchema(Section):
    older_dialect = Switch(load_default=ApiConfig().older_dialect)


def policy_section(rules: type) -> type[Schema]:
    """The section of a class of policy.py: a field for each of its fields, whatever they are."""
    found = {field.name: _policy_field(field, getattr(rules(), field.name)) for field in dataclasses.fields(rules)}
    return Section.from_dict(found, name=f"{rules.__name__}Schema")


def _policy_field(field: dataclasses.Field[Any], default: Any) -> fields.Field[Any]:
    if isinstance(default, tuple):
        names = Text("the key of an external id", ".{1,128}")
        return Items(names, load_default=lambda: list(default), metadata={"start_from": list(default)})
    if isinstance(default, float):
        return Fraction(load_default=default)
    least, most, unit = _WHOLE_RANGES[field.name]
    return Whole(least, most, unit=unit, load_default=default)


def section(schema: type[Schema]) -> fields.Nested:
    """A section at the top: when it is not written, everything in it has its default."""
    return fields.Nested(schema, load_default=lambda: schema().load({}))


class ConfigSchema(Section):
    """The whole file."""

    database = section(DatabaseSchema)
    server = section(ServerSchema)
    organizations = Items(
        fields.Nested(OrganizationSchema), load_default=list, metadata={"start_from": [{"id": DEFAULT_ORGANIZATION}]}
    )
    tiers = Table(Text("a short name", r"[A-Za-z0-9_.-]{1,64}"), fields.Nested(TierSchema), load_default=dict)
    identity = section(policy_section(policy.IdentityPolicy))
    calls = section(policy_section(policy.CallPolicy))
    variables = section(policy_section(policy.VariablePolicy))
    limits = section(policy_section(policy.LimitPolicy))
    retention = section(policy_section(policy.RetentionPolicy))
    twilio = section(TwilioSchema)
    flows = Table(flow_name(), fields.Nested(FlowSchema), load_default=dict)
    lines = Items(fields.Nested(LineSchema), load_default=list)
    disclosure = section(DisclosureSchema)
    texts = Table(Language(), fields.Nested(TextsSchema), load_default=dict)
    recording = section(RecordingSchema)
    security = section(SecuritySchema)
    logging = section(LoggingSchema)
    metrics = section(MetricsSchema)
    tracing = section(TracingSchema)
    api = section(ApiSchema)
