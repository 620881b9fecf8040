"""The words that callers say, per language, and how any text is brought to comparable words.

Leaves out: what is decided by them (`names`, `answers`, `menu`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Final

# Nobody says more at a question; hostile text of megabytes is to cost no more than a sentence.
_LONGEST_SPEECH: Final = 500  # characters

_APOSTROPHES: Final = dict.fromkeys(map(ord, "'\u2019\u02bc\u0060\u00b4"))
# Letters that Unicode does not take apart into a base and an accent.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th", "ð": "d", "ħ": "h"}
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`yes` and `no`: whole words. `digits`: words for 0 to 9. `before_name`, `before_number`: what is said around the
    thing itself. All as `words` gives them; phrases with spaces."""

    yes: frozenset[str]
    no: frozenset[str]
    digits: Mapping[str, str]
    before_name: tuple[str, ...]
    before_number: tuple[str, ...]


def _numbered(text: str) -> dict[str, str]:
    """ "zero oh | one | …" → {"zero": "0", "oh": "0", "one": "1", …}."""
    return {word: str(digit) for digit, group in enumerate(text.split("|")) for word in group.split()}


def _phrases(text: str) -> tuple[str, ...]:
    """Longest first, so that no part of a phrase is left standing."""
    return tuple(sorted((" ".join(each.split()) for each in text.split("|")), key=lambda p: -len(p.split())))


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH: Final = Vocabulary(
    yes=_set("yes yeah yep yup sure correct right exactly absolutely okay ok"),
    no=_set("no nope nah not wrong incorrect never dont"),
    digits=_numbered("zero oh | one | two | three | four | five | six | seven | eight | nine"),
    before_name=_phrases(
        "my name is | my names | the name is | name is | this is | i am | im | it is | its | you are speaking with | "
        "you are speaking to | speaking | here | hello | hi | good morning | good afternoon | good evening | "
        "yes | uh | um"
    ),
    before_number=_phrases(
        "my account number is | the account number is | account number is | account number | my customer number is | "
        "customer number is | customer number | my number is | the number is | number | it is | its | this is | "
        "my account is | account | my pin is | the pin is | pin is | pin | my code is | the code is | code | "
        "the last four digits are | last four digits are | the last digits are | the digits are | "
        "yes | uh | um | please"
    ),
)

_GERMAN: Final = Vocabulary(
    yes=_set("ja jawohl jo jep genau richtig stimmt korrekt gerne klar naturlich okay ok"),
    no=_set("nein nee ne no nicht falsch kein keine keinen nie"),
    digits=_numbered("null | eins ein eine | zwei zwo | drei | vier | funf fuenf | sechs | sieben | acht | neun"),
    before_name=_phrases(
        "mein name ist | mein name lautet | der name ist | name ist | ich heisse | ich bin | ich bin der | "
        "ich bin die | hier ist | hier spricht | hier | das ist | am apparat | hallo | guten tag | guten morgen | "
        "guten abend | ja | ah"
    ),
    before_number=_phrases(
        "meine kundennummer ist | meine kundennummer lautet | die kundennummer ist | kundennummer ist | kundennummer | "
        "meine kontonummer ist | meine kontonummer lautet | kontonummer | meine nummer ist | die nummer ist | nummer | "
        "meine pin ist | meine pin lautet | die pin ist | pin | mein code ist | der code ist | code | "
        "die letzten vier ziffern sind | die letzten ziffern sind | die ziffern sind | "
        "sie lautet | das ist | es ist | ja | ah | bitte"
    ),
)

_SPANISH: Final = Vocabulary(
    yes=_set("si claro correcto exacto exactamente vale cierto okay ok"),
    no=_set("no nunca tampoco incorrecto falso"),
    digits=_numbered("cero | uno un una | dos | tres | cuatro | cinco | seis | siete | ocho | nueve"),
    before_name=_phrases(
        "mi nombre es | el nombre es | nombre es | me llamo | yo soy | soy | habla | le habla | aqui | es | hola | "
        "buenos dias | buenas tardes | buenas noches | si | eh"
    ),
    before_number=_phrases(
        "mi numero de cuenta es | el numero de cuenta es | numero de cuenta | mi numero de cliente es | "
        "el numero de cliente es | numero de cliente | mi numero es | el numero es | numero | mi cuenta es | cuenta | "
        "mi pin es | el pin es | pin | mi clave es | la clave es | clave | mi codigo es | el codigo es | codigo | "
        "los ultimos cuatro digitos son | los ultimos digitos son | los digitos son | "
        "es el | es | si | eh | por favor"
    ),
)

_FRENCH: Final = Vocabulary(
    yes=_set("oui ouais exact exactement correct daccord absolument okay ok"),
    no=_set("non nan pas faux jamais incorrect"),
    digits=_numbered("zero | un une | deux | trois | quatre | cinq | six | sept | huit | neuf"),
    before_name=_phrases(
        "je mappelle | moi je mappelle | mon nom est | mon nom cest | le nom est | je suis | ici | cest | moi cest | "
        "a lappareil | allo | bonjour | bonsoir | oui | euh"
    ),
    before_number=_phrases(
        "mon numero de compte est | mon numero de compte cest | le numero de compte est | numero de compte | "
        "mon numero de client est | mon numero client est | numero de client | numero client | mon numero est | "
        "mon code est | mon code cest | le code est | code | mon pin est | pin | "
        "les quatre derniers chiffres sont | les derniers chiffres sont | les chiffres sont | "
        "le numero est | numero | mon compte est | compte | cest le | cest | oui | euh | sil vous plait"
    ),
)

_VOCABULARIES: Final = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH}


def vocabulary(language: str) -> Vocabulary:
    """The words of "de-AT" are those of "de". A language without words has the English ones, as it has their texts."""
    return _VOCABULARIES.get(primary(language), _ENGLISH)


def primary(language: str) -> str:
    """ "de" of "de-AT"."""
    return language.replace("_", "-").partition("-")[0].casefold()


def words(text: str) -> list[str]:
    """Words without case, accents and punctuation: "Renée O'Neil-Groß" gives renee, oneil, gross."""
    taken_apart = unicodedata.normalize("NFKD", text[:_LONGEST_SPEECH].translate(_APOSTROPHES)).casefold()
    bare = (c for c in taken_apart.translate(_PLAIN) if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in bare).split()


def occurs(phrase: Sequence[str], said: Sequence[str], is_same: Callable[[str, str], bool] = eq) -> bool:
    """Whether the words of `phrase` are said, one after the other. No words never are."""
    size = len(phrase)
    starts = range(len(said) - size + 1) if size else ()
    return any(all(map(is_same, phrase, said[at : at + size])) for at in starts)


def without(phrases: Sequence[str], said: Sequence[str]) -> list[str]:
    """`said` without these phrases, wherever they stand."""
    # Every word between spaces of its own, so that two phrases in a row do not share one.
    text = "".join(f" {word} " for word in said)
    for phrase in phrases:
        text = text.replace(f" {phrase.replace(' ', '  ')} ", "")
    return text.split()
