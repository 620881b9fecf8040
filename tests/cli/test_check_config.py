"""`sticky-calls check-config`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from adapter.cli import main


def check(*arguments: str, **environ: str) -> Result:
    return CliRunner(env=environ).invoke(main, ["check-config", *arguments])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_fine_and_what_is_worth_a_thought_is_said() -> None:
    result = check()
    assert result.exit_code == 0
    assert result.stdout == "The default configuration is fine: 1 organization, 0 lines, 0 Twilio accounts.\n"
    assert "no security.pepper" in result.stderr
    assert "no security.encryption_keys" in result.stderr


def test_a_complete_file_is_fine_without_remarks(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        f"""
twilio: {{public_url: https://a.example, accounts: [{{sid: "*", auth_tokens: [token]}}]}}
lines: [{{number: "*", destination: hangup}}]
security: {{pepper: pepper-pepper-pepper, encryption_keys: [{{id: a, key: {"A" * 43}=}}]}}
"""
    )
    result = check()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "config.yaml is fine: 1 organization, 1 line, 1 Twilio account.\n"


def test_an_address_without_tls_is_worth_a_thought() -> None:
    environ = {
        "ADAPTER_TWILIO__PUBLIC_URL": "http://a.example",
        "ADAPTER_TWILIO__ACCOUNTS__0__SID": "*",
        "ADAPTER_TWILIO__ACCOUNTS__0__AUTH_TOKENS__0": "token",
        "ADAPTER_LINES__0__NUMBER": "*",
        "ADAPTER_LINES__0__DESTINATION": "hangup",
    }
    assert "twilio.public_url is http" in check(**environ).stderr


def test_mistakes_end_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("server: {bnd: x}")
    result = check(str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f'Error: the configuration has 1 mistake:\n{path}:1: server.bnd: is not a setting (did you mean "bind"?)\n'
    )


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    result = check("nowhere.yaml")
    assert result.exit_code == 1
    assert "nowhere.yaml: cannot be read: No such file or directory" in result.stderr


def test_what_is_in_effect_is_printed_without_secrets() -> None:
    result = check("--effective", ADAPTER_SECURITY__PEPPER="pepper-pepper-pepper", ADAPTER_SERVER__WORKERS="7")
    shown = yaml.safe_load(result.stdout)
    assert (shown["server"]["workers"], shown["security"]["pepper"]) == (7, "*****")


def test_what_callers_would_find_out_is_worth_a_thought(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        """
twilio: {public_url: https://a.example, accounts: [{sid: "*", auth_tokens: [token]}]}
lines:
  - number: "+14155550100"
    destination: {queue: support}
    voice: Polly.Nobody
    language: de-DE
    menu: {options: [{intent: refund_reqest, key: "1"}, {intent: other, key: "2"}]}
    intents: {refund_request: {to: billing}}
    destinations: {billing: {queue: a}, night: {queue: b}}
"""
    )
    line = "note: line +14155550100: "
    assert check().stderr.splitlines()[2:] == [
        f"{line}whether Polly.Nobody speaks de-DE is not known here; ring it once",
        f'{line}the menu\'s refund_reqest is not among intents (did you mean "refund_request"?)',
        f"{line}no call goes to the destinations night",
        f"{line}refund_reqest, other will be read aloud like this in de-DE; see intents, `said`",
    ]
