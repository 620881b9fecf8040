"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _int(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, wide, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=null)


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    # By code point: an order that comes from the operating system's locales changes with its updates, and then an index
    # no longer finds what is in it.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, primary_key=key, nullable=null)


def _realm() -> tuple[sa.Column[int], sa.Column[int]]:
    return _int("account", key=True), _int("realm", key=True)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_with_rowid=False)


def upgrade() -> None:
    _reference()
    _identities()
    _memories()
    _calls()
    _meters()


def _reference() -> None:
    _table(
        "organizations",
        _text("organization", key=True),
        _text("billing_account"),
        _int("account"),
        _int("number"),
        sa.UniqueConstraint("account", "number", name="one_organization_a_number"),
    )
    _table(
        "api_keys",
        _text("prefix", key=True),
        _text("organization"),
        _text("mode"),
        _text("label"),
        _bytes("hash"),
        _int("created_at"),
        _int("expires_at", null=True),
        _int("revoked_at", null=True),
        sa.CheckConstraint("mode IN ('test', 'prod')", name="known_mode"),
    )
    _table("clocks", _text("boot_id", key=True), _int("offset_ms"))


def _identities() -> None:
    _table(
        "customers",
        *_realm(),
        _bytes("customer", key=True),
        _int("created_at"),
        _int("last_contact"),
        _int("next_expiry", null=True),
        sa.CheckConstraint("length(customer) = 16", name="customer_is_a_uuid"),
    )
    has_expiry = sa.text("next_expiry IS NOT NULL")
    op.create_index(
        "customers_next_expiry",
        "customers",
        ["account", "realm", "next_expiry"],
        sqlite_where=has_expiry,
        postgresql_where=has_expiry,
    )
    _table(
        "numbers",
        *_realm(),
        _bytes("token", key=True),
        _bytes("customer", key=True),
        _int("last_seen"),
        _int("line_type", null=True),
        _int("line_type_at"),
        _int("doubts"),
        _bytes("sealed"),
        sa.CheckConstraint("length(token) = 16 AND doubts >= 0", name="number_is_sound"),
        sa.CheckConstraint("line_type BETWEEN 0 AND 3", name="known_line_type"),
    )
    op.create_index("numbers_of_customer", "numbers", ["account", "realm", "customer"])
    _table(
        "external_ids",
        *_realm(),
        _bytes("token", key=True),
        _bytes("customer"),
        _text("key"),
        _int("last_seen"),
        _int("doubts"),
        _bytes("sealed"),
        sa.CheckConstraint("length(token) = 16 AND doubts >= 0", name="external_id_is_sound"),
    )
    op.create_index("external_ids_of_customer", "external_ids", ["account", "realm", "customer"])
    _table(
        "sightings",
        *_realm(),
        _bytes("pair", key=True),
        _bytes("ani", key=True),
        _text("call_id"),
        _int("seen_at"),
        _bytes("sealed"),
    )
    op.create_index("sightings_of_number", "sightings", ["account", "realm", "ani"])


def _memories() -> None:
    _table(
        "intents",
        *_realm(),
        _bytes("customer", key=True),
        _text("intent", key=True),
        _int("status"),
        _int("attempts"),
        _int("opened_at"),
        _int("position"),
        _int("updated_at"),
        _text("last_call_id"),
        _bytes("resolution", null=True),
        sa.CheckConstraint("status BETWEEN 0 AND 1 AND attempts >= 0", name="intent_is_sound"),
    )
    _table(
        "variables",
        *_realm(),
        _bytes("customer", key=True),
        _text("name", key=True),
        _text("source", null=True),
        _int("ttl_seconds"),
        _int("created_at"),
        _int("position"),
        _int("expires_at"),
        _bytes("sealed"),
        sa.CheckConstraint("ttl_seconds > 0", name="variable_is_sound"),
    )


def _calls() -> None:
    _table(
        "calls",
        *_realm(),
        _text("call_id", key=True),
        _bytes("customer", null=True),
        _int("started_at"),
        _int("greeted_at", null=True),
        _int("hung_up_at", null=True),
        _int("ended_at", null=True),
        _text("origin"),
        _text("verdict", null=True),
        _bytes("sealed"),
    )
    op.create_index("calls_of_customer", "calls", ["account", "realm", "customer", "started_at"])
    op.create_index("calls_by_start", "calls", ["account", "realm", "started_at"])
    _table("tombstones", *_realm(), _bytes("customer", key=True), _int("erased_at"))
    _table(
        "answers",
        *_realm(),
        _text("scope", key=True),
        _bytes("token", key=True),
        _bytes("customer"),
        _text("fingerprint"),
        _int("expires_at"),
        _bytes("sealed"),
    )
    op.create_index("answers_by_expiry", "answers", ["account", "realm", "expires_at"])
    op.create_index("answers_of_customer", "answers", ["account", "realm", "customer"])


def _meters() -> None:
    _table(
        "rate_hits",
        _int("account", key=True),
        _int("organization", key=True),
        _int("at", key=True),
        _int("seq", key=True),
    )
    _table(
        "usage",
        _int("account", key=True),
        _int("period", key=True),
        _int("used"),
        sa.CheckConstraint("used >= 0", name="usage_is_sound"),
    )
