"""`sticky-calls customers import` and `export --all`: files of either kind, what is wrong in them, kills."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.customers import exporting
from tests import databases
from tests.builders import PEPPER
from tests.serving import wait_for

pytestmark = pytest.mark.stores
CSV = """ani,line_type,external_ids.customer_id,variables.name,variables.plan,intent,last_contact
+14155550123,mobile,C1,"Lopez, Maria",gold,refund_request,2026-02-07
+14155550124,,C2,Ben,,,
,,C3,"Ana
Moss",,,
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return configured(tmp_path)


def configured(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    settings: dict[str, Any] = {
        "database": {"url": databases.url_in(folder), "state_dir": str(folder / "state")},
        "security": {"pepper": PEPPER.decode()},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return folder / "config.yaml"


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["customers", *arguments, "--config", str(path)])


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def exported(path: Path) -> list[dict[str, Any]]:
    result = run(path, "export", "--all")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def known(path: Path) -> list[dict[str, Any]]:
    """Without what is drawn anew or dated now."""
    told = []
    for each in exported(path):
        for name in ("customer_ref", "created_at", "last_contact"):
            del each[name]
        for number in each["numbers"]:
            del number["last_seen"]
        for value in each["variables"].values():
            del value["created_at"], value["expires_at"]
        for intent in each["intents"]:
            del intent["opened_at"], intent["updated_at"], intent["last_call_id"]
        told.append(each)
    return sorted(told, key=lambda each: json.dumps(each, sort_keys=True))


def test_a_csv_is_taken_over(path: Path, tmp_path: Path) -> None:
    result = run(path, "import", written(tmp_path, "crm.csv", CSV))
    assert (result.exit_code, result.stdout) == (0, "3 records: 3 new customers, 0 known ones, none left out.\n")
    found = {each["external_ids"][0]["value"]: each for each in exported(path)}
    assert found["C1"]["numbers"][0]["ani"] == "+14155550123"
    assert found["C1"]["numbers"][0]["line_type"] == "mobile"
    assert found["C1"]["variables"]["name"]["value"] == "Lopez, Maria"
    assert found["C1"]["intents"][0]["intent"] == "refund_request"
    assert found["C1"]["last_contact"] == "2026-02-07T00:00:00.000Z"
    assert found["C2"]["variables"].keys() == {"name"}
    assert (found["C3"]["numbers"], found["C3"]["variables"]["name"]["value"]) == ([], "Ana\nMoss")


def test_a_file_that_was_imported_is_not_imported_twice(path: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "crm.csv", CSV)
    run(path, "import", file)
    again = json.loads(run(path, "import", file, "--json").stdout)
    assert (again["read"], again["created"]) == (3, 3)
    other = json.loads(run(path, "import", written(tmp_path, "new.csv", CSV + "\n"), "--json").stdout)
    assert (other["created"], other["known"]) == (0, 3)


def test_what_is_exported_can_be_imported_elsewhere(path: Path, tmp_path: Path) -> None:
    run(path, "import", written(tmp_path, "crm.csv", CSV))
    older = {"ani": "+14155550126", "line_type": "voip", "last_seen": "2021-03-04T05:06:07.000Z"}
    tried = {"intent": "refund", "status": "open", "attempt_count": 3}
    lines = [{"numbers": ["+14155550125", older], "external_ids": {"crm": "9"}, "last_contact": "2022-01-01"}]
    lines[0]["intents"] = [tried, {"intent": "order", "status": "resolved", "attempt_count": 3}]
    run(path, "import", written(tmp_path, "more.jsonl", "".join(json.dumps(each) + "\n" for each in lines)))
    everybody = tmp_path / "everybody.jsonl"
    assert run(path, "export", "--all", "--output", str(everybody)).exit_code == 0
    assert everybody.stat().st_mode & 0o777 == 0o600
    assert "cannot be written" in run(path, "export", "--all", "--output", str(everybody)).stderr
    other = configured(tmp_path / "other")
    result = run(other, "import", str(everybody))
    assert (result.exit_code, "4 new customers" in result.stdout) == (0, True), result.output
    assert known(other) == known(path)
    seen = {number["ani"]: number["last_seen"] for each in exported(other) for number in each["numbers"]}
    counts = {intent["intent"]: intent["attempt_count"] for each in exported(other) for intent in each["intents"]}
    assert (counts["refund"], counts["order"]) == (3, 0)
    assert seen["+14155550126"] == "2021-03-04T05:06:07.000Z"
    assert seen["+14155550125"] == "2022-01-01T00:00:00.000Z"
    assert [each["customer_ref"] for each in exported(other)] == [each["customer_ref"] for each in exported(path)]


def test_customers_who_share_numbers_are_as_many_elsewhere(path: Path, tmp_path: Path) -> None:
    """A home, an office, and whom an agent found to be somebody else: nothing but the reference tells them apart."""
    numbers = [f"+1415555{place:04}" for place in range(3)]
    lines = [
        {"customer_ref": f"11111111-2222-4333-8444-{place:012}", "numbers": numbers, "variables": {"name": name}}
        for place, name in enumerate(("Maria", "Peter", "Ana"))
    ]
    run(path, "import", written(tmp_path, "home.jsonl", "".join(json.dumps(each) + "\n" for each in lines)))
    assert [each["variables"]["name"]["value"] for each in exported(path)] == ["Maria", "Peter", "Ana"]
    everybody = tmp_path / "everybody.jsonl"
    run(path, "export", "--all", "--output", str(everybody))
    other = configured(tmp_path / "other")
    run(other, "import", str(everybody))
    assert known(other) == known(path)
    assert [each["customer_ref"] for each in exported(other)] == [each["customer_ref"] for each in exported(path)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "the record must be an object"),
        ("{}", "the record must include ani, external_ids, or customer_ref"),
        ('{"ani": "555-0123"}', "ani must be a phone number in E.164 format"),
        ('{"ani": "+14155550123", "nmae": "Secret"}', "nmae is not known here"),
        ('{"ani": "+14155550123", "variables": {"name": 5}}', "variables.name must be a string"),
        ('{"ani": "+14155550123", "line_type": "fax"}', "line_type must be one of"),
        ('{"ani": "+14155550123", "last_contact": "2099-01-01"}', "last_contact must be an instant of the past"),
        ('{"numbers": [{"ani": "+14155550123", "last_seen": "soon"}]}', "last_seen must be an instant of the past"),
        (
            '{"ani": "+14155550123", "intents": [{"intent": "x", "attempt_count": -1}]}',
            "attempt_count must be a whole number",
        ),
        ('{"numbers": 5}', "ani must be a phone number"),
        ('{"customer_ref": "C1"}', "customer_ref must be a UUID"),
        ('{"ani": "anonymous", "variables": {"name": "Secret"}}', "ani is a withheld number, by which nobody would"),
        ('{"numbers": ["+266696687", "unknown"]}', "ani is a withheld number, by which nobody would"),
    ],
)
@pytest.mark.sqlite
def test_a_record_that_is_wrong_is_told_by_its_line_and_left_out(
    path: Path, tmp_path: Path, line: str, told: str
) -> None:
    good = '{"external_ids": {"crm": "1"}}\n'
    file = written(tmp_path, "crm.jsonl", f"{good}{line}\n{good.replace('1', '2')}")
    dry = run(path, "import", file, "--dry-run")
    assert (dry.exit_code, f"line 2: {told}" in dry.stderr) == (1, True), dry.output
    assert exported(path) == []
    result = run(path, "import", file)
    assert (result.exit_code, result.stdout) == (1, "3 records: 2 new customers, 0 known ones, 1 left out.\n")
    for private in ("555-0123", "Secret", "C1"):
        assert private not in result.output
    assert json.loads(run(path, "import", file, "--json").stdout)["refused"] == 1


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("crm.csv", "ani,lin_type\n+14155550123,x\n", 'column 2 of the header is not known here (did you mean "line'),
        ("crm.csv", "ani,variables.\n", "column 2 of the header is not known here; columns are ani, line_type, "),
        ("crm.csv", "+14155550123,Maria\n+14155550124,Ben\n", "column 1 of the header is not known here; columns"),
        ("crm.csv", "ani;variables.name\n+14155550123;Maria\n", "column 1 of the header is not known here; columns"),
        ("crm.csv", "ani,line_type,ani\n+14155550123,,+14155550124\n", "column 3 of the header is there twice"),
        ("crm.txt", "ani\n", "neither .csv nor .jsonl"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_a_mistake_of_usage(
    path: Path, tmp_path: Path, name: str, text: str, told: str
) -> None:
    result = run(path, "import", written(tmp_path, name, text))
    assert (result.exit_code, told in result.stderr) == (2, True), result.output
    for private in ("555", "Maria"):
        assert private not in result.output


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "data", ["ani\n+1\n".encode("utf-16"), gzip.compress(b"ani\n+14155550123\n")], ids=["utf-16", "gzip"]
)
@pytest.mark.parametrize("is_big", [False, True])
def test_a_file_that_is_no_text_in_utf_8_is_a_mistake_of_usage(
    path: Path, tmp_path: Path, data: bytes, is_big: bool
) -> None:
    """A big one is read by another process."""
    (tmp_path / "crm.csv").write_bytes(data + b"\n" * 3_000_000 * is_big)
    result = run(path, "import", str(tmp_path / "crm.csv"))
    assert result.exit_code == 2, result.output
    assert result.stderr.endswith("Error: its first line is no CSV in UTF-8; unpack it, and save it as CSV in UTF-8\n")


