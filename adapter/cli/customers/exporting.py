"""`sticky-calls customers export --all`: everybody, one JSON object a line. However many they are, a page is in memory.

It is no snapshot: customers who call meanwhile are told as they were before or after. What `db backup` makes is one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from adapter.clock import SystemClock
from adapter.engine.model import Realm
from adapter.store.bulk.pages import customer_pages
from adapter.store.database import Store
from adapter.web.rest import render


def export_all(store: Store, realm: Realm, output: Path | None) -> None:
    """To a new file of its owner's alone, or to stdout."""
    count = 0
    with private_file(output) as file, Console(stderr=True).status("Exporting …") as shown:
        for page in customer_pages(store, realm, SystemClock().now()):
            for record in page:
                told = render.customer(record)
                del told["calls"]
                file.write(render.to_bytes(told).decode() + "\n")
            count += len(page)
            shown.update(f"Exporting … {count:,} customers")
    click.echo(f"{count:,} customers.", err=True)


@contextmanager
def private_file(file: Path | None) -> Iterator[TextIO]:
    """A new file that only its owner can read; stdout when None is named. click.ClickException when it is there.

    What fails or is stopped leaves none: half of it looks like everybody, and is in the way of the next attempt.
    """
    if file is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    with open(descriptor, "w", encoding="utf-8") as opened:
        try:
            yield opened
            opened.flush()
        except BaseException:
            file.unlink(missing_ok=True)
            raise
