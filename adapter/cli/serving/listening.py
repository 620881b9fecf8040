"""Is the address free? Asked before anything starts.

gunicorn tries for seconds and then tells it in its own words; asked here, a taken address is one clear line at once.
"""

from __future__ import annotations

import socket
from pathlib import Path

import click


def refuse_taken_address(bind: str, option: str = "--bind") -> None:
    """ClickException when nothing can listen on `bind` (host:port, [IPv6]:port; of unix:/path its folder is looked at).

    `option`: of the command, with which another one can be chosen.
    """
    if bind.startswith("unix:"):
        folder = Path(bind.removeprefix("unix:")).absolute().parent
        if not folder.is_dir():
            raise click.ClickException(f"cannot listen on {bind}: no folder {folder}; make it, or choose with {option}")
        return
    host, _, port = bind.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"cannot listen on {bind}: {reason}; choose another with {option}") from None
