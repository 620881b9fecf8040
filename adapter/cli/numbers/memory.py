"""What numbers called before they were pointed here: one file of this machine, readable by its owner alone.

It lies with the service's other state: `<database file>.numbers.json`, or `numbers.json` in `database.state_dir`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapter.config import Config
from adapter.errors import ConfigError
from adapter.twilio.provisioning import Number, Webhooks

_SCHEME = "sqlite:///"


class NumbersMemory:
    """`file`: made when something is remembered."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def of(cls, config: Config) -> NumbersMemory:
        """The file that belongs to this configuration's database."""
        if config.database.is_postgresql:
            return cls(Path(config.database.state_dir) / "numbers.json")
        return cls(Path(config.database.url.removeprefix(_SCHEME) + ".numbers.json"))

    def before(self, number: Number) -> Webhooks | None:
        """What the number called; None when nothing is remembered of it."""
        kept = self._read().get(_key(number))
        return None if kept is None else Webhooks(**kept)

    def remember(self, number: Number) -> None:
        """Keep what the number calls now; on disk when this returns."""
        self._write({**self._read(), _key(number): asdict(number.webhooks)})

    def forget(self, number: Number) -> None:
        """It is undone."""
        self._write({key: kept for key, kept in self._read().items() if key != _key(number)})

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return {key: asdict(Webhooks(**kept)) for key, kept in found.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError([f"{self._file}: cannot be read: {error.strerror}; let this user read it"]) from None
        except (ValueError, TypeError, AttributeError):
            advice = "move it away; numbers pointed before then cannot be put back by this command"
            raise ConfigError([f"{self._file}: is damaged; {advice}"]) from None

    def _write(self, kept: dict[str, Any]) -> None:
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                json.dump(kept, opened, indent=2)
                opened.flush()
                os.fsync(opened.fileno())
            draft.replace(self._file)
        except OSError as error:
            raise ConfigError(
                [f"{self._file}: cannot be written: {error.strerror}; let this user write there"]
            ) from None


def _key(number: Number) -> str:
    return f"{number.account} {number.number}"
