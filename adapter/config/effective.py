"""The configuration as it takes effect, defaults and variables included, as YAML. Secrets are masked.

Flows are not printed: what a line has from its flow is printed with the line.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import yaml

from adapter.engine.model import Organization

from .effective_lines import disclosure_as_written, line_as_written
from .settings import Config

# Too short for a pepper and no base64: it cannot come back as a secret when somebody loads the printed text.
MASK = "*****"
_UNLIMITED = "unlimited"


def effective(config: Config) -> str:
    """YAML of every setting; loaded again it gives the same configuration, but for the masked secrets."""
    rules = {name: _listed(asdict(part)) for name, part in _policy_parts(config).items()}
    sections: dict[str, Any] = {
        "database": {**asdict(config.database), "url": _without_password(config.database.url)},
        "server": asdict(config.server),
        "organizations": [_organization(organization) for organization in config.organizations],
        "tiers": {
            name: {key: _amount(value) for key, value in asdict(tier).items()} for name, tier in config.tiers.items()
        },
        **rules,
        "twilio": {**asdict(config.twilio), "accounts": _accounts(config)},
        "lines": [line_as_written(line) for line in config.lines],
        "disclosure": disclosure_as_written(config.disclosure),
        "texts": config.texts,
        "recording": _set(_listed(asdict(config.recording))),
        "security": _security(config),
        "logging": asdict(config.logging),
        "metrics": {} if config.metrics.token is None else {"token": MASK},
        "tracing": _set(asdict(config.tracing)),
        "api": asdict(config.api),
    }
    return yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=1_000)


def _without_password(url: str) -> str:
    """As in user:password@host, or in the query. Whoever forgot to escape a / or ? in it does not see it either."""
    url = re.sub(r"(?<=://)([^/?#:@]+):.*(?=@)", rf"\1:{MASK}", url)
    return re.sub(r"(?<=[?&]password=)[^&]*", MASK, url)


def _policy_parts(config: Config) -> dict[str, Any]:
    policy = config.policy
    return {
        "identity": policy.identity,
        "calls": policy.calls,
        "variables": policy.variables,
        "limits": policy.limits,
        "retention": policy.retention,
    }


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _amount(value: int | None) -> int | str:
    return _UNLIMITED if value is None else value


def _organization(organization: Organization) -> dict[str, Any]:
    return {
        "id": organization.id,
        "tier": organization.tier.name,
        "monthly": _amount(organization.plan.monthly),
        "billing_account": organization.plan.billing_account_id,
        "billing_day": organization.plan.billing_day,
    }


def _accounts(config: Config) -> list[dict[str, Any]]:
    return [
        {"sid": account.sid, "auth_tokens": [MASK for _ in account.auth_tokens]} for account in config.twilio.accounts
    ]


def _security(config: Config) -> dict[str, Any]:
    keys = [{"id": key_id, "key": MASK} for key_id, _ in config.security.encryption_keys]
    return {
        "pepper": None if config.security.pepper is None else MASK,
        "former_peppers": [MASK for _ in config.security.former_peppers],
        "encryption_keys": keys,
    }
