"""Fixtures for users' own test suites, there as soon as this package is installed: `pytest --fixtures` lists them.

    def test_who_presses_1_is_put_through_to_billing(sticky_calls):
        sticky_calls.remember("+14155550123", variables={"name": "Maria"})
        call = sticky_calls.call("1", caller="+14155550123")
        assert call.handovers[0].target == "billing"

Nothing of the service is imported before a test asks for a fixture. Leaves out: what the fixtures give (`testing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from adapter.testing import Replay, Telephone

_INI = "sticky_calls_config"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting, for pytest.ini or pyproject.toml."""
    parser.addini(_INI, "configuration of sticky-calls that tests run under", default="config.yaml")


@pytest.fixture(scope="session")
def sticky_calls_config(request: pytest.FixtureRequest) -> Path:
    """The configuration file: `sticky_calls_config` in pytest's own, else config.yaml. Override it for another one."""
    path: Path = request.config.rootpath / request.config.getini(_INI)
    if not path.is_file():
        raise pytest.UsageError(f"{path} does not exist; set {_INI} in pytest's configuration, or override the fixture")
    return path


@pytest.fixture
def sticky_calls(sticky_calls_config: Path) -> Iterator[Telephone]:
    """A telephone to an app of its own: calls, single signed webhooks, and what agents save. Nobody is known."""
    from adapter.testing import telephone

    with telephone(sticky_calls_config) as made:
        yield made


@pytest.fixture
def sticky_calls_replay(sticky_calls_config: Path) -> Replay:
    """`sticky_calls_replay(recording)`: what is answered differently than recorded, a sentence each."""
    from adapter.testing import Replay

    return Replay(sticky_calls_config)
