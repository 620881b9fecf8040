"""What a client can be told: one tree of errors, each with a stable code and a status *hint*.

An error is an exception: something could not be done and the transaction rolls back. A denial (rate, quota,
conflict) is a value, see `adapter.engine.model`. Edges choose the wire form; nothing here knows HTTP.
"""

from __future__ import annotations


class AdapterError(Exception):
    """Base of everything this package raises on purpose. `code` is stable, `status` a hint for an edge."""

    code = "internal_error"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StoreUnavailable(AdapterError):
    """The database cannot be reached, is locked beyond the time limit, read-only, or full. Trying again may help."""

    code = "store_unavailable"
    status = 503


class StoreInterrupted(StoreUnavailable):
    """The database did not go through with a transaction (serialization, deadlock, lost connection): nothing of it is
    saved, and doing all of it again may succeed. The store does so by itself, for a while."""


class StoreDamaged(StoreUnavailable):
    """What the database holds cannot be read, all of it or a part. Trying again does not help, restoring does."""


class StoreMismatch(AdapterError):
    """The database's schema is not the one this version was written for (newer, unknown, or half-migrated)."""

    code = "store_mismatch"
    status = 503


class SealBroken(AdapterError):
    """A value at rest cannot be opened: its key is not in `security.encryption_keys`, or the bytes were changed."""

    code = "seal_broken"


class KeyMissing(SealBroken):
    """A value at rest is sealed under a key that is not configured (any more, or yet): it may come back."""

    code = "key_missing"


class ConfigError(AdapterError):
    """The configuration cannot be used. `problems` lists every mistake as `file:line: key: what, and what to write`."""

    code = "bad_configuration"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
