"""`sticky-calls import`: webhooks that other tools kept, or Twilio itself, as a recording of ours."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from adapter.cli.configured import config_option, configured
from adapter.config import Config
from adapter.errors import AdapterError
from adapter.replay.importers import imported
from adapter.replay.importers.exchange import NoWebhook
from adapter.replay.importers.ngrok import fetch, read_ngrok
from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary, without_secrets
from adapter.replay.recording import Broken, Recorded, line_of

Clean = Callable[[Recorded], Recorded]
Source = Iterator[Recorded | Broken]

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@click.command(epilog="Example:  sticky-calls import calls.har --output calls.jsonl")
@click.argument("files", type=click.Path(), nargs=-1, metavar="[FILE]…")
@click.option("-o", "--output", required=True, help="The recording to write, a new file; - for standard output.")
@click.option("--twilio", "sids", multiple=True, metavar="CALLSID", help="Fetch this call's webhooks from Twilio.")
@click.option("--from", "start", type=click.DateTime(_TIMES), help="Fetch the inbound calls since then (UTC) …")
@click.option("--to", "end", type=click.DateTime(_TIMES), help="… until then; without it, until now.")
@click.option("--account", metavar="SID", help="The Twilio account to ask. Default: the configuration's only one.")
@click.option("--ngrok", metavar="URL", is_flag=False, flag_value="http://127.0.0.1:4040", help="Ask a running ngrok.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Key of the pseudonyms: the same in every recording.")
@click.option("--keep-personal", is_flag=True, help="Replace nothing; secrets are left out all the same.")
@config_option
def import_webhooks(
    files: tuple[str, ...],
    output: str,
    sids: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    account: str | None,
    ngrok: str | None,
    key_file: Path | None,
    keep_personal: bool,
    path: Path | None,
) -> None:
    """Turn the webhooks in each FILE into a recording. Formats are recognized; - reads standard input.

    Known: recordings, HAR, ngrok, Twilio's Call Events, forms, curl commands, JSON of any make with a CallSid in it,
    such as alerts of Twilio's debugger. Personal data is replaced by pseudonyms; the numbers and words of the
    configuration stay. Twilio's auth token comes from the configuration. Exit code 1 if something could not be read;
    the rest is imported.
    """
    config = configured(path)
    sources = [_file(name) for name in files]
    if ngrok:
        sources.append(_ngrok(ngrok))
    if sids or start:
        sources.append(_twilio(config, account, sids, start, end))
    if not sources:
        raise click.UsageError("name a FILE, or --twilio, --from or --ngrok")
    clean = without_secrets if keep_personal else _pseudonyms(config, key_file).clean
    with ExitStack() as opened:
        file = _opened(output, opened)
        try:
            broken, kinds = _write(sources, clean, file)
            file.flush()
        except BaseException as error:
            _remove(output)
            if isinstance(error, OSError) and error.errno != errno.EPIPE:
                raise click.ClickException(f"{output}: {os.strerror(error.errno or 0).lower()}") from None
            raise
    if not kinds:
        _remove(output)
    click.echo(_summary(kinds, broken), err=True)
    if broken:
        raise SystemExit(1)


def _write(sources: list[Source], clean: Clean, file: BinaryIO) -> tuple[int, Counter[str]]:
    broken, kinds = 0, Counter[str]()
    for source in sources:
        for found in source:
            if isinstance(found, Broken):
                broken += 1
                click.echo(str(found), err=True)
                continue
            file.write(line_of(clean(found)))
            kinds[found.kind] += 1
    return broken, kinds


def _file(name: str) -> Source:
    """An unknown file is told like an unknown line: the other files are imported all the same."""
    with ExitStack() as opened:
        try:
            file = sys.stdin.buffer if name == "-" else opened.enter_context(Path(name).open("rb"))
            yield from imported(file, "standard input" if name == "-" else name)
        except OSError as error:
            yield Broken(name, "the file", os.strerror(error.errno or 0).lower())
        except AdapterError as error:
            yield Broken(name, "the file", error.message.removeprefix(f"{name}: "))


def _ngrok(url: str) -> Source:
    try:
        text = fetch(url)
    except NoWebhook as error:
        raise click.ClickException(str(error)) from None
    return read_ngrok(text, "ngrok")


def _twilio(
    config: Config, account: str | None, sids: tuple[str, ...], start: datetime | None, end: datetime | None
) -> Source:
    from adapter.replay.importers.events import calls_between, client_for, read_calls

    client = client_for(*_account(config, account))
    found = list(sids)
    if start:
        until = end.replace(tzinfo=UTC) if end else datetime.now(UTC)
        try:
            found += calls_between(client, start.replace(tzinfo=UTC), until)
        except NoWebhook as error:
            raise click.ClickException(str(error)) from None
    return read_calls(client, dict.fromkeys(found))


def _account(config: Config, wanted: str | None) -> tuple[str, str]:
    known = [each for each in config.twilio.accounts if each.sid != "*" and wanted in (None, each.sid)]
    if len(known) != 1:
        which = "name one with --account" if known else "add it under twilio.accounts, with its auth token"
        raise click.ClickException(f"the configuration has {len(known)} such Twilio accounts; {which}")
    return known[0].sid, known[0].auth_tokens[0]


def _pseudonyms(config: Config, key_file: Path | None) -> Pseudonyms:
    try:
        key = Key.in_file(key_file) if key_file else Key.random()
    except OSError as error:
        raise click.ClickException(f"{key_file}: {os.strerror(error.errno or 0).lower()}") from None
    public = config.twilio.public_url or ""
    kept = {public, public.partition("://")[2].partition("/")[0]}
    return Pseudonyms(key, vocabulary(config.lines, config.texts, kept, config.policy.identity.never_identifying_keys))


def _opened(output: str, opened: ExitStack) -> BinaryIO:
    if output == "-":
        return sys.stdout.buffer
    with contextlib.suppress(OSError):
        Path(output).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.ClickException(f"{output}: {os.strerror(error.errno or 0).lower()}") from None
    return opened.enter_context(open(descriptor, "wb"))


def _remove(output: str) -> None:
    """What is half a recording, or none: the next attempt would find a file in its way."""
    if output != "-":
        Path(output).unlink(missing_ok=True)


def _summary(kinds: Counter[str], broken: int) -> str:
    count = kinds.total()
    told = f"{count} webhook{'' if count == 1 else 's'} imported"
    if count:
        told += f" ({', '.join(f'{number} {kind}' for kind, number in kinds.most_common())})"
    return told + (f", {broken} could not be read" if broken else "")
