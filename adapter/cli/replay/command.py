"""`sticky-calls replay`: recorded calls once more, against a server or an app of its own, and what is different."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from adapter.cli.client import api_key
from adapter.cli.configured import config_option, configured
from adapter.cli.dialed import dialed
from adapter.engine.model import Millis
from adapter.replay.rerun import (
    Customers,
    Pace,
    Rerun,
    Round,
    Selection,
    Server,
    Tally,
    Target,
    checked,
    fresh_sids,
    play_rounds,
)

from .fresh import fresh
from .line import OfNoLine, OnLine
from .shown import console, show
from .source import Source, following, is_shown, refuse_other_formats
from .told import tell

_KINDS: Final = ("voice", "turn", "whisper", "status", "fallback", "api")
_DIFFERENT: Final = 1
_SPEED: Final = re.compile(r"(\d+(?:\.\d+)?)x")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def speed_of(_: click.Context, __: click.Parameter, written: str) -> float | None:
    """How much faster than recorded; None: without waiting."""
    found = _SPEED.fullmatch(written)
    if written != "max" and (found is None or not float(found[1])):
        raise click.BadParameter("write 1x, 10x, … or max")
    return float(found[1]) if found else None


def millis_of(_: click.Context, __: click.Parameter, written: str | None) -> Millis | None:
    """An ISO 8601 time; UTC when it names no zone."""
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise click.BadParameter("write a time as 2026-02-07T10:30:00Z") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def address_of(_context: click.Context, _parameter: click.Parameter, written: str | None) -> str | None:
    """A server's, before any webhook is tried there."""
    if written is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", written):
        raise click.BadParameter("write the server's address as http://127.0.0.1:8080")
    return written


@dataclass(frozen=True, slots=True)
class _Way:
    """Where to, and as whom."""

    url: str | None
    config: Path | None
    memory: Path | None
    token_file: Path | None
    key_file: Path | None
    public_url: str | None


