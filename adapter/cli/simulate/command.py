"""`sticky-calls simulate`: an interactive telephone against a running server, with properly signed webhooks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
import requests
from rich.console import Console
from rich.markup import escape

from adapter.cli.client import api_key
from adapter.cli.configured import config_option, configured
from adapter.cli.decision import conversed, decided
from adapter.cli.dialed import dialed
from adapter.config import Config
from adapter.replay import ANONYMOUS, Call, Ending, HttpExchange, Network, Script, ScriptError, Transcript

from .dialogue import Keyboard, Shown
from .script import WORDS, scripted

_CALLER: Final = "+14155550123"
_ATTESTATIONS: Final = ("A", "B", "C")
_SECONDS: Final = 5
_FAILED: Final = 1
# What a person hears of the addresses that mean "every interface".
_REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - read, not bound


def _stir(_: click.Context, __: click.Parameter, written: str | None) -> str | None:
    if not written or len(written) > 1:
        return written
    if written.upper() not in _ATTESTATIONS:
        raise click.BadParameter("is A, B or C, or a whole value such as TN-Validation-Failed-C")
    return written.upper()


@click.command(epilog='Example:  sticky-calls simulate --config config.yaml --script "1,refund please,silence"')
@config_option
@click.option("--from", "caller", help=f"The caller's number (or client:…, sip:…).  [default: {_CALLER}]")
@click.option("--to", "number", help="The number that is called.  [default: one of the first line]")
@click.option("--anonymous", is_flag=True, help="The caller withholds the number.")
@click.option("--stir", callback=_stir, help="How far the network vouches for the number: A, B, C or a StirVerstat.")
@click.option("--forwarded-from", help="The number that forwards the call.")
@click.option("--url", help="Where the server is.  [default: http:// and server.bind]")
@click.option("--script", help=f"What the caller does, in place of you, between commas. {WORDS}")
@click.option("--json", "as_json", is_flag=True, help="Print the whole call as JSON at the end; the rest on stderr.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with an API key, to show what was decided. Without it: $ADAPTER_API_KEY, if set.",
)
def simulate(
    path: Path | None,
    caller: str | None,
    number: str | None,
    anonymous: bool,
    stir: str | None,
    forwarded_from: str | None,
    url: str | None,
    script: str | None,
    as_json: bool,
    key_file: Path | None,
) -> None:
    """Call a running server as Twilio would; you are the caller, and the one who answers.

    Type keys (12#) or words; Enter is silence, Ctrl-D hangs up. Exit code 1: the call failed.

    To the server it is a call like any other: it counts, and what comes of it is remembered in the database of that
    server. To try things out without traces among your customers, call a line with `mode: test`.
    """
    if anonymous and caller:
        raise click.UsageError("--from and --anonymous contradict each other")
    config = configured(path)
    called = dialed(config, number)
    console = _console(as_json)
    number = called.number
    call = Call(ANONYMOUS if anonymous else caller or _CALLER, number, stir=stir, forwarded_from=forwarded_from)
    base = (url or _bound(config)).rstrip("/")
    key = api_key(key_file, os.environ) if key_file or os.environ.get("ADAPTER_API_KEY") else None
    network, exchange = _network(config, called.account, base)
    _reach(base, path)
    console.print(f"[dim]{escape(f'{call.caller} calls {number} (line {called.line.number}) at {base}')}[/]")
    try:
        who = _who(script, console)
        played = _played(network, call, Shown(who, console))
    except ScriptError as error:
        raise click.ClickException(f"the script does not fit the call: {error}") from None
    finally:
        exchange.close()
    _show_end(played, console)
    if isinstance(who, Script) and who.left:
        console.print(f"[yellow]The call was over before the last {len(who.left)} of the script.[/]")
    known = _decision(base, key, call.sid) if key else None
    _show_decision(known, console)
    if as_json:
        click.echo(json.dumps({**asdict(played), "call": known}, ensure_ascii=False, indent=2))
    if played.errors or played.ending in (Ending.CUT_OFF, Ending.LOOPED):
        sys.exit(_FAILED)


def _console(as_json: bool) -> Console:
    # Piped, a line must not be broken at the 80 columns of a terminal that is not there.
    stream = sys.stderr if as_json else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 200)


def _who(script: str | None, console: Console) -> Script | Keyboard:
    return Keyboard(console) if script is None else scripted(script)


def _played(network: Network, call: Call, who: Shown) -> Transcript:
    """The whole call. Given up in the middle, it is hung up: for the server it would go on for ever."""
    try:
        return network.play(call, who)
    except BaseException:
        network.tell(call, "completed")
        raise


def _network(config: Config, account: str, base: str) -> tuple[Network, HttpExchange]:
    if not config.twilio.public_url:
        raise click.ClickException("twilio.public_url is not set; webhooks are signed for it")
    tokens = {each.sid: each.auth_tokens[0] for each in config.twilio.accounts if each.auth_tokens}
    token = tokens.get(account, tokens.get("*"))
    if token is None:
        raise click.ClickException(f"twilio.accounts has no auth token for {account}, to which the line belongs")
    exchange = HttpExchange(config.twilio.public_url, token, base)
    return Network(exchange, config.twilio.public_url, account), exchange


def _bound(config: Config) -> str:
    """http:// and where the server of this configuration listens."""
    bind = config.server.bind
    if bind.startswith("unix:"):
        raise click.ClickException(f"server.bind is {bind}, which cannot be called; say --url http://…, the proxy's")
    host, _, port = bind.rpartition(":")
    return f"http://{_REACHABLE.get(host, host)}:{port}"


def _reach(base: str, path: Path | None) -> None:
    """Before the telephone rings: is anybody there?"""
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"{base}/v1/health", timeout=_SECONDS, allow_redirects=False)
    except (requests.RequestException, ValueError) as error:
        start = f"sticky-calls serve --config {path}" if path else "sticky-calls serve"
        raise click.ClickException(
            f"nobody answers at {base} ({type(error).__name__}); start the server with `{start}`, or say --url"
        ) from None


def _show_end(played: Transcript, console: Console) -> None:
    for trouble in (*played.errors, *played.warnings):
        where = f" [dim]({escape(trouble.url)})[/]" if trouble.url else ""
        kind = "[red]Error" if trouble in played.errors else "[yellow]Warning"
        console.print(f"{kind}[/] {escape(str(trouble))}{where}")
    if any(request.status == 403 for request in played.requests):
        console.print("[yellow]403: the server refuses the signature. Does it run with this configuration?[/]")
    on = f" {escape(played.left_to)}" if played.left_to else ""
    minutes, seconds = divmod(round(played.seconds), 60)
    console.print(
        f"[bold]The call is over:[/] {played.ending.value}{on}. "
        f"{played.call_status}, {minutes}:{seconds:02} minutes, CallSid [bold]{played.call_sid}[/]"
    )


def _decision(base: str, key: str, call_sid: str) -> dict[str, Any] | None:
    """What the API tells of the call; None when it tells nothing."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{base}/v1/calls/{quote(call_sid, safe='')}",
                headers={"Authorization": f"Bearer {key}"},
                timeout=_SECONDS,
                allow_redirects=False,
            )
            found = answer.json()
    except (requests.RequestException, ValueError):
        return None
    return found if answer.status_code == 200 and isinstance(found, dict) else None


def _show_decision(call: Mapping[str, Any] | None, console: Console) -> None:
    """Nothing without a key; a call that another organization's key cannot see looks the same as none."""
    for label, words in () if call is None else (*decided(call), *conversed(call)):
        console.print(f"  [dim]{label:>10}[/]  {words}")
