"""The plugin for users' own test suites, in folders of theirs: it gives what it says, and disturbs nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.testing import telephone
from tests.conversations.world import ACCOUNT, FULL, PLAIN, configuration

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

_TESTS = """
from pathlib import Path

import pytest
from adapter.replay import Call, answered
from adapter.replay.webhooks import ended, pressed, put_through, said, voice


@pytest.fixture(scope="session")
def sticky_calls_config():
    return Path({config!r})


def test_a_whole_call(sticky_calls):
    call = sticky_calls.call(answered(), dialed={plain!r})
    assert call.clean
    assert "IGNORE" in call.said
    assert call.handovers[0].target == "+14155550199"


def test_who_was_remembered_is_recognized(sticky_calls):
    sticky_calls.remember("+14155550123", variables={{"name": "Maria", "pin": "4711"}}, telco={{"line_type": "mobile"}})
    assert "WELCOME_BACK Maria" in sticky_calls.call(caller="+14155550123").said


def test_nobody_is_known_in_the_next_test(sticky_calls):
    assert "ACCOUNT 4?" in sticky_calls.call(caller="+14155550123").said


def test_what_cannot_be_saved_is_told(sticky_calls):
    with pytest.raises(ValueError, match="status 400"):
        sticky_calls.remember("+14155550123", variables=7)


def test_single_webhooks_are_signed(sticky_calls):
    call, account = Call(dialed=sticky_calls.number), sticky_calls.account_of(sticky_calls.number)
    assert "ACCOUNT 4?" in sticky_calls.send(voice(call, account)).body
    assert "PIN?" in sticky_calls.send(pressed(call, account, 1, "9999")).body
    assert "<Gather" in sticky_calls.send(said(call, account, 2, "four seven one one")).body
    assert sticky_calls.send(put_through(call, account, 3, "completed")).status == 200
    assert sticky_calls.send(ended(call, account, seconds=61)).status == 204


def test_a_number_without_a_line_is_told(sticky_calls):
    with pytest.raises(ValueError, match="no line is configured for"):
        sticky_calls.call(dialed="+19995550100")
"""


def test_a_fresh_folder_has_a_telephone_webhooks_and_what_agents_save(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    config = configuration(tmp_path, "https://voice.example.com")
    pytester.makepyfile(_TESTS.format(config=str(config), plain=PLAIN))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")
    result.assert_outcomes(passed=6)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["any number first", "any number last"])
def test_who_is_remembered_is_known_on_the_line_that_takes_the_call(tmp_path: Path, order: tuple[int, int]) -> None:
    path = configuration(tmp_path, "https://voice.example.com")
    settings = json.loads(path.read_text())
    exact = {"account": ACCOUNT, "number": PLAIN, "destination": "hangup"}
    settings["lines"] = [({**exact, "number": "*", "mode": "test"}, exact)[at] for at in order]
    path.write_text(json.dumps(settings))
    with telephone(path) as phone:
        assert phone.account_of(PLAIN) == ACCOUNT
        phone.remember("+14155550123", variables={"name": "Maria"}, telco={"line_type": "mobile"})
        assert "Maria" in phone.call().said


def test_a_line_of_other_countries_is_called_too(tmp_path: Path) -> None:
    path = configuration(tmp_path, "https://voice.example.com")
    settings = json.loads(path.read_text())
    settings["lines"] = [{"account": ACCOUNT, "number": "+4930*", "destination": "hangup"}]
    path.write_text(json.dumps(settings))
    with telephone(path) as phone:
        assert phone.call().clean


def test_the_configuration_is_named_in_pytests_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"def test_it(sticky_calls):\n    assert sticky_calls.number == {FULL!r}")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*config.yaml does not exist; set sticky_calls_config*"])
    (pytester.path / "voice").mkdir()
    settings = json.loads(configuration(pytester.path / "voice", "https://voice.example.com").read_text())
    (pytester.path / "voice" / "mine.yaml").write_text(json.dumps(settings))
    pytester.makeini("[pytest]\nsticky_calls_config = voice/mine.yaml\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_who_does_not_use_it_pays_nothing_and_can_turn_it_off(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_the_service_is_there():
            assert {each for each in sys.modules if each.partition(".")[0] == "adapter"} <= {
                "adapter", "adapter.pytest_plugin"
            }
            assert not {"flask", "sqlalchemy", "twilio", "marshmallow"} & set(sys.modules)
        """
    )
    assert pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:schemathesis").ret == 0
    off = pytester.runpytest_subprocess("-p", "no:sticky_calls", "-p", "no:schemathesis", "--fixtures")
    assert "sticky_calls" not in off.stdout.str()
