"""`sticky-calls orgs`, `quota` and `usage`, against a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.app import build_service
from adapter.cli import main
from adapter.config import load
from adapter.engine.model import EndCall, Hints, Mode
from adapter.engine.policy import DAY
from adapter.engine.quotas import period_start
from adapter.store import meters
from adapter.usecases import Service, end_call
from tests import databases
from tests.builders import PEPPER

CONFIG = """
database: {{url: "{url}", state_dir: {folder}/state}}
security: {{pepper: {pepper}}}
tiers: {{desk: {{per_minute: 5, monthly: 4}}}}
organizations:
  - {{id: acme, tier: desk, billing_account: ba_both, billing_day: 15}}
  - {{id: beta, tier: desk, billing_account: ba_both, billing_day: 15}}
  - {{id: open, tier: unlimited}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = CONFIG.format(url=databases.url_in(tmp_path), folder=tmp_path, pepper=PEPPER.decode())
    (tmp_path / "config.yaml").write_text(written, "utf-8")
    return tmp_path / "config.yaml"


@pytest.fixture
def service(path: Path) -> Iterator[Service]:
    made = build_service(load(path, {}))
    yield made
    made.store.close()


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(path)])


def told(path: Path, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    result = run(path, *arguments, "--json")
    assert result.exit_code == code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def bill(service: Service, organization: str, times: int) -> None:
    principal = service.directory.principal(organization, Mode.PROD)
    assert principal is not None
    for number in range(times):
        end_call(service, principal, EndCall(f"{organization}-{number}", hints=Hints(external_ids=(("id", "1"),))))


def test_organizations_are_shown_with_what_they_may_do(path: Path, service: Service) -> None:
    for mode in ("prod", "test"):
        run(path, "keys", "create", "--organization", "acme", "--mode", mode)
    acme, beta, unlimited = told(path, "orgs")
    assert acme == {
        "organization": "acme",
        "tier": "desk",
        "per_minute": 5,
        "monthly": 4,
        "billing_account": "ba_both",
        "billing_day": 15,
        "lines": 0,
        "keys": 2,
    }
    assert (beta["keys"], unlimited["per_minute"], unlimited["monthly"]) == (0, "unlimited", "unlimited")
    assert "acme" in run(path, "orgs").stdout


@pytest.mark.parametrize(("billed", "percent", "code"), [(3, 100, 0), (3, 75, 1), (3, 76, 0), (4, 100, 1)])
def test_a_quota_that_is_used_up_is_exit_code_1(
    path: Path, service: Service, billed: int, percent: int, code: int
) -> None:
    bill(service, "acme", billed - 1)
    bill(service, "beta", 1)
    both, unlimited = told(path, "quota", "--warn-percent", str(percent), code=code)
    assert (both["organizations"], both["used"], both["monthly"], both["left"]) == (
        ["acme", "beta"],
        billed,
        4,
        4 - billed,
    )
    assert both["renews_at"][8:] == "15T00:00:00.000Z"
    assert (unlimited["monthly"], unlimited["left"]) == ("unlimited", None)
    shown = run(path, "quota", "--warn-percent", str(percent))
    assert (shown.exit_code, "acme, beta" in shown.stdout) == (code, True)


def test_usage_is_told_by_month_the_newest_first(path: Path, service: Service) -> None:
    assert run(path, "usage").stdout == "There were no billable calls yet.\n"
    bill(service, "acme", 2)
    earlier = service.directory.principal("acme", Mode.PROD)
    assert earlier is not None
    before = period_start(service.clock.now() - 40 * DAY, 15)
    service.store.transact(earlier.realm, lambda tx: meters.charge(tx, before, 7))
    found = told(path, "usage")
    assert [month["used"] for month in found] == [2, 7]
    assert found[0]["month_began"] > found[1]["month_began"]
    assert [month["used"] for month in told(path, "usage", "--months", "1")] == [2]
    assert "ba_both" in run(path, "usage").stdout
