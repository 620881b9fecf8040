"""The pepper when none is configured: made on first use, kept beside the database, readable by its owner alone.

It keys the hashes of API keys, so it must not change: who restores the database without it has to issue new keys.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from adapter.errors import ConfigError

from .settings import Config

_SCHEME = "sqlite:///"
_RANDOM_BYTES = 32
_SHORTEST = 16


def pepper_for(config: Config) -> bytes:
    """The configured pepper, or the one in `<database file>.pepper`, made when it does not exist.

    ConfigError when the file can neither be read nor made, or holds too little; with PostgreSQL, when none is
    configured (several nodes must have the same).
    """
    if config.security.pepper is not None:
        return config.security.pepper
    if config.database.is_postgresql:
        raise ConfigError(["security.pepper: is missing, and every node that uses the database needs the same"])
    file = Path(config.database.url.removeprefix(_SCHEME) + ".pepper")
    try:
        if not file.exists():
            _make(file)
        pepper = file.read_bytes().strip()
    except OSError as error:
        advice = "let this user write there, or set security.pepper or security.pepper_file"
        raise ConfigError([f"{file}: the pepper cannot be kept: {error.strerror}; {advice}"]) from None
    if len(pepper) < _SHORTEST:
        advice = "restore the file from a backup, or delete it and issue new API keys"
        raise ConfigError([f"{file}: holds no pepper (fewer than {_SHORTEST} bytes); {advice}"])
    return pepper


def _make(file: Path) -> None:
    """All processes that start at once end up with the same pepper.

    The file appears under its name complete, by a link that fails when another was first: a file created and then
    written could be read in between, empty.
    """
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_urlsafe(_RANDOM_BYTES).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        _publish(draft, file)
    finally:
        draft.unlink()


def _publish(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
