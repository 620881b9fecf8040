"""A call at the terminal: what is said is shown, and a person (or a script) is the caller and whoever answers.

Keys and words go in as lines, from a terminal, a pipe or a file. Leaves out: which call it is (`command`), and what
the words mean (`script`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import Final

from rich.console import Console
from rich.markup import escape

from adapter.cli.shown import plain
from adapter.replay import HANG_UP, SILENCE, Answered, Caller, Handover, Heard, Message, Person, Question, Role
from adapter.replay.caller import Answer, Left, Outcome, Reaction, Unanswered

from .script import ANSWERED, offered, outcome_of, typed, word_of

_KINDS: Final = {
    "number": "the telephone",
    "sip": "the SIP telephone",
    "client": "the client",
    "conference": "the conference",
    "queue": "the queue",
    "enqueue": "the queue",
    "workflow": "TaskRouter, workflow",
    "relay": "the voice agent at",
    "stream": "the audio stream to",
}


@dataclass(slots=True)
class Keyboard:
    """The person at the terminal, in every role. The end of the input, or Ctrl-C, hangs up."""

    console: Console

    def hears(self, heard: Heard) -> Reaction | None:
        """See `Person`."""
        return None

    def asked(self, question: Question) -> Answer:
        """See `Person`."""
        ways = [way for way, open_to in (("keys", question.keys), ("words", question.speech)) if open_to]
        who = "You" if question.role is Role.CALLER else "The agent"
        line = self._line(f"{who} ({', '.join(ways)}, Enter = silence, Ctrl-D = hang up)")
        return HANG_UP if line is None else typed(line)

    def rings(self, handover: Handover) -> Outcome:
        """See `Caller`. Asked again until the answer is one of those offered."""
        while True:
            words = offered(handover.kind)
            line = self._line(f"What happens? ({', '.join(words)}; Enter = answered)")
            word = "hangup" if line is None else line.strip() or "answered"
            outcome = outcome_of(word, words)
            if outcome is not None:
                return Answered(self) if word_of(word) == ANSWERED else outcome
            self.console.print(f"  [yellow]There is no {escape(word)!r} here.[/]")

    def records(self, question: Question) -> Left:
        """See `Caller`."""
        line = self._line("You leave a message (words, Enter = nothing, Ctrl-D = hang up)")
        left = HANG_UP if line is None else typed(line)
        return left if isinstance(left, Reaction) else Message()

    def _line(self, prompt: str) -> str | None:
        """A line that was typed, or None at the end of the input. What comes through a pipe is shown, as if typed."""
        self.console.print(f"[bold]{escape(prompt)} >[/] ", end="")
        try:
            if sys.stdin.isatty():
                return input()
            line = sys.stdin.readline()
        except (EOFError, KeyboardInterrupt):
            line = ""
        self.console.print(line.rstrip("\n") if line else "(hangs up)", markup=False)
        return line or None


@dataclass(slots=True)
class Shown:
    """Somebody else's caller, whose call is shown as it goes. Who answers is shown, too."""

    inner: Caller
    console: Console
    _language: str = field(default="")

    def hears(self, heard: Heard) -> Reaction | None:
        """See `Person`."""
        self.show(heard)
        return self.inner.hears(heard)

    def show(self, heard: Heard) -> None:
        """What is said, with its language where that changes."""
        changed = heard.language != self._language
        self._language = heard.language
        who = "☎ They say:" if heard.role is Role.CALLER else "☏ The agent hears:"
        style = "green" if heard.role is Role.CALLER else "magenta"
        words = f"♪ {heard.text}" if heard.played else heard.text
        language = f" [dim]({_plain(heard.language)})[/]" if changed else ""
        self.console.print(f"[{style}]{who}[/] {_plain(words)}{language}")

    def asked(self, question: Question) -> Answer:
        """See `Person`."""
        answer = self.inner.asked(question)
        self.show_answer("You", answer)
        return answer

    def rings(self, handover: Handover) -> Outcome:
        """See `Caller`."""
        kind = _KINDS.get(handover.kind, handover.kind)
        self.console.print(f"[cyan]→ Put through to {kind}[/] {_plain(handover.target)}")
        for name, value in handover.context.items():
            self.console.print(f"    [dim]{_plain(name)}:[/] {_plain(value)}")
        outcome = self.inner.rings(handover)
        if not isinstance(self.inner, Keyboard):
            self.console.print(f"  [dim]{_in_words(outcome)}[/]")
        return replace(outcome, agent=_ShownAgent(self, outcome.agent)) if isinstance(outcome, Answered) else outcome

    def records(self, question: Question) -> Left:
        """See `Caller`."""
        self.console.print("[cyan]● Recording[/]")
        left = self.inner.records(question)
        if not isinstance(self.inner, Keyboard):
            said = "(leaves a message)" if isinstance(left, Message) else _in_words(left)
            self.console.print(f"[bold]You:[/] {said}")
        return left

    def show_answer(self, who: str, answer: Answer) -> None:
        """What a script does; what was typed stands there already."""
        if not isinstance(self.inner, Keyboard):
            self.console.print(f"[bold]{who}:[/] {_plain(_in_words(answer))}")


@dataclass(slots=True)
class _ShownAgent:
    """Who answers, shown in the caller's dialogue."""

    shown: Shown
    inner: Person

    def hears(self, heard: Heard) -> Reaction | None:
        """See `Person`."""
        self.shown.show(heard)
        return self.inner.hears(heard)

    def asked(self, question: Question) -> Answer:
        """See `Person`."""
        answer = self.inner.asked(question)
        self.shown.show_answer("The agent", answer)
        return answer


def _in_words(what: Answer | Outcome) -> str:
    if isinstance(what, Answered):
        return "somebody (or something) answers"
    if isinstance(what, Unanswered):
        return what.value.replace("-", " ")
    if isinstance(what, Reaction):
        return {SILENCE: "(silence)", HANG_UP: "(hangs up)"}[what]
    return getattr(what, "keys", "") or getattr(what, "text", "")


def _plain(text: str) -> str:
    return escape(plain(text))
