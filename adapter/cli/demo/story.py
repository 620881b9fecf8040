"""The demo's story: who called, what the engine decided and why, what the caller hears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import requests
from rich.console import Console
from rich.table import Table

from adapter.cli.decision import decided
from adapter.replay.player import Player, Webhook, recorded

from .server import DemoServer


def tell(server: DemoServer, console: Console) -> None:
    """Play all scenes. An answer that is not as told ends the story with requests.HTTPError."""
    story = _Story(server, console)
    try:
        story.first_call()
        story.agent_saves()
        story.second_call()
        story.withheld_call()
        story.forged_call()
    finally:
        story.close()


class _Story:
    """The scenes, and how they are shown."""

    def __init__(self, server: DemoServer, console: Console) -> None:
        self._server = server
        self._console = console
        self._webhooks = recorded("demo.jsonl")
        self._player = Player(server.url, server.auth_token)
        self._api = requests.Session()
        self._api.trust_env = False
        self._api.headers["Authorization"] = f"Bearer {server.api_key}"

    def close(self) -> None:
        self._player.close()
        self._api.close()

    def first_call(self) -> None:
        self._scene("1", "Somebody calls for the first time")
        self._call("first_call")

    def agent_saves(self) -> None:
        self._scene("2", "The agent saves what was learnt, over the REST API; then the caller hangs up")
        call = self._webhooks["first_call"].fields["CallSid"]
        body = {
            "call_id": call,
            "customer_ref": self._show(call)["customer_ref"],
            "telco": {"line_type": "mobile"},
            "intent_updates": [{"intent": "refund_request", "status": "open"}],
            "variable_updates": {"name": {"value": "Maria", "source": "agent_collected"}},
        }
        answer = self._api.post(f"{self._server.url}/v1/calls/end", json=body, timeout=15)
        answer.raise_for_status()
        saved = answer.json()
        self._line("kept", f"name “Maria”, refund request still open, the line is a mobile ({answer.status_code})")
        self._line("answer", f"{saved['intents_updated']} intent, {saved['variables_updated']} variable saved")
        self._player.play(self._webhooks["first_call_over"]).raise_for_status()
        self._line("hung up", "Twilio's status callback comes after that: the call keeps what the agent saved")

    def second_call(self) -> None:
        self._scene("3", "The same number calls again")
        self._call("second_call")
        self._player.play(self._webhooks["second_call_over"]).raise_for_status()

    def withheld_call(self) -> None:
        self._scene("4", "A caller who withholds the number (Twilio sends +266696687, which spells ANONYMOUS)")
        self._call("withheld_call")

    def forged_call(self) -> None:
        self._scene("5", "Somebody without the auth token claims to be Twilio")
        answer = self._player.play(self._webhooks["second_call"].changed(CallSid="CA" + "4" * 32), forged=True)
        self._line("answer", f"{answer.status_code} {answer.reason}: refused before anything is read or written")

    def _call(self, name: str) -> None:
        webhook = self._webhooks[name]
        self._line("webhook", f"POST /twilio/voice  From={webhook.fields['From']}  (signed as Twilio signs)")
        answer = self._player.play(webhook)
        answer.raise_for_status()
        self._decision(webhook)
        said, then = heard(answer.text)
        self._line("caller hears", f"[bold green]“{said}”[/]  {then}")

    def _decision(self, webhook: Webhook) -> None:
        for label, words in decided(self._show(webhook.fields["CallSid"])):
            self._line(label, words)

    def _show(self, call_id: str) -> Mapping[str, Any]:
        answer = self._api.get(f"{self._server.url}/v1/calls/{call_id}", timeout=15)
        answer.raise_for_status()
        found: Mapping[str, Any] = answer.json()
        return found

    def _scene(self, number: str, title: str) -> None:
        self._console.print()
        self._console.print(f"[bold cyan]{number}  {title}[/]")

    def _line(self, label: str, text: str) -> None:
        row = Table.grid(padding=(0, 2))
        row.add_column(width=13, justify="right", style="dim")
        row.add_column(overflow="fold")
        row.add_row(label, text)
        self._console.print(row)


def heard(twiml: str) -> tuple[str, str]:
    """What a TwiML document says, and where it sends the call, in words."""
    response = ET.fromstring(twiml)  # nosec B314  # noqa: S314 - our own server's answer
    said = " ".join(say.text or "" for say in response.iter("Say"))
    number = response.findtext("Dial/Number")
    return said, f"and is put through to {number}" if number else "and the call ends"
