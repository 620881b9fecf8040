"""The addresses that Twilio is given for what comes next: absolute, and with nothing about the caller in them.

Leaves out: who answers there (`adapter.web.webhooks.voice`).
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.engine.line import Line


@dataclass(frozen=True, slots=True)
class Addresses:
    """`public_url`: what Twilio was told to call, as it is configured."""

    public_url: str

    def turn(self, number: int) -> str:
        """Where the answer to the step with this number goes; 0: to a step made without memory."""
        return f"{self.public_url.rstrip('/')}/twilio/turn/{number}"

    def whisper(self, line: Line, number: int) -> str:
        """Where who answers a hand-over is told something. The line stands in it, as To is the agent's number there."""
        return f"{self.public_url.rstrip('/')}/twilio/whisper/{line.key}/{number}"

    def whisper_answer(self, line: Line, number: int) -> str:
        """Where the key goes that they press then."""
        return f"{self.whisper(line, number)}/answer"
