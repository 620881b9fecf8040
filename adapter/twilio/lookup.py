"""What kind of line a number is, asked of Twilio's Lookup v2 (line type intelligence; $0.008 for each number asked).

One try of at most a second to connect and a second of waiting; whatever goes wrong is None and a line in the log that
names no number. Leaves out: when to ask, and remembering the answer (`adapter.lookups`, `usecases.line_types`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from adapter.engine.model import LineType

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]

_LOG = logging.getLogger(__name__)
_SECONDS: Final = 1.0
# Refused for what it is or how much it asks: every other number of the account would be, too, call for call.
_REFUSED: Final = frozenset({401, 403, 429})
_PAUSE_SECONDS: Final = 300.0
# Lookup v2, line_type_intelligence.type. All others (tollFree, premium, sharedCost, uan, voicemail, pager, personal,
# unknown) say nothing about who calls from there.
_TYPES: Final = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "fixedVoip": LineType.VOIP,
    "nonFixedVoip": LineType.VOIP,
}


class Lookup:
    """Asks with the credentials of configured accounts. `tokens`: auth tokens by AccountSid; the first one is used.

    Accounts known only as "*" are not asked: their token may be any account's. For one thread at a time.
    """

    def __init__(self, tokens: Mapping[str, tuple[str, ...]]) -> None:
        self._tokens = {sid: known[0] for sid, known in tokens.items() if known and sid != "*"}
        self._clients: dict[str, Client] = {}
        self._paused_until: dict[str, float] = {}

    def can_ask(self, account: str) -> bool:
        """Whether there are credentials for this AccountSid."""
        return account in self._tokens

    def line_type(self, account: str, number: str) -> LineType | None:
        """The kind of line of an E.164 number; None when Twilio could not tell now. Never raises."""
        from requests import RequestException
        from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]

        if time.monotonic() < self._paused_until.get(account, 0.0):
            return None
        try:
            found = self._client(account).lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
            return _read(found)
        except (TwilioException, RequestException, AttributeError, TypeError, ValueError, LookupError) as error:
            # The message of an error holds the address, and the address the number.
            _LOG.warning("line type not looked up: %s", _reason(error))
            if getattr(error, "status", None) in _REFUSED:
                self._paused_until[account] = time.monotonic() + _PAUSE_SECONDS
            return None

    def _client(self, account: str) -> Client:
        if account not in self._clients:
            # Here, because importing it takes longer than greeting a caller: 88 ms.
            from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
            from twilio.rest import Client

            http = TwilioHttpClient(timeout=_SECONDS, logger=_silent())
            self._clients[account] = Client(account, self._tokens[account], http_client=http)
        return self._clients[account]


def _read(found: Any) -> LineType:
    """ValueError when the answer does not tell, so that it is not remembered as one."""
    if found.valid is False:
        return LineType.UNKNOWN  # no such number: it was made up, and asking again would not help
    told = found.line_type_intelligence["type"]
    if told is None:
        # Twilio's answer all the same, such as for numbers of a country that the account is not approved for (60601).
        _LOG.warning("Twilio knows no line type: error_code %s", _code(found.line_type_intelligence.get("error_code")))
        return LineType.UNKNOWN
    if not isinstance(told, str):
        raise ValueError("no line type")
    return _TYPES.get(told, LineType.UNKNOWN)


def _code(told: object) -> int | None:
    return told if isinstance(told, int) else None


def _reason(error: Exception) -> str:
    """Numbers only: whatever else an answer says of the error is text of somebody else's making."""
    known = [f"{name} {value}" for name in ("status", "code") if isinstance(value := getattr(error, name, None), int)]
    return ", ".join(known) or type(error).__name__


def _silent() -> logging.Logger:
    """The library's own logger writes the number's address at level debug."""
    logger = logging.getLogger(f"{__name__}.http")
    logger.disabled = True
    return logger
