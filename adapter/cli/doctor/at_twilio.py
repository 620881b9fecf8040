"""What doctor asks Twilio: the time, whether tokens open and which of them signs, where the lines' numbers go."""

from __future__ import annotations

import hmac
import time
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from adapter.cli.numbers.findings import Finding, about_domains, about_numbers
from adapter.config import Config, TwilioAccount
from adapter.errors import AdapterError
from adapter.twilio.provisioning import Account, TwilioApi

_TWILIO: Final = "https://api.twilio.com"
_SECONDS: Final = 10.0
# Calls are dated, and nodes compared, by the clock; a second of it is the answer's way.
_MOST_SECONDS: Final = 5.0


def about_clock() -> list[Finding]:
    """This machine's clock against the Date of an answer from Twilio."""
    try:
        answer = requests.head(_TWILIO, timeout=_SECONDS)
        there = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except requests.RequestException as error:
        what = f"{_TWILIO} cannot be reached from here ({type(error).__name__})"
        return [Finding("clock", what, "let this machine call Twilio (TCP 443 out), or run `doctor --offline`")]
    except (KeyError, ValueError, TypeError):
        return [Finding("clock", "Twilio's answer has no date", "see whether a proxy answers in Twilio's place")]
    wrong = time.time() - there
    if abs(wrong) <= _MOST_SECONDS:
        return []
    what = f"the clock is {abs(wrong):,.0f} s {'fast' if wrong > 0 else 'slow'}"
    return [Finding("clock", what, "turn time synchronization on: timedatectl set-ntp true")]


def about_tokens(config: Config, notes: list[str]) -> list[Finding]:
    """Of every account: does a token open, does the one that signs webhooks stand in the configuration?"""
    findings = []
    for account in config.twilio.accounts:
        if account.sid == "*":
            notes.append('of the account "*" only its signatures can be looked at')
        else:
            findings += _about_account(account, notes)
    return findings


def about_twilio_numbers(config: Config, notes: list[str]) -> list[Finding]:
    """Every configured line's number calls this service."""
    findings = []
    for account in config.twilio.accounts:
        if account.sid == "*" or not config.twilio.public_url:
            continue
        api = next((each for each in _apis(account) if _opened(each) is not None), None)
        if api is None:
            notes.append(f"the numbers of {account.sid} cannot be looked at: no token opens Twilio's API")
            continue
        findings += about_numbers(config, account.sid, api.numbers())
        notes += about_domains(config, api.sip_domains())
    return findings


def _about_account(account: TwilioAccount, notes: list[str]) -> list[Finding]:
    opened = [_opened(api) for api in _apis(account)]
    told = next((each for each in opened if each is not None), None)
    if told is None:
        what = f"no auth token of {account.sid} opens Twilio's API"
        return [_token(what, "copy the account's auth token from Twilio's console into auth_tokens (or its file)")]
    findings = [
        _token(f"auth token {place} of {account.sid} is not valid (any more)", "take it out of the configuration")
        for place, each in enumerate(opened, 1)
        if each is None
    ]
    if told.status != "active":
        findings.append(_token(f"{account.sid} is {told.status}", "see Twilio's console, or take the account out"))
    return [*findings, *_about_primary(account, told.primary_token, notes)]


def _about_primary(account: TwilioAccount, primary: str, notes: list[str]) -> list[Finding]:
    """Twilio signs with the primary token alone; a secondary one opens the API as well, and signs once promoted."""
    if not primary:
        notes.append(f"{account.sid}: Twilio does not tell which token signs")
        return []
    # Tokens can hold anything: as bytes, which compare_digest takes.
    fits = [hmac.compare_digest(token.encode(), primary.encode()) for token in account.auth_tokens]
    if not any(fits):
        what = f"Twilio signs for {account.sid} with a token that is not configured: every webhook is refused"
        return [_token(what, "add the primary auth token (Twilio's console) to auth_tokens")]
    if len(fits) > 1:
        place = fits.index(True) + 1
        notes.append(
            f"{account.sid}: token {place} of {len(fits)} signs now; promote the new one, then take the old out"
        )
    return []


def _apis(account: TwilioAccount) -> list[TwilioApi]:
    return [TwilioApi(account.sid, token) for token in account.auth_tokens]


def _opened(api: TwilioApi) -> Account | None:
    """None when Twilio does not take the token."""
    try:
        return api.about_account()
    except AdapterError as error:
        if error.status != 401:
            raise
        return None


def _token(what: str, do: str) -> Finding:
    return Finding("tokens", what, do)
