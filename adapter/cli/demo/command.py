"""`sticky-calls demo`: the whole product in half a minute, with no account and no configuration.

A real server on a temporary database, and recorded webhooks played against it over HTTP, properly signed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from .server import DemoServer, running
from .story import tell

_NEXT = """
[bold]What to do next[/]
  1. Copy [cyan]config.example.yaml[/] to [cyan]config.yaml[/]; set twilio.public_url, your account, a line.
  2. [cyan]sticky-calls check-config config.yaml[/] names every mistake in it,
     [cyan]sticky-calls serve --config config.yaml[/] runs the service, and
     [cyan]sticky-calls simulate --config config.yaml[/] is a telephone to call it with.
  3. [cyan]sticky-calls keys create --config config.yaml[/] makes a key for the REST API; /docs shows what it can do.
  4. Point your Twilio number's voice URL at <public_url>/twilio/voice and its status callback at /twilio/status.
"""


@click.command(epilog="Example:  sticky-calls demo --keep")
@click.option("--keep", is_flag=True, help="Leave the server running afterwards, and show how to talk to it.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Listen here instead of on any free port.")
def demo(keep: bool, port: int | None) -> None:
    """Play a caller's story against a real server on a temporary database."""
    # Piped, a line must not be broken at the 80 columns of a terminal that is not there.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="sticky-calls-demo-") as folder:
        console.print("[dim]Starting a server on a temporary database …[/]")
        with running(Path(folder), port) as server:
            tell(server, console)
            console.print(_NEXT)
            if keep:
                _stay(server, console)


def _stay(server: DemoServer, console: Console) -> None:
    console.print(f"The server is still running at [bold]{server.url}[/] (docs at {server.url}/docs). Try:\n")
    console.print(
        f"  curl {server.url}/v1/calls/start -H 'Authorization: Bearer {server.api_key}' \\\n"
        """    -d '{"call_id": "call_001", "identity_hints": {"ani": "+14155550123"}}'\n""",
        markup=False,
    )
    console.print("[dim]Ctrl-C stops it and removes its database.[/]")
    try:
        server.process.wait()
    except KeyboardInterrupt:
        console.print("Stopped.")
