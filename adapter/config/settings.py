"""The configuration as values: frozen, checked, complete. What every other part of the product is given.

Secrets are left out of `repr`, so that a configuration in a traceback or a log line tells nothing.
Leaves out: where the values come from (`loader`) and how they are printed (`effective`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from adapter.engine.line import DisclosureRules, Line
from adapter.engine.model import Organization, Plan, Tier
from adapter.engine.policy import DEFAULT_TIERS, Policy

DEFAULT_ORGANIZATION = "default"
DEFAULT_TIER = "free"


def billing_account_of(organization_id: str) -> str:
    """The billing account of an organization that names none (semantics §1: one to one by default)."""
    return "ba_" + hashlib.sha256(organization_id.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where everything is kept. `lock_timeout_ms`: how long a write waits for its turn before it is refused.

    `pool_size`, `state_dir`: only with PostgreSQL. Beside a SQLite file its name tells where the rest lies.
    """

    url: str = field(default="sqlite:///sticky-calls.db", repr=False)
    lock_timeout_ms: int = 2_000
    pool_size: int = 10
    state_dir: str = "sticky-calls.state"

    @property
    def is_postgresql(self) -> bool:
        """Not a file here, but a server that other nodes may use as well."""
        return self.url.startswith(("postgresql:", "postgres:"))


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How `sticky-calls serve` listens. `bind`: host:port or unix:/path."""

    bind: str = "127.0.0.1:8080"
    workers: int = 2
    threads: int = 8


@dataclass(frozen=True, slots=True)
class TierConfig:
    """What a tier allows. None means unlimited."""

    per_minute: int | None
    monthly: int | None


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """An account whose webhooks are accepted. `sid` "*": any. Several tokens: the moment of a rotation."""

    sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TwilioConfig:
    """`public_url`: what Twilio was told to call, without a slash at the end; signatures are checked against it.
    `webhook_deadline_ms`: by when a webhook is answered, with or without the database."""

    public_url: str | None = None
    accounts: tuple[TwilioAccount, ...] = ()
    webhook_deadline_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class SecurityConfig:
    """`pepper` None: generated next to the database (`adapter.config.pepper`). `encryption_keys`: newest first.
    `former_peppers`: under which API keys may still be hashed."""

    pepper: bytes | None = field(default=None, repr=False)
    encryption_keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    former_peppers: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """`level`: debug, info, warning or error."""

    level: str = "info"


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """Webhooks kept for replays. `file` None: none are. `keep`: older files beside it, `max_bytes` each. `lines`: the
    recorded lines' numbers as they are written there, () all. `personal`: pseudonyms or keep."""

    file: str | None = None
    max_bytes: int = 32 * 1024 * 1024
    keep: int = 4
    lines: tuple[str, ...] = ()
    personal: str = "pseudonyms"


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """`token`: what Prometheus has to show to read `/metrics`. None: there is no such page, and nothing is counted."""

    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """`older_dialect`: requests in the words of earlier Sticky Calls clients are understood, too."""

    older_dialect: bool = False


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """`endpoint`: of an OpenTelemetry collector. None: there are no spans, and nothing is imported for them."""

    endpoint: str | None = None


def default_tiers() -> dict[str, TierConfig]:
    """The reference's tiers with the monthly amounts of semantics §4."""
    return {name: TierConfig(*amounts) for name, amounts in DEFAULT_TIERS.items()}


def default_organization() -> Organization:
    """Who everything belongs to when no organization is named."""
    per_minute, monthly = DEFAULT_TIERS[DEFAULT_TIER]
    plan = Plan(billing_account_of(DEFAULT_ORGANIZATION), monthly)
    return Organization(DEFAULT_ORGANIZATION, Tier(DEFAULT_TIER, per_minute), plan)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. `Config()` is what runs without a file and without environment variables.

    Flows are in their lines already, and `disclosure` is on each of them.
    """

    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    organizations: tuple[Organization, ...] = field(default_factory=lambda: (default_organization(),))
    tiers: dict[str, TierConfig] = field(default_factory=default_tiers)
    policy: Policy = field(default_factory=Policy)
    twilio: TwilioConfig = field(default_factory=TwilioConfig)
    lines: tuple[Line, ...] = ()
    disclosure: DisclosureRules = field(default_factory=DisclosureRules)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    recording: RecordingConfig = field(default_factory=RecordingConfig)
    security: SecurityConfig = field(default_factory=SecurityConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    tracing: TracingConfig = field(default_factory=TracingConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
