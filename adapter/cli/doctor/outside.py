"""What doctor looks at from outside, as Twilio would: the public address, its certificate, and whether signatures come
through whatever stands before the service.

The signed webhook is the progress of a call that does not exist: it is acknowledged and changes nothing.
"""

from __future__ import annotations

import http.client
import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from adapter.cli.numbers.findings import Finding
from adapter.config import Config
from adapter.twilio.signature import public_url, sign

_SECONDS: Final = 10.0
# Let's Encrypt renews 30 days ahead: at 14 something has not worked for two weeks.
_LEAST_DAYS: Final = 14
_DAY: Final = 86_400
_CALL: Final = "CA" + "0" * 32
_ANY_ACCOUNT: Final = "AC" + "0" * 32


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    days_left: float | None = None


def about_public_url(config: Config, ca_file: Path | None) -> list[Finding]:
    """Is it set, does it lead here, and will its certificate last?"""
    base = config.twilio.public_url
    if not base:
        return [_url("twilio.public_url is not set", "set it to the address that Twilio is to call")]
    try:
        reply = _sent("GET", f"{base}/v1/health", ca_file)
    except ssl.SSLCertVerificationError as error:
        do = "let the proxy fetch a certificate for this name from a public CA (certbot, Caddy); Twilio trusts no other"
        return [_url(f"the certificate of {_host(base)} is not valid: {error.verify_message}", do)]
    except socket.gaierror:
        return [_url(f"{_host(base)} has no address", "make a DNS record for it, or correct twilio.public_url")]
    except (OSError, http.client.HTTPException) as error:
        do = "see that the proxy runs and that the firewall lets Twilio in (TCP 443)"
        return [_url(f"{base} gives no answer ({type(error).__name__})", do)]
    return [*_about_status(base, reply.status), *_about_certificate(base, reply.days_left)]


def about_signature(config: Config, ca_file: Path | None) -> list[Finding]:
    """Signed webhooks are accepted, by POST and by GET with what proxies spell anew; forged ones are refused."""
    base, findings = config.twilio.public_url or "", []
    if not config.twilio.accounts:
        return [_signature("twilio.accounts is empty: no webhook is accepted", "add the account and its auth token")]
    for account in config.twilio.accounts:
        named = _ANY_ACCOUNT if account.sid == "*" else account.sid
        for method in ("POST", "GET"):
            status = _webhook(method, base, named, account.auth_tokens[0], ca_file)
            if status != 204:
                findings.append(_refused(base, method, named, status))
    forged = _webhook("POST", base, _ANY_ACCOUNT, secrets.token_hex(16), ca_file)
    if forged != 403:
        what = f"a forged webhook was answered {forged}, not 403: something else answers at {base}"
        findings.append(_signature(what, "let the proxy pass everything below /twilio on to this service"))
    return findings


def _refused(base: str, method: str, account: str, status: int) -> Finding:
    what = f"a {method} signed as Twilio signs for {account} was answered {status}, not 204"
    if status != 403:
        return _signature(what, f"let the proxy pass {method} {base}/twilio/status on to this service")
    do = "the service's log says which address was checked and what is probably different in it; restart the service "
    return _signature(what, f"{do}if the configuration is newer than it, and let the proxy change nothing in addresses")


def _webhook(method: str, base: str, account: str, token: str, ca_file: Path | None) -> int:
    """The progress of no call. Escapes in the query are ones that are often decoded on the way."""
    fields = {"AccountSid": account, "CallSid": _CALL, "CallStatus": "in-progress", "From": "sip:it's@example.com"}
    posted = method == "POST"
    target = "/twilio/status" if posted else f"/twilio/status?{urlencode(fields)}"
    signature = sign(public_url(base, target), list(fields.items()) if posted else [], token)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return _sent(method, f"{base}{target}", ca_file, headers, urlencode(fields) if posted else None).status


def _about_status(base: str, status: int) -> list[Finding]:
    if status == 200:
        return []
    if status == 503:
        return [_url(f"{base} leads here, but the database does not answer", "see what is said of the database")]
    if 300 <= status < 400:
        return [_url(f"{base} leads elsewhere ({status})", "write the address it leads to: Twilio signs what it calls")]
    if status in (502, 504):
        return [
            _url(f"the proxy at {base} does not reach the service ({status})", "start the service; compare server.bind")
        ]
    return [_url(f"{base}/v1/health answers {status}", "let the proxy pass everything on to this service")]


def _about_certificate(base: str, days_left: float | None) -> list[Finding]:
    if days_left is None:
        what = f"{base} is not https: what Twilio sends about callers travels unencrypted"
        return [_url(what, "put a proxy with TLS in front, and write https in twilio.public_url and at the numbers")]
    if days_left >= _LEAST_DAYS:
        return []
    do = "see why it was not renewed (certbot renew --dry-run, Caddy's log)"
    return [_url(f"the certificate of {_host(base)} ends in {days_left:.0f} days", do)]


def _sent(
    method: str, url: str, ca_file: Path | None, headers: dict[str, str] | None = None, body: str | None = None
) -> _Reply:
    """One request, redirects not followed."""
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, ca_file)
    try:
        connection.connect()
        days = _days_left(connection.sock)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, headers or {})
        return _Reply(connection.getresponse().status, days)
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None, ca_file: Path | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)


def _days_left(connected: object) -> float | None:
    if not isinstance(connected, ssl.SSLSocket):
        return None
    ends = (connected.getpeercert() or {}).get("notAfter")
    return (ssl.cert_time_to_seconds(ends) - time.time()) / _DAY if isinstance(ends, str) else None


def _host(base: str) -> str:
    return urlsplit(base).hostname or base


def _url(what: str, do: str) -> Finding:
    return Finding("public URL", what, do)


def _signature(what: str, do: str) -> Finding:
    return Finding("signature", what, do)
