"""`sticky-calls orgs`, `quota` and `usage`: who uses the service, what they may do, and how much of it is used.

Organizations are made in the configuration, so there is nothing to change here. All of it is read from the database,
beside the service or without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from adapter.config import Config
from adapter.engine.model import Organization
from adapter.store import keys as stored_keys
from adapter.usecases import Month, consumption, months
from adapter.web.rest.render import timestamp

from .configured import config_option, configured, in_service
from .shown import AS_JSON, show_json, show_table

_UNLIMITED = "unlimited"
_PERCENT = 100


@click.command(epilog="Example:  sticky-calls orgs --json")
@AS_JSON
@config_option
def orgs(as_json: bool, path: Path | None) -> None:
    """Show the organizations: what they may do, their lines, and how many of their API keys open.

    They are made and changed in the configuration, under `organizations`.
    """
    config = configured(path)
    with in_service(config) as service:
        now = service.clock.now()
        living = Counter(key.organization for key in stored_keys.all(service.store) if key.opens(now))
    told = [_organization(config, each, living[each.id]) for each in config.organizations]
    if as_json:
        show_json(told)
        return
    columns = ("organization", "tier", "per_minute", "monthly", "billing_account", "billing_day", "lines", "keys")
    show_table([name.replace("_", " ") for name in columns], ([each[name] for name in columns] for each in told))


@click.command(epilog="Example:  sticky-calls quota --warn-percent 90")
@click.option(
    "--warn-percent",
    type=click.IntRange(1, _PERCENT),
    default=_PERCENT,
    show_default=True,
    help="How much of a month has to be used for exit code 1.",
)
@AS_JSON
@config_option
def quota(warn_percent: int, as_json: bool, path: Path | None) -> None:
    """Show what is left of every billing account's month. Exit code 1 when one is used up (see --warn-percent)."""
    with in_service(configured(path)) as service:
        found = consumption(service)
    current = {each.month.billing_account: each.month for each in found}
    owners = {name: [each.organization for each in found if each.month.billing_account == name] for name in current}
    told = [{**_month(month), "organizations": owners[name]} for name, month in current.items()]
    if as_json:
        show_json(told)
    else:
        columns = ("billing account", "organizations", "used", "of", "left", "renews")
        show_table(columns, (_quota_row(month, owners[name]) for name, month in current.items()))
    if any(_is_over(month, warn_percent) for month in current.values()):
        raise SystemExit(1)


@click.command(epilog="Example:  sticky-calls usage --months 3 --json")
@click.option("--months", "most", type=click.IntRange(1, 1_200), default=12, show_default=True, help="The latest ones.")
@AS_JSON
@config_option
def usage(most: int, as_json: bool, path: Path | None) -> None:
    """Show how many billable calls (starts and ends) there were, by billing account and month."""
    with in_service(configured(path)) as service:
        found = [month for account in months(service).values() for month in account[:most]]
    if as_json:
        show_json([_month(month) for month in found])
        return
    if not found:
        click.echo("There were no billable calls yet.")
        return
    rows = ((month.billing_account, timestamp(month.began)[:10], f"{month.used:,}") for month in found)
    show_table(("billing account", "month from", "billable calls"), rows)


def _organization(config: Config, organization: Organization, keys: int) -> dict[str, Any]:
    plan = organization.plan
    return {
        "organization": organization.id,
        "tier": organization.tier.name,
        "per_minute": _amount(organization.tier.per_minute),
        "monthly": _amount(plan.monthly),
        "billing_account": plan.billing_account_id,
        "billing_day": plan.billing_day,
        "lines": sum(line.organization == organization.id for line in config.lines),
        "keys": keys,
    }


def _month(month: Month) -> dict[str, Any]:
    return {
        "billing_account": month.billing_account,
        "month_began": timestamp(month.began),
        "renews_at": timestamp(month.renews_at),
        "used": month.used,
        "monthly": _amount(month.limit),
        "left": None if month.limit is None else max(0, month.limit - month.used),
    }


def _quota_row(month: Month, owners: Iterable[str]) -> tuple[object, ...]:
    of = _UNLIMITED if month.limit is None else f"{month.limit:,}"
    left = None if month.limit is None else f"{max(0, month.limit - month.used):,}"
    return month.billing_account, ", ".join(owners), f"{month.used:,}", of, left, timestamp(month.renews_at)[:10]


def _is_over(month: Month, percent: int) -> bool:
    return month.limit is not None and month.used * _PERCENT >= month.limit * percent


def _amount(limit: int | None) -> int | str:
    """As it is written in the configuration."""
    return _UNLIMITED if limit is None else limit