@pytest.mark.sqlite
def test_a_file_that_was_imported_before_says_so(path: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "crm.csv", CSV)
    assert "imported before" not in run(path, "import", file).stderr
    assert "the file has been imported before, and nothing is done twice" in run(path, "import", file).stderr


@pytest.mark.sqlite
def test_rows_of_a_csv_that_cannot_be_read_are_left_out(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    file.write_bytes(b"\xef\xbb\xbfani\n+14155550123\n+14155550124,too,many\n\xff\xff\n+14155550125\n")
    result = run(path, "import", str(file))
    assert (result.exit_code, len(exported(path))) == (1, 2), result.output
    assert result.stderr.splitlines()[-2:] == ["line 3: has 3 values for 1 columns", "line 4: cannot be read: no UTF-8"]


def wait_for_customers(path: Path, least: int) -> None:
    wait_for(lambda: len(exported(path)) > least, "customers")


@pytest.mark.slow
def test_killed_and_run_again_it_is_as_if_nothing_had_happened(path: Path, tmp_path: Path) -> None:
    people = [
        {
            "ani": f"+1415555{place % 1300:04d}",
            "external_ids": {"crm": str(place % 1700)},
            "variables": {"name": f"N{place}"},
        }
        for place in range(4_000)
    ]
    file = written(tmp_path, "crm.jsonl", "".join(json.dumps(each) + "\n" for each in people))
    whole = configured(tmp_path / "whole")
    assert run(whole, "import", file, "--batch", "50").exit_code == 0
    command = [sys.executable, "-m", "adapter", "customers", "import", file, "--batch", "50", "--config", str(path)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for least in (100, 900):
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_customers(path, least)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was through before it could be killed"
    assert json.loads(run(path, "import", file, "--json").stdout)["read"] == len(people)
    assert known(path) == known(whole)


@pytest.mark.sqlite
def test_an_export_that_is_stopped_leaves_no_half_of_a_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look like everybody, and be in the way of the next attempt."""
    run(path, "import", written(tmp_path, "crm.csv", CSV))
    whole = exporting.customer_pages

    def stopped(*arguments: Any) -> Iterator[Any]:
        yield from whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "customer_pages", stopped)
        assert run(path, "export", "--all", "-o", str(tmp_path / "all.jsonl")).exit_code == 1
    assert not (tmp_path / "all.jsonl").exists()
    assert run(path, "export", "--all", "-o", str(tmp_path / "all.jsonl")).exit_code == 0
