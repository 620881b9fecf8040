"""`sticky-calls customers`: a person's data is found, shown, handed out and erased, and stays out of process lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.app import create_app
from adapter.cli import main
from adapter.config import load
from adapter.web.rest import render
from tests.builders import Api, issue_key

pytestmark = pytest.mark.sqlite
ANI = "+14155550123"
KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def maria() -> str:
    """Known by a number and an external id; her customer_ref."""
    app = create_app(load(None, {}))
    api = Api(app.test_client(), issue_key(app, "default"))
    hints = {"ani": ANI, "external_ids": {"customer_id": "12345"}}
    ref = api.start("call-1", "mobile", **hints).json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria Swordfish"}, intent="refund_request")
    app.extensions["sticky-calls"].store.close()
    return str(ref)


def customers(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["customers", *arguments], input=typed)


@pytest.mark.parametrize("who", [ANI, "customer_id=12345", "ref", "REF"])
@pytest.mark.parametrize("way", ["argument", "stdin", "prompt"])
def test_a_customer_is_found_by_whatever_names_them(maria: str, who: str, way: str) -> None:
    who = {"ref": maria, "REF": maria.upper()}.get(who, who)
    arguments = {"argument": [who], "stdin": ["-"], "prompt": []}[way]
    found = customers("find", "--json", *arguments, typed=None if way == "argument" else f"{who}\n")
    assert [each["customer_ref"] for each in json.loads(found.stdout)] == [maria], found.output
    assert maria in customers("find", *arguments, typed=f"{who}\n").stdout


def test_nobody_is_an_exit_code(maria: str) -> None:
    for command in ("find", "show", "export", "forget"):
        result = customers(command, "-", typed="+14155550199\n")
        assert (result.exit_code, result.stderr) == (1, "Error: nobody is known by that\n")
    assert json.loads(customers("find", "--json", "customer_id=1").stdout) == []


def test_a_mistake_is_told_without_what_was_typed() -> None:
    result = customers("find", "-", typed="Maria Swordfish\n")
    assert result.exit_code == 2
    assert "no number in full" in result.stderr
    assert "Swordfish" not in result.output


def test_what_is_stored_does_not_steer_the_terminal(maria: str) -> None:
    app = create_app(load(None, {}))
    pwned = "\x1b[31mred\x1b]0;pwned\x07\n\u202ename"
    told = {"identity_hints": {"ani": ANI, "external_ids": {"k\x1b": "v\x9b"}}}
    Api(app.test_client(), issue_key(app, "default")).end(
        f"c{pwned}", variables={f"x{pwned}": pwned}, intent=pwned, **told
    )
    app.extensions["sticky-calls"].store.close()
    shown = customers("show", ANI).stdout
    assert "red" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_another_mode_and_another_organization_know_nobody(maria: str) -> None:
    assert customers("find", "--mode", "test", ANI).exit_code == 1
    result = customers("find", "--organization", "other", ANI)
    assert (result.exit_code, "there is no organization" in result.stderr) == (2, True)


def test_show_and_export_give_everything(maria: str, tmp_path: Path) -> None:
    shown = customers("show", ANI).stdout
    assert all(part in shown for part in (maria, ANI, "customer_id=12345", "name=Maria Swordfish", "refund_request"))
    exported = json.loads(customers("export", ANI).stdout)
    assert exported == json.loads(customers("show", "--json", ANI).stdout)
    app = create_app(load(None, {}))
    told = Api(app.test_client(), issue_key(app, "default")).customer(maria).json
    app.extensions["sticky-calls"].store.close()
    assert exported == told
    written = customers("export", ANI, "--output", "maria.json")
    assert (written.exit_code, written.stdout) == (0, "")
    file = tmp_path / "maria.json"
    assert json.loads(file.read_text()) == told
    assert file.stat().st_mode & 0o777 == 0o600
    again = customers("export", ANI, "--output", "maria.json")
    assert (again.exit_code, "File exists" in again.stderr) == (1, True)


def test_erasing_asks_first_and_a_no_changes_nothing(maria: str) -> None:
    result = customers("forget", ANI, typed="n\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "1 numbers, 1 external ids, 1 intents, 1 variables, 1 calls" in result.stderr
    assert customers("find", ANI).exit_code == 0


def test_the_receipt_names_the_reference_and_nothing_else(maria: str, tmp_path: Path) -> None:
    result = customers("forget", "-", typed=f"{ANI}\ny\n")
    receipt = json.loads(result.stdout)
    assert {**receipt, "erased_at": ""} == {
        "customer_ref": maria,
        "erased_at": "",
        "organization": "default",
        "mode": "prod",
    }
    assert receipt["erased_at"][:2] == "20"
    assert "db compact" in result.stderr
    assert customers("find", ANI).exit_code == 1
    assert (tmp_path / "sticky-calls.db-wal").exists() is False
    for file in tmp_path.glob("sticky-calls.db*"):
        assert b"Swordfish" not in file.read_bytes()
        assert ANI.encode() not in file.read_bytes()


def test_with_encryption_nothing_has_to_be_compacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text(f"security: {{encryption_keys: [{{id: k, key: {KEY}}}]}}")
    app = create_app(load(tmp_path / "config.yaml", {}))
    Api(app.test_client(), issue_key(app, "default")).start("call-1", ani=ANI)
    app.extensions["sticky-calls"].store.close()
    result = customers("forget", "--yes", ANI)
    assert (result.exit_code, result.stderr) == (0, "")


def test_of_several_one_has_to_be_named(maria: str) -> None:
    app = create_app(load(None, {}))
    api = Api(app.test_client(), issue_key(app, "default"))
    other = api.start("call-2", "mobile", ani=ANI, external_ids={"customer_id": "999"}).json["customer_ref"]
    app.extensions["sticky-calls"].store.close()
    assert other != maria
    result = customers("forget", "--yes", ANI)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "that is 2 customers" in result.stderr
    assert maria in result.stderr
    assert customers("forget", "--yes", maria).exit_code == 0
    assert [each["customer_ref"] for each in json.loads(customers("find", "--json", ANI).stdout)] == [other]


def test_the_timestamps_are_the_api_s(maria: str) -> None:
    brief = json.loads(customers("find", "--json", ANI).stdout)[0]
    assert brief["created_at"].endswith("Z")
    assert len(brief["created_at"]) == len(render.timestamp(0))


@pytest.mark.parametrize("typed", ["", "\n"])
def test_an_empty_standard_input_is_told_and_nobody_is_asked(typed: str) -> None:
    result = customers("find", "-", typed=typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input is empty" in result.stderr
    assert "customer_ref:" not in result.stderr
