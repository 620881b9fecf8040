"""What is recorded, where to and how much of it is disguised, as the configuration says. Imported only to record."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from adapter.config import Config
from adapter.config.pepper import pepper_for
from adapter.engine.model import Millis
from adapter.replay.pseudonyms import Key, Pseudonyms, vocabulary, without_secrets
from adapter.replay.recording import Recorded, Recorder, RotatingFile
from adapter.web.recording import Recording


def recording_of(config: Config, now: Callable[[], Millis]) -> Recording:
    """Into `recording.file`, which has to be set."""
    wanted = config.recording
    assert wanted.file is not None
    file = RotatingFile(Path(wanted.file), most_bytes=wanted.max_bytes, files=wanted.keep + 1)
    kept = Recorder(file, _clean(config), now)
    if not wanted.lines:
        return Recording(kept, now)
    lines = [line for line in config.lines if line.number in wanted.lines]
    return Recording(
        kept, now, frozenset(wanted.lines), frozenset((line.organization, line.mode.value) for line in lines)
    )


def _clean(config: Config) -> Callable[[Recorded], Recorded]:
    """Pseudonyms are drawn from the pepper, which all workers share: a caller has the same one in all of them."""
    if config.recording.personal == "keep":
        return without_secrets
    public = config.twilio.public_url or ""
    key = Key(hmac.digest(pepper_for(config), b"pseudonyms of recordings", "sha256"))
    host = public.partition("://")[2].partition("/")[0]
    shared = config.policy.identity.never_identifying_keys
    return Pseudonyms(key, vocabulary(config.lines, config.texts, {public, host}, shared)).clean
