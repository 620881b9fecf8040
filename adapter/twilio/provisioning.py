"""Twilio's side of our numbers: what they are set to call, over Twilio's REST API and its own client.

Source: Twilio, "IncomingPhoneNumber resource", "SIP Domains", "Accounts". Every request has a timeout and is tried
again when Twilio is busy or away; setting the same addresses twice changes nothing, so that is safe for writing, too.
Leaves out: what they should be set to and what is wrong with them (`adapter.cli.numbers.findings`), undoing
(`adapter.cli.numbers.memory`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from adapter.errors import AdapterError

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]

T = TypeVar("T")

_SECONDS: Final = 10.0
_TRIES: Final = 3
# Busy and away; everything else would be answered the same way again.
_TRY_AGAIN: Final = (429, 500, 502, 503, 504)


class TwilioSaysNo(AdapterError):
    """Twilio answered, and would not do it. `status`: Twilio's own, 401 for a token that it does not know."""

    code = "twilio_says_no"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TwilioAway(AdapterError):
    """No answer came, or none that can be read. Trying again may help."""

    code = "twilio_away"
    status = 503


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What a number calls, as Twilio names it; "" for nothing. Methods are GET or POST."""

    voice_url: str
    voice_fallback_url: str
    status_callback: str
    voice_method: str = "POST"
    voice_fallback_method: str = "POST"
    status_callback_method: str = "POST"
    # Either takes all calls away from the addresses above.
    voice_application_sid: str = ""
    trunk_sid: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an account. `receives`: "voice", or "fax", where the addresses are not used for calls."""

    account: str
    sid: str
    number: str
    webhooks: Webhooks
    receives: str = "voice"


@dataclass(frozen=True, slots=True)
class SipDomain:
    """Calls that come by SIP go to the address of their domain, whatever a number says."""

    name: str
    voice_url: str


@dataclass(frozen=True, slots=True)
class Account:
    """`status`: active, suspended or closed. `primary_token`: the one that signs webhooks; "" when it is not told."""

    status: str
    primary_token: str = field(default="", repr=False)


class TwilioApi:
    """One account's REST API. Everything raises TwilioSaysNo or TwilioAway, whose words hold no token."""

    def __init__(self, account: str, token: str) -> None:
        self.account = account
        self._token = token
        self._made: Client | None = None

    def about_account(self) -> Account:
        """TwilioSaysNo with status 401 when the token is not the account's."""
        found = self._asked(lambda client: client.api.v2010.accounts(self.account).fetch())
        return Account(str(found.status or ""), found.auth_token or "")

    def numbers(self) -> list[Number]:
        """All numbers of the account."""
        found = self._asked(lambda client: client.incoming_phone_numbers.list(page_size=1000))
        return [self._number(each) for each in found]

    def set(self, number: Number, webhooks: Webhooks) -> Number:
        """The number as it is afterwards."""
        values = {name: getattr(webhooks, name) for name in Webhooks.__slots__}
        for container in ("voice_application_sid", "trunk_sid"):
            # Naming one deletes the other, and an empty one deletes what is there: said only when it is to change.
            if values[container] == getattr(number.webhooks, container):
                del values[container]
        return self._number(self._asked(lambda client: client.incoming_phone_numbers(number.sid).update(**values)))

    def sip_domains(self) -> list[SipDomain]:
        """All SIP domains of the account."""
        found = self._asked(lambda client: client.sip.domains.list())
        return [SipDomain(each.domain_name or "", each.voice_url or "") for each in found]

    def _number(self, found: Any) -> Number:
        values = {name: getattr(found, name) or "" for name in Webhooks.__slots__}
        methods = {name: value.upper() or "POST" for name, value in values.items() if name.endswith("_method")}
        receives = str(found.voice_receive_mode or "voice")
        return Number(self.account, found.sid, found.phone_number, Webhooks(**{**values, **methods}), receives)

    def _asked(self, ask: Callable[[Client], T]) -> T:
        with _in_our_words():
            return ask(self._client())

    def _client(self) -> Client:
        if self._made is None:
            # Here, because importing it takes longer than most commands run.
            from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
            from twilio.rest import Client
            from urllib3.util import Retry

            retry = Retry(
                _TRIES,
                backoff_factor=0.5,
                status_forcelist=_TRY_AGAIN,
                allowed_methods=None,
                raise_on_status=False,
                respect_retry_after_header=False,
            )
            http = TwilioHttpClient(timeout=_SECONDS, logger=_silent(), max_retries=retry)
            self._made = Client(self.account, self._token, http_client=http)
        return self._made


@contextmanager
def _in_our_words() -> Iterator[None]:
    from requests import RequestException
    from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]

    try:
        yield
    except RequestException as error:
        raise TwilioAway(f"Twilio's API gave no answer ({type(error).__name__})") from None
    except (TwilioException, AttributeError, TypeError, ValueError, LookupError) as error:
        status = _status(error)
        if status is None:
            raise TwilioAway(f"Twilio's API gave an answer that cannot be read ({type(error).__name__})") from None
        # Twilio's own words may hold a number, or whatever an answer that is not Twilio's holds: its code finds them.
        code = getattr(error, "code", None)
        told = f", error {code}" if isinstance(code, int) and code != status else ""
        raise TwilioSaysNo(f"Twilio answered {status}{told}", status) from None


def _status(error: Exception) -> int | None:
    """Of a refusal; a list's page carries its whole answer in the exception in place of a status."""
    status = getattr(error, "status", None) or getattr(error.args[-1] if error.args else None, "status_code", None)
    return status if isinstance(status, int) and status >= 400 else None


def _silent() -> logging.Logger:
    """The library's own logger writes addresses, and numbers in them, at level debug."""
    logger = logging.getLogger(f"{__name__}.http")
    logger.disabled = True
    return logger