@click.command(epilog="Example:  sticky-calls replay recordings/calls.jsonl --fresh --config config.yaml")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE…")
@click.option("--to", "url", callback=address_of, metavar="URL", help="Play them to the server at this address …")
@click.option("--fresh", "is_fresh", is_flag=True, help="… or to an app of its own, on a store that is then removed.")
@config_option
@click.option(
    "--memory", type=_FILE, help="With --fresh: begin with a copy of this SQLite database, of before the calls."
)
@click.option("--token-file", type=_FILE, help="With --to: Twilio's auth token, in place of the configuration's.")
@click.option("--key-file", type=_FILE, help="With --to: an API key, for API calls.  [default: $ADAPTER_API_KEY]")
@click.option("--public-url", help="With --to: the address that is signed for.  [default: twilio.public_url]")
@click.option("--speed", default="max", callback=speed_of, help="1x: with the gaps as recorded; 10x, …; max (default).")
@click.option("--fresh-sids", is_flag=True, help="Every call gets a CallSid that no call had.")
@click.option("--concurrency", type=click.IntRange(1, 500), default=1, help="So many calls at once (with --to).")
@click.option("--repeat", type=click.IntRange(1), default=1, help="Play all of it so often, with fresh CallSids.")
@click.option(
    "--check",
    type=click.Choice(["same", "valid"]),
    help="What answers must be.  [default: same, or valid with --repeat]",
)
@click.option("--only", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only webhooks of this kind.")
@click.option("--until", callback=millis_of, metavar="TIME", help="Only webhooks up to this time (ISO 8601, UTC).")
@click.option("--number", "numbers", multiple=True, help="Only calls from or to this number.")
@click.option("--call", "calls", multiple=True, metavar="CALLSID", help="Only this call.")
@click.option("--line", metavar="NUMBER", help="Play all calls as calls to this number, and its account.")
@click.option("--accept", is_flag=True, help="Write the new answers into the recording, in place of the old ones.")
@click.option("--show", "shows", is_flag=True, help="Tell of every webhook what it is answered, in words.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def replay(
    files: tuple[Path, ...],
    url: str | None,
    is_fresh: bool,
    path: Path | None,
    memory: Path | None,
    token_file: Path | None,
    key_file: Path | None,
    public_url: str | None,
    speed: float | None,
    fresh_sids: bool,
    concurrency: int,
    repeat: int,
    check: str | None,
    kinds: tuple[str, ...],
    until: Millis | None,
    numbers: tuple[str, ...],
    calls: tuple[str, ...],
    line: str | None,
    accept: bool,
    shows: bool,
    as_json: bool,
) -> None:
    """Play the calls of recordings (or of other tools' files) again and compare the answers with the recorded ones.

    Exit code 1: something is different, was not answered or could not be read, or nothing was played.
    """
    if bool(url) == is_fresh:
        raise click.UsageError("say --to URL or --fresh")
    _refuse_what_does_not_fit(is_fresh, memory, token_file or key_file or public_url, concurrency)
    if accept and (concurrency > 1 or repeat > 1 or check == "valid"):
        raise click.UsageError("--accept goes with neither --concurrency, --repeat nor --check valid")
    if accept:
        refuse_other_formats(files)
    if shows and as_json:
        raise click.UsageError("--show goes without --json")
    called = None if line is None else dialed(configured(path), line)
    run = _Run(
        files,
        Selection(frozenset(kinds), frozenset(numbers), frozenset(calls), until),
        compare=(check or ("valid" if repeat > 1 else "same")) == "same",
        speed=speed,
        accept=accept,
        shown_on=console() if shows else None,
        of_no_line=OfNoLine(configured(path)) if called is None and not token_file else None,
    )
    tally, began = Tally(), time.monotonic()
    with _targets(_Way(url, path, memory, token_file, key_file, public_url), concurrency) as targets:
        on_line = targets if called is None else [OnLine(each, called) for each in targets]
        salts = _salts(is_fresh, repeat) if fresh_sids or repeat > 1 else [None]
        broken = run.play([_renamed(on_line, salt) for salt in salts], tally)
    _report(tally, broken, time.monotonic() - began, as_json)
    run.warn()
    if tally.webhooks == 0:
        asked = "no webhook fits --only, --until, --number and --call"
        raise click.ClickException(f"nothing was played: {'no calls' if run.selection == Selection() else asked}")
    if broken or not (tally.is_clean or (accept and not tally.troubles)):
        sys.exit(_DIFFERENT)


def _refuse_what_does_not_fit(
    is_fresh: bool, memory: Path | None, signing: Path | str | None, concurrency: int
) -> None:
    if memory and not is_fresh:
        raise click.UsageError("--memory goes with --fresh")
    if signing and is_fresh:
        raise click.UsageError("--token-file, --key-file and --public-url go with --to")
    if is_fresh and concurrency > 1:
        raise click.UsageError("--concurrency goes with --to; --fresh plays in the order of the recording")


@dataclass(slots=True)
class _Run:
    """What is played, and what is done with the answers. `shown_on`: where each is told; None: nowhere."""

    files: tuple[Path, ...]
    selection: Selection
    compare: bool
    speed: float | None
    accept: bool
    shown_on: Console | None
    of_no_line: OfNoLine | None

    def play(self, rounds: Sequence[Sequence[Target]], tally: Tally) -> int:
        """To these targets in each round. How many could not be read."""
        with following(self.files, is_shown() and self.shown_on is None, len(rounds)) as advance:
            sources = [Source(self.files, self.selection, advance, self.accept) for _ in rounds]

            def done(rerun: Rerun) -> None:
                self._take(rerun, tally)
                sources[rerun.round].take(rerun)

            play_rounds(
                (Round(*each, Pace(self.speed)) for each in zip(sources, rounds, strict=True)), len(rounds[0]), done
            )
        return sum(source.broken for source in sources)

    def warn(self) -> None:
        """Of answers that look like answers, and say nothing."""
        if self.of_no_line is not None and self.of_no_line.count:
            told = f"{self.of_no_line.count:,} of these webhooks are of numbers that no line is configured for"
            click.echo(f"{told}; --line plays them as calls of one of yours", err=True)

    def _take(self, rerun: Rerun, tally: Tally) -> None:
        found = checked(rerun, compare=self.compare)
        differences = tally.add(found)
        if self.shown_on is not None:
            tell(found, differences, self.shown_on)
        if self.of_no_line is not None:
            self.of_no_line.look_at(rerun.recorded)


@contextmanager
def _targets(way: _Way, concurrency: int) -> Iterator[list[Target]]:
    if way.url is None:
        with fresh(configured(way.config), way.memory) as target:
            yield [target]
        return
    public, tokens = _signing(way, way.url)
    wanted = way.key_file or os.environ.get("ADAPTER_API_KEY")
    key = api_key(way.key_file, os.environ) if wanted else None
    customers = Customers()
    yield [Server(public, tokens, way.url, api_key=key, customers=customers) for _ in range(concurrency)]


def _signing(way: _Way, url: str) -> tuple[str, dict[str, str]]:
    """What is signed for, and with which tokens."""
    if way.token_file is not None:
        token = way.token_file.read_text("utf-8").strip()
        if not token:
            raise click.UsageError(f"{way.token_file} is empty; write the account's auth token into it")
        public = configured(way.config).twilio.public_url if way.config else None
        return way.public_url or public or url, {"*": token}
    config = configured(way.config)
    tokens = {each.sid: each.auth_tokens[0] for each in config.twilio.accounts}
    if not tokens:
        raise click.UsageError("webhooks have to be signed; name the server's configuration, or a --token-file")
    return way.public_url or config.twilio.public_url or url, tokens


def _salts(is_fresh: bool, rounds: int) -> list[str | None]:
    """A server remembers the calls of the last replay, too; a store of its own does not."""
    once = "" if is_fresh else f"{secrets.token_hex(16)} "
    return [f"{once}{number}" for number in range(rounds)]


def _renamed(targets: Sequence[Target], salt: str | None) -> Sequence[Target]:
    return targets if salt is None else [fresh_sids(target, salt) for target in targets]


def _report(tally: Tally, broken: int, seconds: float, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**tally.as_json(), "unreadable": broken, "seconds": round(seconds, 3)}, indent=2))
        return
    show(tally, seconds, console())
