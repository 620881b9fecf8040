"""What is said in English. Facts are None where they are unknown; `speech` is 1 where callers may speak."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_YES_OR_NO: Final = (
    "{% if speech %}Say yes or no, or press 1 for yes, 2 for no.{% else %}Press 1 for yes, 2 for no.{% endif %}"
)
_OF_ATTEMPT: Final = (
    "{% if attempt == 2 %}second call about{% elif attempt == 3 %}third call about"
    "{% elif attempt == 4 %}fourth call about{% elif attempt == 5 %}fifth call about"
    "{% elif attempt and attempt > 5 %}call number {{ attempt }} about{% else %}calling about{% endif %}"
)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Put through without having been asked anything.
        "reuse": (
            "Welcome back{% if name %}, {{ name }}{% endif %}."
            "{% if intent %} We are still working on your {{ intent }}.{% endif %} One moment, please."
        ),
        "confirm": (
            "Hello, and thank you for calling. The person who takes your call will ask you to confirm who you are."
            " One moment, please."
        ),
        "ignore": "Hello and welcome. Thank you for calling us. One moment, please.",
        "neutral": "Welcome. One moment, please.",
        # The first words before a question.
        "welcome": "Hello, and thank you for calling.",
        "welcome_back": "Welcome back{% if name %}, {{ name }}{% endif %}.",
        "resumed": "Hello again. We were cut off, so let us pick up where we stopped.",
        # Questions.
        "ask_language": "For English, press {{ key }}.",
        "ask_who": (
            "May I ask who is calling? {% if speech %}Please say your first and last name."
            "{% else %}Please stay on the line.{% endif %}"
        ),
        "ask_name": (
            "Before we go on, may I have your name? {% if speech %}Please say your first and last name."
            "{% else %}Please stay on the line.{% endif %}"
        ),
        "ask_digits": (
            "Before we go on, please {% if speech %}say or {% endif %}key in"
            " the last {{ count }} digits of your customer number."
        ),
        "ask_pin": (
            "Before we go on, please {% if speech %}say or {% endif %}key in your PIN, and then press the pound key."
        ),
        "ask_account": (
            "What is your account number? Please {% if speech %}say it or {% endif %}key it in"
            "{% if length %}. It has {{ length }} digits{% else %}, and then press the pound key{% endif %}."
        ),
        "offer": "Are you calling about your {{ intent }}? " + _YES_OR_NO,
        "menu": (
            "How can we help you today? {% if speech %}Tell me in a few words, or press a key."
            "{% else %}Please press a key.{% endif %}"
        ),
        "menu_option": (
            "{% if key %}For {{ intent }}, press {{ key }}.{% else %}You can also say: {{ intent }}.{% endif %}"
        ),
        "ask_forget": "Shall we erase everything that we have stored about you? It cannot be brought back. "
        + _YES_OR_NO,
        # Between questions.
        "again": "Sorry, I did not get that.",
        "verified": "Thank you{% if name %}, {{ name }}{% endif %}.",
        "not_verified": "Thank you. We will gladly help you all the same.",
        # Then.
        "connecting": "One moment, please. We are putting you through.",
        "unreached": "We are sorry, nobody can take your call right now. Please try again a little later. Goodbye.",
        "voicemail": "Nobody can take your call right now. Please leave a message after the tone, then simply hang up.",
        "recorded": "Thank you, we have your message and will get back to you. Goodbye.",
        "callback": "We are sorry, nobody can take your call right now. We will call you back. Goodbye.",
        "goodbye": "Thank you for calling. Goodbye.",
        "forgotten": "Everything that we had stored about you is erased. Goodbye.",
        # To the person who answers.
        "whisper": (
            "{% if recommendation == 'ignore' %}New caller{% elif verified %}Verified caller"
            "{% elif recommendation == 'confirm' %}Caller not verified{% else %}Returning caller{% endif %}"
            "{% if name %}, {{ name }}{% endif %}{% if intent %}, " + _OF_ATTEMPT + " {{ intent }}{% endif %}."
        ),
        "whisper_accept": "Press 1 to take the call.",
    }
)
