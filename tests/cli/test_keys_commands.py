"""`sticky-calls keys`, against a real database."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.clock import SystemClock
from adapter.config import load
from adapter.config.pepper import pepper_for
from adapter.engine.policy import HOUR
from adapter.errors import StoreUnavailable
from adapter.store import keys as stored
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from tests.cli.full_disk import needs_one, told_to_a_full_disk


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def keys(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments])


def opens(key: str, at: int | None = None) -> bool:
    """Whether the service would take the key."""
    config = load(None, {})
    store = open_store(config.database.url, Keyring())
    try:
        return stored.find(store, pepper_for(config), key, at or SystemClock().now()) is not None
    finally:
        store.close()


def test_a_new_key_stands_alone_on_stdout_and_opens() -> None:
    result = keys("create", "--label", "crm")
    assert result.exit_code == 0
    assert re.fullmatch(r"sk_prod_[a-z2-9]{8}[A-Za-z0-9_-]{43}\n", result.stdout)
    assert "shown this once" in result.stderr
    assert opens(result.stdout.strip())


def test_a_new_key_as_json_for_scripts() -> None:
    made = json.loads(keys("create", "--mode", "test", "--label", "x", "--json").stdout)
    assert made.pop("key").startswith(made["prefix"])
    assert made.pop("created_at").endswith("Z")
    assert made == {
        "prefix": made["prefix"],
        "organization": "default",
        "mode": "test",
        "label": "x",
        "state": "active",
        "expires_at": None,
        "revoked_at": None,
    }


def test_the_list_shows_prefixes_and_never_a_key() -> None:
    assert "There are no keys yet" in keys("list").stdout
    key = keys("create", "--label", "crm").stdout.strip()
    shown = keys("list").stdout
    assert key[:16] in shown
    assert key[16:] not in shown
    assert {"default", "prod", "crm", "active"} <= set(shown.split())
    assert [entry["label"] for entry in json.loads(keys("list", "--json").stdout)] == ["crm"]
    assert key[16:] not in keys("list", "--json").stdout


def test_a_revoked_key_opens_nothing_and_is_shown_as_revoked() -> None:
    key = keys("create").stdout.strip()
    assert keys("revoke", key[:16]).stdout == f"{key[:16]} is revoked.\n"
    assert not opens(key)
    assert [entry["state"] for entry in json.loads(keys("list", "--json").stdout)] == ["revoked"]


def test_revoking_twice_or_what_does_not_exist_is_an_error() -> None:
    key = keys("create").stdout.strip()
    assert keys("revoke", key[:16]).exit_code == 0
    for prefix in (key[:16], "sk_prod_abcdefgh"):
        result = keys("revoke", prefix)
        assert result.exit_code == 1
        assert "does not exist, or is revoked already" in result.stderr


def test_a_rotated_key_opens_until_its_grace_is_over() -> None:
    old = keys("create", "--mode", "test", "--label", "crm").stdout.strip()
    result = keys("rotate", old[:16], "--grace-hours", "2", "--json")
    new = json.loads(result.stdout)
    now = SystemClock().now()
    assert (new["mode"], new["label"]) == ("test", "crm")
    assert opens(new["key"])
    assert opens(old, now + 2 * HOUR - 60_000)
    assert not opens(old, now + 2 * HOUR)
    assert [entry["state"] for entry in json.loads(keys("list", "--json").stdout)] == ["expiring", "active"]
    assert f"{old[:16]} expires at" in result.stderr


def test_rotating_again_does_not_lengthen_an_old_keys_life() -> None:
    old = keys("create").stdout.strip()
    keys("rotate", old[:16], "--grace-hours", "1")
    keys("rotate", old[:16], "--grace-hours", "100")
    assert not opens(old, SystemClock().now() + HOUR)


def test_rotating_without_grace_ends_the_old_key_at_once() -> None:
    old = keys("create").stdout.strip()
    assert keys("rotate", old[:16], "--grace-hours", "0").exit_code == 0
    assert not opens(old)
    assert "expired" in [entry["state"] for entry in json.loads(keys("list", "--json").stdout)]
    assert "opens nothing any more" in keys("rotate", old[:16]).stderr


def test_a_new_key_that_does_not_end_the_old_one_is_shown_and_the_old_one_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the database is locked")

    old = keys("create").stdout.strip()
    monkeypatch.setattr("adapter.cli.keys.stored.expire", away)
    result = keys("rotate", old[:16])
    assert result.exit_code == 1
    assert opens(result.stdout.strip())
    assert f"{old[:16]} does not expire" in result.stderr
    assert f"`sticky-calls keys revoke {old[:16]}`" in result.stderr


@needs_one
@pytest.mark.parametrize("command", ["create", "rotate"])
def test_a_key_that_could_not_be_shown_opens_nothing_and_ends_no_other(command: str, tmp_path: Path) -> None:
    old = keys("create").stdout.strip()
    arguments = [command, old[:16], "--grace-hours", "0"] if command == "rotate" else [command]
    done = told_to_a_full_disk("keys", *arguments, folder=tmp_path)
    assert done.returncode == 1
    assert "no space left on device" in done.stderr
    states = {entry["prefix"]: entry["state"] for entry in json.loads(keys("list", "--json").stdout)}
    assert states.pop(old[:16]) == "active"
    assert list(states.values()) == ["revoked"]


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_whole_key_on_the_command_line_is_refused_and_not_repeated(command: str) -> None:
    key = "sk_prod_abcdefgh" + "x" * 43
    result = keys(command, key)
    assert result.exit_code == 2
    assert "the secret part belongs on no command line" in result.stderr
    assert "xxx" not in result.output
    assert "is not a key's prefix" in keys(command, "abc").stderr


def test_an_organization_must_be_one_of_the_configuration(tmp_path: Path) -> None:
    assert (
        'there is no organization "defualt" (did you mean "default"?)'
        in keys("create", "--organization", "defualt").stderr
    )
    (tmp_path / "config.yaml").write_text("organizations: [{id: acme}, {id: beta}]")
    result = keys("create")
    assert result.exit_code == 2
    assert "whose key is it; --organization can be acme, beta" in result.stderr
    made = json.loads(keys("create", "--organization", "beta", "--json").stdout)
    assert made["organization"] == "beta"
