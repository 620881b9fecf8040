"""`numbers`, `doctor` and what else asks Twilio's REST API, against an emulator that knows Twilio's description of it.

python -m tests.emulated --programs FOLDER

FOLDER is where this was done (Node; nothing of it is part of the product):

    npm install @stoplight/prism-cli @twilio-alpha/mcp      # an emulator, and Twilio's OpenAPI files

The tests of `numbers`, `doctor` and the provisioning run as always, but every request goes through Prism to the
little API that they bring along, and every answer back: what Twilio's description does not allow, of either, is wrong.
First a request and an answer that are wrong on purpose have to be found.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.emulated.prism import DESCRIPTION, Prism
from tests.twilio.rest import Rest

_TESTS = ("tests/cli/test_numbers.py", "tests/cli/test_doctor.py", "tests/twilio/test_provisioning.py")
_ACCOUNT, _TOKEN = "AC" + "a" * 32, "token"
_NUMBERS = f"/2010-04-01/Accounts/{_ACCOUNT}/IncomingPhoneNumbers"


def main() -> int:
    """0: all tests passed, and nothing was said that the description does not allow. 2: there is no emulator."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulated", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=Path, required=True, help="the folder with node_modules")
    programs = parser.parse_args().programs
    if shutil.which("node") is None or not (programs / DESCRIPTION).exists():
        print("There is no emulator here, so nothing was tried: see --help.")
        return 2
    with tempfile.TemporaryDirectory() as folder, Prism(programs, Path(folder)) as prism:
        wrong = _controls(prism)
        with prism.between():
            failed = int(pytest.main(["-q", "--assert=plain", "-p", "no:xdist", "-p", "no:cacheprovider", *_TESTS]))
        wrong += [f"Twilio's description does not allow: {each}" for each in prism.violations()]
    print(f"{prism.count} requests and their answers were compared with Twilio's description")
    for line in wrong:
        print(f"WRONG: {line}")
    print("all is well" if not wrong and not failed else "something is wrong")
    return int(bool(wrong or failed))


def _controls(prism: Prism) -> list[str]:
    """What is wrong on purpose is found; what is right is not."""
    rest = Rest(_ACCOUNT, [_TOKEN])
    sid = rest.add_number("+14155550100")["sid"]
    asked = {
        "a good request": (f"{_NUMBERS}/{sid}.json", {"VoiceMethod": "POST"}, False),
        "a method that there is not": (f"{_NUMBERS}/{sid}.json", {"VoiceMethod": "FETCH"}, True),
        "a trunk that can be none": (f"{_NUMBERS}/{sid}.json", {"TrunkSid": "TK1"}, True),
    }
    wrong = []
    for what, (path, form, is_wrong) in asked.items():
        prism.ask(rest, "POST", path, form)
        if bool(prism.violations(forget=True)) != is_wrong:
            wrong.append(f"{what} was {'not ' if is_wrong else ''}found")
    rest.numbers[0]["capabilities"] = "voice"
    prism.ask(rest, "POST", f"{_NUMBERS}/{sid}.json", {"VoiceMethod": "POST"})
    return wrong if prism.violations(forget=True) else [*wrong, "an answer of another form was not found"]


if __name__ == "__main__":
    sys.exit(main())
