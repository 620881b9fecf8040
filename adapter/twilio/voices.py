"""Which languages Twilio's <Say> and its voices speak: "an invalid combination of voice and language" makes it fail.

Sources: Twilio, "TwiML Voice: <Say>" (basic voices, names of Google's voices), and Amazon Polly, "Available voices"
(Polly.*, its standard, neural and generative engines). Voices come and go without notice, so a voice that is not in
these tables is not known to be wrong. Leaves out: what a configuration may say (`adapter.config`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_BASIC: Final = frozenset({"man", "woman"})
_BASIC_LANGUAGES: Final = frozenset({"en", "es", "fr", "de", "it"})
_ALICE_SPOKE: Final = (
    "da-dk de-de en-au en-ca en-gb en-in en-us ca-es es-es es-mx fi-fi fr-ca fr-fr it-it ja-jp ko-kr nb-no nl-nl pl-pl"
    " pt-br pt-pt ru-ru sv-se zh-cn zh-hk zh-tw"
)
_ALICE_LANGUAGES: Final = frozenset(_ALICE_SPOKE.split())
# Google.<locale>-<model>-<name>
_GOOGLE: Final = re.compile(r"Google\.([a-z]{2,3}-(?:[A-Z]{2}|[0-9]{3}))-[A-Za-z0-9-]+")
_ENGINE: Final = {"": 0, "Neural": 1, "Generative": 2}
# language: standard voices, neural voices, generative voices
_POLLY: Final[dict[str, tuple[str, str, str]]] = {
    "ar-AE": ("", "Hala Zayd", ""),
    "arb": ("Zeina", "", ""),
    "ca-ES": ("", "Arlet", ""),
    "cmn-CN": ("Zhiyu", "Zhiyu", ""),
    "cs-CZ": ("", "Jitka", ""),
    "cy-GB": ("Gwyneth", "", ""),
    "da-DK": ("Naja Mads", "Sofie", ""),
    "de-AT": ("", "Hannah", "Hannah"),
    "de-CH": ("", "Sabrina", ""),
    "de-DE": ("Marlene Vicki Hans", "Vicki Daniel", "Vicki Daniel"),
    "en-AU": ("Nicole Russell", "Olivia", "Olivia"),
    "en-GB": ("Amy Emma Brian", "Amy Emma Brian Arthur", "Amy Brian"),
    "en-GB-WLS": ("Geraint", "", ""),
    "en-IE": ("", "Niamh", "Niamh"),
    "en-IN": ("Aditi Raveena", "Kajal", "Kajal"),
    "en-NZ": ("", "Aria", "Aria"),
    "en-SG": ("", "Jasmine", "Jasmine"),
    "en-US": (
        "Ivy Joanna Kendra Kimberly Salli Joey Justin Kevin Matthew",
        "Danielle Gregory Ivy Joanna Kendra Kimberly Salli Joey Justin Kevin Matthew Ruth Stephen",
        "Danielle Joanna Salli Matthew Ruth Stephen",
    ),
    "en-ZA": ("", "Ayanda", "Ayanda"),
    "es-ES": ("Conchita Lucia Enrique", "Lucia Sergio", "Lucia Sergio"),
    "es-MX": ("Mia", "Mia Andres", "Mia Andres"),
    "es-US": ("Lupe Penelope Miguel", "Lupe Pedro", "Lupe Pedro"),
    "fi-FI": ("", "Suvi", ""),
    "fr-BE": ("", "Isabelle", "Isabelle"),
    "fr-CA": ("Chantal", "Gabrielle Liam", "Gabrielle Liam"),
    "fr-FR": ("Celine Mathieu", "Lea Remi", "Lea Remi"),
    "hi-IN": ("Aditi", "Kajal", "Kajal"),
    "is-IS": ("Dora Karl", "", ""),
    "it-IT": ("Carla Bianca Giorgio", "Bianca Adriano", "Bianca"),
    "ja-JP": ("Mizuki Takumi", "Takumi Kazuha Tomoko", ""),
    "ko-KR": ("Seoyeon", "Seoyeon Jihye", "Seoyeon"),
    "nb-NO": ("Liv", "Ida", ""),
    "nl-BE": ("", "Lisa", "Lisa"),
    "nl-NL": ("Lotte Ruben", "Laura", "Laura"),
    "pl-PL": ("Ewa Maja Jacek Jan", "Ola", "Ola"),
    "pt-BR": ("Camila Vitoria Ricardo", "Camila Vitoria Thiago", "Camila"),
    "pt-PT": ("Ines Cristiano", "Ines", ""),
    "ro-RO": ("Carmen", "", ""),
    "ru-RU": ("Tatyana Maxim", "", ""),
    "sv-SE": ("Astrid", "Elin", ""),
    "tr-TR": ("Filiz", "Burcu", ""),
    "yue-CN": ("", "Hiujin", ""),
}

# Those that no voice above speaks: Google's, and what `alice` spoke.
_FURTHER: Final = (
    "af-ZA am-ET ar-XA bg-BG bn-IN cmn-TW el-GR en-CA et-EE eu-ES fil-PH gl-ES gu-IN he-IL hr-HR hu-HU id-ID kn-IN"
    " lt-LT lv-LV ml-IN mr-IN ms-MY pa-IN sk-SK sl-SI sr-RS sw-KE ta-IN te-IN th-TH uk-UA ur-IN vi-VN yue-HK zh-CN"
    " zh-HK zh-TW"
)
# What people write for the same language.
_SAME: Final = {"no": "nb", "nn": "nb", "iw": "he", "tl": "fil"}
LANGUAGES: Final = tuple(sorted({*_POLLY, *_FURTHER.split()}))


def is_spoken(language: str) -> bool:
    """Whether a <Say> speaks this language ("fr-FR") with some voice. Without its country ("fr") only some do."""
    return language.casefold() in {each.casefold() for each in LANGUAGES}


def spoken_in(language: str) -> list[str]:
    """All languages that a <Say> speaks which begin as this one does: of "fr", fr-BE, fr-CA and fr-FR."""
    written = language.casefold().partition("-")[0]
    base = _SAME.get(written, written)
    return [each for each in LANGUAGES if each.casefold().partition("-")[0] == base]


def speaks(voice: str, language: str) -> bool | None:
    """Whether a <Say> with this voice speaks this language ("en-US"); None: not known here.

    None, too, for a language without its country where the voice has one ("de" with a de-DE voice): not documented.
    """
    wanted = language.casefold()
    if voice in _BASIC:
        return _basic(wanted)
    if voice == "alice":
        return wanted in _ALICE_LANGUAGES
    locales = _polly(voice) if voice.startswith("Polly.") else _google(voice)
    if not locales or wanted in locales:
        return bool(locales) or None
    return None if any(locale.startswith(f"{wanted}-") for locale in locales) else False


def _basic(language: str) -> bool | None:
    """Documented are five languages; others were seen to work where `alice`, who is retired, spoke them."""
    if language.partition("-")[0] in _BASIC_LANGUAGES:
        return True
    return None if language in _ALICE_LANGUAGES else False


def _google(voice: str) -> frozenset[str]:
    named = _GOOGLE.fullmatch(voice)
    return frozenset({named[1].casefold()}) if named else frozenset()


def _polly(voice: str) -> frozenset[str]:
    """The languages of Polly.<name>, Polly.<name>-Neural or -Generative; a bilingual voice has two."""
    name, _, engine = voice.removeprefix("Polly.").partition("-")
    return _by_name().get((_plain(name), _ENGINE.get(engine, -1)), frozenset())


@cache
def _by_name() -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for language, engines in _POLLY.items():
        for engine, names in enumerate(engines):
            for name in names.split():
                found.setdefault((name, engine), set()).add(language.casefold())
    return {voice: frozenset(languages) for voice, languages in found.items()}


def _plain(name: str) -> str:
    """Polly takes "Léa" and "Lea" for the same voice."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
