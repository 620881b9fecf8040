"""The tables, as the newest migration leaves them.

Every primary key of caller data begins with (account, realm), so that a distributed database can keep a realm
together; ids are made in Python; no triggers, no sequences. In SQLite rows live in their primary key (WITHOUT ROWID).
Times are epoch milliseconds, customers 16-byte UUIDs, tokens 16-byte blind indexes, `sealed` is `sealing`'s format.
Types must also fit PostgreSQL: BIGINT, BYTEA, TEXT. Leaves out: statements (the modules beside this one).
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# The order is stored: append only. line_type 0..3, intents.status 0..1.
LINE_TYPES = ("mobile", "landline", "voip", "unknown")
INTENT_STATUSES = ("open", "resolved")


def _int(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    # Plain INTEGER for SQLite, whose integers are as wide as their value; 64 bits elsewhere.
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


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *parts, sqlite_with_rowid=False)


organizations = _table(
    "organizations",
    _text("organization", key=True),
    _text("billing_account"),
    _int("account"),
    _int("number"),
    sa.UniqueConstraint("account", "number", name="one_organization_a_number"),
)

api_keys = _table(
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

clocks = _table("clocks", _text("boot_id", key=True), _int("offset_ms"))

customers = _table(
    "customers",
    *_realm(),
    _bytes("customer", key=True),
    _int("created_at"),
    _int("last_contact"),
    # When the first of its variables expires: one index entry a customer instead of one a variable.
    _int("next_expiry", null=True),
    sa.CheckConstraint("length(customer) = 16", name="customer_is_a_uuid"),
)
sa.Index(
    "customers_next_expiry",
    customers.c.account,
    customers.c.realm,
    customers.c.next_expiry,
    sqlite_where=customers.c.next_expiry.is_not(None),
    postgresql_where=customers.c.next_expiry.is_not(None),
)

numbers = _table(
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
sa.Index("numbers_of_customer", numbers.c.account, numbers.c.realm, numbers.c.customer)

external_ids = _table(
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
sa.Index("external_ids_of_customer", external_ids.c.account, external_ids.c.realm, external_ids.c.customer)

sightings = _table(
    "sightings",
    *_realm(),
    _bytes("pair", key=True),
    _bytes("ani", key=True),
    _text("call_id"),
    _int("seen_at"),
    _bytes("sealed"),
)
sa.Index("sightings_of_number", sightings.c.account, sightings.c.realm, sightings.c.ani)

intents = _table(
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

variables = _table(
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

calls = _table(
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
sa.Index("calls_of_customer", calls.c.account, calls.c.realm, calls.c.customer, calls.c.started_at)
sa.Index("calls_by_start", calls.c.account, calls.c.realm, calls.c.started_at)

tombstones = _table("tombstones", *_realm(), _bytes("customer", key=True), _int("erased_at"))

answers = _table(
    "answers",
    *_realm(),
    _text("scope", key=True),
    _bytes("token", key=True),
    _bytes("customer"),
    _text("fingerprint"),
    _int("expires_at"),
    _bytes("sealed"),
)
sa.Index("answers_by_expiry", answers.c.account, answers.c.realm, answers.c.expires_at)
sa.Index("answers_of_customer", answers.c.account, answers.c.realm, answers.c.customer)

lockouts = _table(
    "lockouts",
    *_realm(),
    _bytes("token", key=True),
    _int("failures"),
    _int("until"),
    sa.CheckConstraint("length(token) = 16 AND failures > 0", name="lockout_is_sound"),
)
sa.Index("lockouts_by_end", lockouts.c.account, lockouts.c.realm, lockouts.c.until)

rate_hits = _table(
    "rate_hits",
    _int("account", key=True),
    _int("organization", key=True),
    _int("at", key=True),
    _int("seq", key=True),
)

usage = _table(
    "usage",
    _int("account", key=True),
    _int("period", key=True),
    _int("used"),
    sa.CheckConstraint("used >= 0", name="usage_is_sound"),
)

# PostgreSQL only (on SQLite there is a lock file): the row without a holder is an account's turn to write, each other
# one tells how the last transaction of one connection ended.
turns = _table(
    "turns",
    _int("account", key=True),
    _bytes("holder", key=True),
    _bytes("mark"),
    _int("at"),
)
