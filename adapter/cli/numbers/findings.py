"""What is wrong with how Twilio's numbers are set, told to people: shared by `numbers check` and `doctor`.

Pure functions of values. Leaves out: asking Twilio (`adapter.twilio.provisioning`), printing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlsplit

from adapter.config import Config
from adapter.engine.line import fits
from adapter.twilio.provisioning import Number, SipDomain, Webhooks


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: the check that found it. `what` is wrong; `do`: the next thing to do."""

    about: str
    what: str
    do: str

    def as_dict(self) -> dict[str, str]:
        """For --json."""
        return asdict(self)


def wanted(public_url: str, fallback_url: str | None = None) -> Webhooks:
    """What a number has to call to be ours. `fallback_url`: in place of our own, for when we are down."""
    base = public_url.rstrip("/")
    return Webhooks(f"{base}/twilio/voice", fallback_url or f"{base}/twilio/fallback", f"{base}/twilio/status")


def as_set(ours: Webhooks, said: Webhooks) -> Webhooks:
    """`ours`, with the connection overrides of addresses that are right already: nothing else remembers those."""
    names = ("voice_url", "voice_fallback_url", "status_callback")
    right = (name for name in names if without_fragment(getattr(said, name)) == getattr(ours, name))
    return replace(ours, **{name: getattr(said, name) for name in right})


def points_here(webhooks: Webhooks, public_url: str) -> bool:
    """Whether calls come to us: the voice URL is ours and nothing takes its place."""
    return without_fragment(webhooks.voice_url) == wanted(public_url).voice_url and not inert(webhooks)


def inert(webhooks: Webhooks) -> str:
    """Why Twilio does not use the number's addresses; "" when it does."""
    if webhooks.trunk_sid:
        return f"the trunk {webhooks.trunk_sid} takes its calls"
    if webhooks.voice_application_sid:
        return f"the TwiML App {webhooks.voice_application_sid} takes its calls"
    return ""


def detached(webhooks: Webhooks) -> Webhooks:
    """The same, out of its TwiML App or trunk."""
    return replace(webhooks, voice_application_sid="", trunk_sid="")


def without_fragment(url: str) -> str:
    """Twilio's connection overrides (#rc=2&rp=all) are never sent: the address is the same."""
    return url.partition("#")[0]


def address_shown(url: str) -> str:
    """Without what a password or a token may stand in."""
    parts = urlsplit(url)
    query, overrides = "?…" if parts.query else "", f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}{overrides}" if url else "nothing"


def about_numbers(config: Config, account: str, numbers: Sequence[Number]) -> list[Finding]:
    """Of one account: configured lines whose number is not there or goes elsewhere, numbers that come here unasked."""
    known = {number.number: number for number in numbers}
    lines = [line for line in config.lines if line.account in (account, "*")]
    # A line of any account may belong to another one: its number is missed only where the line names the account.
    exact = [line for line in lines if line.number in known or (line.account == account and _is_one(line.number))]
    findings = []
    for line in exact:
        number = known.get(line.number)
        findings += _missing(line.number, account) if number is None else about_number(config, number)
    for number in numbers:
        if not any(fits(line.number, number.number) for line in lines):
            findings += _unasked(config, number)
    return findings


def about_number(config: Config, number: Number) -> list[Finding]:
    """What keeps this number's calls, or what happens when they go wrong, from us."""
    public_url, said = config.twilio.public_url or "", number.webhooks
    name, ours = number.number, wanted(public_url)
    point = f"run `sticky-calls numbers point {name}`"
    if reason := inert(said):
        return [_finding(f"{name}: {reason}, its own addresses are not used", f"{point} --detach")]
    if number.receives != "voice":
        return [_finding(f"{name} receives {number.receives}, not calls", "set it to voice in Twilio's console")]
    findings = []
    if without_fragment(said.voice_url) != ours.voice_url:
        findings.append(_finding(f"{name} calls {address_shown(said.voice_url)}, not {ours.voice_url}", point))
    if without_fragment(said.status_callback) != ours.status_callback:
        what = f"{name} tells the end of calls to {address_shown(said.status_callback)}, not {ours.status_callback}"
        findings.append(_finding(what, point))
    if not said.voice_fallback_url:
        findings.append(_finding(f"{name} has no fallback: callers hear an error when this service is away", point))
    return findings


def about_domains(config: Config, domains: Sequence[SipDomain]) -> list[str]:
    """Notes, not findings: who uses SIP domains knows why."""
    ours = wanted(config.twilio.public_url or "").voice_url
    elsewhere = [domain for domain in domains if without_fragment(domain.voice_url) != ours]
    return [
        f"calls that come by SIP to {domain.name} go to {address_shown(domain.voice_url)}, whatever its numbers say"
        for domain in elsewhere
    ]


def _missing(number: str, account: str) -> list[Finding]:
    return [
        _finding(f"{number} is not a number of {account}", "correct the line's number or account, or buy the number")
    ]


def _unasked(config: Config, number: Number) -> list[Finding]:
    if not points_here(number.webhooks, config.twilio.public_url or ""):
        return []
    do = f"add a line for it, or run `sticky-calls numbers unpoint {number.number}`"
    return [_finding(f"{number.number} calls this service, which has no line for it: callers hear an apology", do)]


def _finding(what: str, do: str) -> Finding:
    return Finding("numbers", what, do)


def _is_one(written: str) -> bool:
    return "*" not in written
