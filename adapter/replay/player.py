"""The webhooks that ship with the package, sent to a running server. For the demo.

Leaves out: what a webhook looks like on the wire (`exchange`), recordings of users (`rerun`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources

import requests

from .exchange import signed

_TIMEOUT_SECONDS = 15  # Twilio's own hard limit for a call's webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """One recorded request. `kind` is the last part of its path: voice, status or fallback."""

    name: str
    kind: str
    fields: Mapping[str, str]

    def changed(self, **fields: str) -> Webhook:
        """The same webhook with other values in some fields."""
        return replace(self, fields={**self.fields, **fields})


def recorded(file: str) -> dict[str, Webhook]:
    """The webhooks of a recording that ships with the package, by name."""
    text = (resources.files(__package__) / "recordings" / file).read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    return {line["name"]: Webhook(line["name"], line["kind"], line["params"]) for line in lines}


class Player:
    """Plays webhooks against the server at `base_url`, signed for `auth_token`."""

    def __init__(self, base_url: str, auth_token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth_token = auth_token
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy in the environment must not see (or break) calls to this machine

    def play(self, webhook: Webhook, forged: bool = False) -> requests.Response:
        """POST it. `forged`: with a signature that somebody without the token would have to guess."""
        token = "guessed" if forged else self._auth_token
        out = signed("POST", f"{self._base_url}/twilio/{webhook.kind}", webhook.fields, token)
        return self._session.post(out.url, data=out.body, headers=dict(out.headers), timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()
