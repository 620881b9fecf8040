"""What is said in French. Facts are None where they are unknown; `speech` is 1 where callers may speak.

An intent is named behind a colon: any noun can stand there, without its article and whatever its gender."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_YES_OR_NO: Final = (
    "{% if speech %}Dites oui ou non, ou appuyez sur 1 pour oui, sur 2 pour non."
    "{% else %}Appuyez sur 1 pour oui, sur 2 pour non.{% endif %}"
)
_OF_ATTEMPT: Final = (
    "{% if attempt == 2 %}deuxième appel{% elif attempt == 3 %}troisième appel{% elif attempt == 4 %}quatrième appel"
    "{% elif attempt == 5 %}cinquième appel{% elif attempt and attempt > 5 %}appel numéro {{ attempt }}"
    "{% else %}appel{% endif %}, motif :"
)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Mis en relation sans avoir rien demandé.
        "reuse": (
            "Heureux de vous retrouver{% if name %}, {{ name }}{% endif %}."
            "{% if intent %} Nous nous occupons encore de votre demande : {{ intent }}.{% endif %}"
            " Un instant, s'il vous plaît."
        ),
        "confirm": (
            "Bonjour et merci de votre appel. La personne qui vous répondra vous demandera qui vous êtes."
            " Un instant, s'il vous plaît."
        ),
        "ignore": "Bonjour et bienvenue. Merci de nous appeler. Un instant, s'il vous plaît.",
        "neutral": "Bienvenue. Un instant, s'il vous plaît.",
        # Les premiers mots avant une question.
        "welcome": "Bonjour et merci de votre appel.",
        "welcome_back": "Heureux de vous retrouver{% if name %}, {{ name }}{% endif %}.",
        "resumed": "Rebonjour. Nous avons été coupés ; reprenons là où nous en étions.",
        # Les questions.
        "ask_language": "Pour le français, appuyez sur {{ key }}.",
        "ask_who": (
            "Qui est à l'appareil, s'il vous plaît ? {% if speech %}Dites votre prénom et votre nom."
            "{% else %}Veuillez rester en ligne.{% endif %}"
        ),
        "ask_name": (
            "Avant de continuer, puis-je avoir votre nom ? {% if speech %}Dites votre prénom et votre nom."
            "{% else %}Veuillez rester en ligne.{% endif %}"
        ),
        "ask_digits": (
            "Avant de continuer, veuillez {% if speech %}dire ou {% endif %}composer"
            " les {{ count }} derniers chiffres de votre numéro de client."
        ),
        "ask_pin": (
            "Avant de continuer, veuillez {% if speech %}dire ou {% endif %}composer votre code confidentiel,"
            " puis appuyez sur la touche dièse."
        ),
        "ask_account": (
            "Quel est votre numéro de client ? Veuillez le {% if speech %}dire ou le {% endif %}composer"
            "{% if length %}. Il a {{ length }} chiffres{% else %}, puis appuyez sur la touche dièse{% endif %}."
        ),
        "offer": "Appelez-vous au sujet de cette demande : {{ intent }} ? " + _YES_OR_NO,
        "menu": (
            "Que pouvons-nous faire pour vous ? {% if speech %}Dites-le en quelques mots, ou appuyez sur une touche."
            "{% else %}Veuillez appuyer sur une touche.{% endif %}"
        ),
        "menu_option": (
            "{% if key %}Appuyez sur {{ key }} pour : {{ intent }}.{% else %}Vous pouvez aussi dire : {{ intent }}."
            "{% endif %}"
        ),
        "ask_forget": "Voulez-vous que nous effacions tout ce que nous avons enregistré à votre sujet ?"
        " C'est définitif. " + _YES_OR_NO,
        # Entre les questions.
        "again": "Pardon, je n'ai pas bien compris.",
        "verified": "Merci{% if name %}, {{ name }}{% endif %}.",
        "not_verified": "Merci. Nous vous aiderons volontiers malgré tout.",
        # Ensuite.
        "connecting": "Un instant, s'il vous plaît. Nous vous mettons en relation.",
        "unreached": (
            "Nous sommes désolés, personne ne peut vous répondre pour le moment."
            " Veuillez rappeler un peu plus tard. Au revoir."
        ),
        "voicemail": (
            "Personne ne peut vous répondre pour le moment."
            " Laissez un message après le bip, puis raccrochez tout simplement."
        ),
        "recorded": "Merci, nous avons bien votre message et nous vous recontacterons. Au revoir.",
        "callback": (
            "Nous sommes désolés, personne ne peut vous répondre pour le moment. Nous vous rappellerons. Au revoir."
        ),
        "goodbye": "Merci de votre appel. Au revoir.",
        "forgotten": "Tout ce que nous avions enregistré à votre sujet est effacé. Au revoir.",
        # Pour la personne qui décroche.
        "whisper": (
            "{% if recommendation == 'ignore' %}Nouvel appel{% elif verified %}Identité confirmée"
            "{% elif recommendation == 'confirm' %}Identité non confirmée{% else %}Nous a déjà appelés{% endif %}"
            "{% if name %}, {{ name }}{% endif %}{% if intent %}, " + _OF_ATTEMPT + " {{ intent }}{% endif %}."
        ),
        "whisper_accept": "Appuyez sur 1 pour prendre l'appel.",
    }
)
