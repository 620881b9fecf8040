"""From checked values to `Config`. Nothing can fail here any more: what could, is checked before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.engine import policy
from adapter.engine.model import Organization, Plan, Tier

from .lines import line_of, rules_of
from .settings import (
    DEFAULT_ORGANIZATION,
    DEFAULT_TIER,
    ApiConfig,
    Config,
    DatabaseConfig,
    LoggingConfig,
    MetricsConfig,
    RecordingConfig,
    SecurityConfig,
    ServerConfig,
    TierConfig,
    TracingConfig,
    TwilioAccount,
    TwilioConfig,
    billing_account_of,
    default_tiers,
)

Loaded = Mapping[str, Any]

_UNNAMED = {"id": DEFAULT_ORGANIZATION, "tier": DEFAULT_TIER, "billing_day": 1}


def build(loaded: Loaded) -> Config:
    """The configuration that the loaded sections describe."""
    tiers = _tiers(loaded["tiers"])
    organizations = tuple(_organization(entry, tiers) for entry in loaded["organizations"] or [_UNNAMED])
    disclosure = rules_of(loaded["disclosure"])
    return Config(
        database=DatabaseConfig(**loaded["database"]),
        server=ServerConfig(**loaded["server"]),
        organizations=organizations,
        tiers=tiers,
        policy=_policy(loaded),
        twilio=_twilio(loaded["twilio"]),
        lines=tuple(line_of(entry, loaded["flows"], organizations[0].id, disclosure) for entry in loaded["lines"]),
        disclosure=disclosure,
        texts={language: dict(texts) for language, texts in loaded["texts"].items()},
        recording=_recording(loaded["recording"]),
        security=_security(loaded["security"]),
        logging=LoggingConfig(**loaded["logging"]),
        metrics=MetricsConfig(**{"token": None, **loaded["metrics"]}),
        tracing=TracingConfig(**{"endpoint": None, **loaded["tracing"]}),
        api=ApiConfig(**loaded["api"]),
    )


def _tiers(written: Mapping[str, Loaded]) -> dict[str, TierConfig]:
    tiers = default_tiers()
    for name, amounts in written.items():
        before = tiers.get(name, TierConfig(None, None))
        per_minute, monthly = amounts.get("per_minute", before.per_minute), amounts.get("monthly", before.monthly)
        tiers[name] = TierConfig(per_minute, monthly)
    return tiers


def _organization(entry: Loaded, tiers: Mapping[str, TierConfig]) -> Organization:
    tier = tiers[entry["tier"]]
    account = entry.get("billing_account") or billing_account_of(entry["id"])
    plan = Plan(account, entry.get("monthly", tier.monthly), entry["billing_day"])
    return Organization(entry["id"], Tier(entry["tier"], tier.per_minute), plan)


def _policy(loaded: Loaded) -> policy.Policy:
    identity = {
        **loaded["identity"],
        "never_identifying_keys": tuple(key.lower() for key in loaded["identity"]["never_identifying_keys"]),
    }
    return policy.Policy(
        identity=policy.IdentityPolicy(**identity),
        calls=policy.CallPolicy(**loaded["calls"]),
        variables=policy.VariablePolicy(**loaded["variables"]),
        limits=policy.LimitPolicy(**loaded["limits"]),
        retention=policy.RetentionPolicy(**loaded["retention"]),
    )


def _twilio(section: Loaded) -> TwilioConfig:
    accounts = tuple(TwilioAccount(entry["sid"], tuple(entry["auth_tokens"])) for entry in section["accounts"])
    return TwilioConfig(section.get("public_url"), accounts, section["webhook_deadline_ms"])


def _recording(section: Loaded) -> RecordingConfig:
    return RecordingConfig(**{**section, "lines": tuple(section["lines"])})


def _security(section: Loaded) -> SecurityConfig:
    keys = tuple((entry["id"], entry["key"]) for entry in section["encryption_keys"])
    return SecurityConfig(section.get("pepper"), keys, tuple(section["former_peppers"]))
