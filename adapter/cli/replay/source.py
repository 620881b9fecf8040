"""The webhooks of files, for commands that play them: what cannot be read is told, what is read moves the bar."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
from rich.console import Console
from rich.progress import Progress

from adapter.errors import AdapterError
from adapter.replay.importers import imported
from adapter.replay.importers.sniffing import sniff
from adapter.replay.recording import Recorded, parts, read_stream
from adapter.replay.rerun import Accepted, Rerun, Rotated, Selection, in_order

_HEAD_BYTES = 256 * 1024


class Source:
    """Webhooks in the order of the files, a recording's older files first. `broken`: how many could not be read.

    `advance` is told the bytes that were read. `accepts`: the files are written anew, with the answers that `take` is
    given; each webhook's before the next one is read.
    """

    def __init__(
        self,
        files: Sequence[Path],
        selection: Selection,
        advance: Callable[[int], None] = lambda _: None,
        accepts: bool = False,
    ) -> None:
        self._files = files
        self._selection = selection
        self._advance = advance
        self._accepts = accepts
        self._accepted: Accepted | None = None
        self.broken = 0

    def __iter__(self) -> Iterator[Recorded]:
        for file in self._files:
            for part in parts(file):
                yield from self._read(part, file)

    def take(self, rerun: Rerun) -> None:
        """The new answer to the webhook that was read last."""
        if self._accepted is not None:
            self._accepted.take(rerun)

    def _read(self, path: Path, recording: Path) -> Iterator[Recorded]:
        with _opened(path) as opened, self._written(path, opened, recording):
            for recorded in in_order(self._readable(opened, path)):
                if self._selection.wants(recorded):
                    yield recorded
                elif self._accepted is not None:
                    self._accepted.keep(recorded)

    def _readable(self, file: BinaryIO, path: Path) -> Iterator[Recorded]:
        for found in imported(cast(BinaryIO, _Counted(file, self._advance)), str(path)):
            if isinstance(found, Recorded):
                yield found
            else:
                self.broken += 1
                click.echo(str(found), err=True)

    @contextmanager
    def _written(self, path: Path, read: BinaryIO, recording: Path) -> Iterator[None]:
        if not self._accepts:
            yield
            return
        accepted, broken = _draft(path), self.broken
        self._accepted = accepted
        try:
            yield
            if self.broken == broken:
                accepted.finish(read, recording)
            else:
                click.echo(f"{path}: not written anew, what could not be read would be lost", err=True)
        except OSError as error:
            raise click.ClickException(f"{path}: {os.strerror(error.errno or 0).lower()}") from None
        except Rotated:
            raise click.ClickException(
                f"{path}: not written anew, the service that records into it has begun another file; play a copy"
            ) from None
        finally:
            self._accepted = None
            accepted.give_up()


@contextmanager
def following(files: Sequence[Path], shown: bool, rounds: int = 1) -> Iterator[Callable[[int], None]]:
    """What moves the progress bar by so many bytes; nothing does when it is not `shown`. `rounds`: how often the files
    are read."""
    if not shown:
        yield lambda _: None
        return
    total = rounds * sum(part.stat().st_size for file in files for part in parts(file))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Replaying", total=total)
        yield lambda count: progress.advance(task, count)


def is_shown() -> bool:
    """Whether somebody looks at a terminal."""
    return sys.stderr.isatty()


def refuse_other_formats(files: Sequence[Path]) -> None:
    """Only recordings can be written anew: UsageError for what an importer would have to read."""
    for part in (part for file in files for part in parts(file)):
        with _opened(part) as file:
            if sniff(file.read(_HEAD_BYTES)) is not read_stream:
                raise click.UsageError(f"--accept writes recordings only; turn {part} into one with `import`")


def _draft(path: Path) -> Accepted:
    try:
        return Accepted(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {os.strerror(error.errno or 0).lower()}") from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with contextlib.ExitStack() as stack:
            yield stack.enter_context(path.open("rb"))
    except AdapterError as error:
        raise click.ClickException(error.message) from None


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, advance: Callable[[int], None]) -> None:
        self._file = file
        self._tell = advance

    def read(self, size: int = -1) -> Any:
        data = self._file.read(size)
        self._tell(len(data))
        return data
