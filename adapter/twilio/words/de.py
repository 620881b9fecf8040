"""What is said in German. Facts are None where they are unknown; `speech` is 1 where callers may speak."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_YES_OR_NO: Final = (
    "{% if speech %}Sagen Sie Ja oder Nein, oder drücken Sie 1 für Ja, 2 für Nein."
    "{% else %}Drücken Sie 1 für Ja, 2 für Nein.{% endif %}"
)
_OF_ATTEMPT: Final = (
    "{% if attempt == 2 %}zweiter Anruf{% elif attempt == 3 %}dritter Anruf{% elif attempt == 4 %}vierter Anruf"
    "{% elif attempt == 5 %}fünfter Anruf{% elif attempt and attempt > 5 %}Anruf Nummer {{ attempt }}"
    "{% else %}Anruf{% endif %} zum Thema"
)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Ohne Frage verbunden.
        "reuse": (
            "Willkommen zurück{% if name %}, {{ name }}{% endif %}."
            "{% if intent %} Ihr Anliegen {{ intent }} ist noch offen.{% endif %} Einen Moment, bitte."
        ),
        "confirm": (
            "Guten Tag und danke für Ihren Anruf. Wer Ihren Anruf entgegennimmt, wird Sie bitten, sich auszuweisen."
            " Einen Moment, bitte."
        ),
        "ignore": "Guten Tag und herzlich willkommen. Danke für Ihren Anruf. Einen Moment, bitte.",
        "neutral": "Willkommen. Einen Moment, bitte.",
        # Die ersten Worte vor einer Frage.
        "welcome": "Guten Tag und danke für Ihren Anruf.",
        "welcome_back": "Willkommen zurück{% if name %}, {{ name }}{% endif %}.",
        "resumed": "Da sind Sie ja wieder. Wir wurden unterbrochen und machen dort weiter, wo wir aufgehört haben.",
        # Fragen.
        "ask_language": "Für Deutsch drücken Sie die {{ key }}.",
        "ask_who": (
            "Mit wem spreche ich, bitte? {% if speech %}Sagen Sie Ihren Vor- und Nachnamen."
            "{% else %}Bleiben Sie bitte in der Leitung.{% endif %}"
        ),
        "ask_name": (
            "Bevor wir weitermachen: Wie ist Ihr Name, bitte? {% if speech %}Sagen Sie Ihren Vor- und Nachnamen."
            "{% else %}Bleiben Sie bitte in der Leitung.{% endif %}"
        ),
        "ask_digits": (
            "Bevor wir weitermachen, {% if speech %}nennen{% else %}tippen{% endif %} Sie bitte"
            " die letzten {{ count }} Ziffern Ihrer Kundennummer{% if speech %}, oder tippen Sie sie{% endif %} ein."
        ),
        "ask_pin": (
            "Bevor wir weitermachen, {% if speech %}nennen Sie bitte Ihre PIN, oder tippen Sie sie ein,"
            "{% else %}tippen Sie bitte Ihre PIN ein{% endif %} und drücken Sie dann die Raute-Taste."
        ),
        "ask_account": (
            "Wie lautet Ihre Kundennummer? Bitte {% if speech %}nennen Sie sie, oder {% endif %}tippen Sie sie ein"
            "{% if length %}. Sie hat {{ length }} Ziffern.{% else %} und drücken Sie dann die Raute-Taste.{% endif %}"
        ),
        "offer": "Rufen Sie wegen Ihres Anliegens {{ intent }} an? " + _YES_OR_NO,
        "menu": (
            "Was können wir für Sie tun? {% if speech %}Sagen Sie es in wenigen Worten, oder drücken Sie eine Taste."
            "{% else %}Bitte drücken Sie eine Taste.{% endif %}"
        ),
        "menu_option": (
            "{% if key %}Für {{ intent }} drücken Sie die {{ key }}.{% else %}Oder sagen Sie: {{ intent }}.{% endif %}"
        ),
        "ask_forget": "Sollen wir alles löschen, was wir über Sie gespeichert haben?"
        " Das lässt sich nicht rückgängig machen. " + _YES_OR_NO,
        # Zwischen den Fragen.
        "again": "Das habe ich leider nicht verstanden.",
        "verified": "Vielen Dank{% if name %}, {{ name }}{% endif %}.",
        "not_verified": "Vielen Dank. Wir helfen Ihnen auch so gerne weiter.",
        # Danach.
        "connecting": "Einen Moment, bitte. Wir verbinden Sie.",
        "unreached": (
            "Leider kann gerade niemand Ihren Anruf entgegennehmen."
            " Bitte versuchen Sie es etwas später noch einmal. Auf Wiederhören."
        ),
        "voicemail": (
            "Leider kann gerade niemand Ihren Anruf entgegennehmen."
            " Bitte sprechen Sie nach dem Ton, und legen Sie danach einfach auf."
        ),
        "recorded": "Vielen Dank, wir haben Ihre Nachricht und melden uns bei Ihnen. Auf Wiederhören.",
        "callback": ("Leider kann gerade niemand Ihren Anruf entgegennehmen. Wir rufen Sie zurück. Auf Wiederhören."),
        "goodbye": "Vielen Dank für Ihren Anruf. Auf Wiederhören.",
        "forgotten": "Alles, was wir über Sie gespeichert hatten, ist gelöscht. Auf Wiederhören.",
        # Für den, der abnimmt.
        "whisper": (
            "{% if recommendation == 'ignore' %}Neuer Anrufer{% elif verified %}Bestätigter Anrufer"
            "{% elif recommendation == 'confirm' %}Anrufer nicht bestätigt{% else %}Bekannter Anrufer{% endif %}"
            "{% if name %}, {{ name }}{% endif %}{% if intent %}, " + _OF_ATTEMPT + " {{ intent }}{% endif %}."
        ),
        "whisper_accept": "Drücken Sie die 1, um den Anruf anzunehmen.",
    }
)
