"""Differences between verbs in sentences about the caller or the call. Leaves out: which verbs to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from .trees import Difference, Verb, filled

_PUTS_THROUGH: Final = frozenset({"Dial", "Enqueue"})
_NOUNS: Final = {
    "Number": "",
    "Sip": "",
    "Client": "the client ",
    "Queue": "the queue ",
    "Conference": "the conference ",
}


def changed(old: Verb, new: Verb) -> Iterator[Difference]:
    """Between two verbs of one name, without what is nested in them (a Dial's nouns are part of it)."""
    if new.name == "Dial" and destination(old) != destination(new):
        yield _instead("destination", "is put through to {new} instead of {old}", destination(old), destination(new))
    if new.name == "Gather" and asked(old) != asked(new):
        yield _instead("asks", "asks for {new} instead of {old}", asked(old), asked(new))
    if old.text != new.text and new.name not in ("Dial", "Gather"):
        generic = ("text", f"has in {new.name} {{new}} instead of {{old}}")
        sentence = _LEAVES if _leaves(old) and _leaves(new) else _TEXTS.get(new.name, generic)
        yield _instead(*sentence, *_quoted(old, new))
    yield from _attributes(old, new)
    if new.name == "Dial":
        yield from _nouns(old, new)


def added(verb: Verb) -> Difference:
    """Of a verb that was not there."""
    return Difference(_kind(verb), f"now {does(verb)}", "", _value(verb))


def removed(verb: Verb) -> Difference:
    """Of a verb that is not there any more."""
    return Difference(_kind(verb), f"no longer {does(verb)}", _value(verb), "")


def elsewhere(old: Verb, new: Verb) -> Difference | None:
    """Between two verbs of different names that both put the caller through; None for others."""
    if old.name not in _PUTS_THROUGH or new.name not in _PUTS_THROUGH:
        return None
    return _instead("destination", "is put through to {new} instead of {old}", _place(old), _place(new))


def handed_on(old: Verb, new: Verb) -> Iterator[Difference]:
    """The Parameters directly in two verbs or nouns, by their names: their order is no difference."""
    told, tells = _parameters(old), _parameters(new)
    for name in sorted({*told, *tells}):
        if told.get(name) != tells.get(name):
            sentence = f"hands on {name} {{new}} instead of {{old}}"
            yield _instead("context", sentence, told.get(name, ""), tells.get(name, ""))


def destination(dial: Verb) -> str:
    """Where a Dial goes, in words: "+14155550199", "the queue support", several with "or"."""
    nouns = [f"{_NOUNS.get(noun.name, f'{noun.name} ')}{_named(noun)}" for noun in dial.verbs]
    return " or ".join([dial.text, *nouns] if dial.text else nouns) or "nobody"


def asked(gather: Verb) -> str:
    """What a Gather asks for, in words: "1 digit", "digits", "speech", "1 digit or speech"."""
    kinds = (gather.attribute("input") or "dtmf").split()
    count = gather.attribute("numDigits")
    keys = "digits" if not count else f"{count} digit{'' if count == '1' else 's'}"
    return " or ".join([*([keys] if "dtmf" in kinds else []), *(["speech"] if "speech" in kinds else [])]) or "nothing"


def does(verb: Verb) -> str:
    """What it does to the caller: "says “Welcome”", "waits in the queue support"."""
    return _DOES[verb.name](verb) if verb.name in _DOES else f"has {verb.name} {verb.text}".strip()


# kind, sentence
_TEXTS: Final = {
    "Say": ("says", "now says {new} instead of {old}"),
    "Redirect": ("goes_on", "goes on at {new} instead of {old}"),
    "Play": ("plays", "plays {new} instead of {old}"),
    "Enqueue": ("destination", "waits in the queue {new} instead of {old}"),
}
_LEAVES: Final = ("destination", "is put through to {new} instead of {old}")
# By verb and attribute, "" any verb.
_SENTENCES: Final = {
    ("Say", "language"): ("language", "is spoken to in {new} instead of {old}"),
    ("Say", "voice"): ("voice", "hears the voice {new} instead of {old}"),
    ("", "action"): ("goes_on", "goes on at {new} instead of {old}"),
    ("", "timeout"): ("waits", "waits {new} seconds instead of {old}"),
    ("", "callerId"): ("caller_id", "shows the number {new} instead of {old}"),
    ("", "workflowSid"): ("destination", "is put through to the workflow {new} instead of {old}"),
    ("", "hints"): ("hints", "expects the words {new} instead of {old}"),
    ("ConversationRelay", "url"): _LEAVES,
    ("Stream", "url"): _LEAVES,
    ("Number", "url"): ("whisper", "who answers is told by {new} instead of {old}"),
    ("Sip", "url"): ("whisper", "who answers is told by {new} instead of {old}"),
    ("Client", "url"): ("whisper", "who answers is told by {new} instead of {old}"),
}
_ASKED: Final = frozenset({"input", "numDigits"})  # told by `asked`

_DOES: Final[dict[str, Callable[[Verb], str]]] = {
    "Say": lambda verb: f"says “{verb.text}”",
    "Gather": lambda verb: f"asks for {asked(verb)}",
    "Dial": lambda verb: f"is put through to {destination(verb)}",
    "Enqueue": lambda verb: f"waits in the queue {verb.text or verb.attribute('workflowSid')}",
    "Hangup": lambda verb: "is hung up on",
    "Record": lambda verb: "is asked for a message",
    "Redirect": lambda verb: f"goes on at {verb.text}",
    "Play": lambda verb: f"plays {verb.text}",
    "Reject": lambda verb: "is rejected",
    "Pause": lambda verb: f"pauses {verb.attribute('length') or '1'} s",
}
_KINDS: Final = {
    "Say": "says",
    "Gather": "asks",
    "Dial": "destination",
    "Enqueue": "destination",
    "Redirect": "goes_on",
}


def _leaves(verb: Verb) -> bool:
    """A Redirect to somebody else's server, where the call is from then on: our own addresses are compared as paths."""
    return verb.name == "Redirect" and "://" in verb.text


def _place(verb: Verb) -> str:
    if verb.name == "Dial":
        return destination(verb)
    return f"the queue {verb.text}" if verb.text else f"the workflow {verb.attribute('workflowSid')}"


def _attributes(old: Verb, new: Verb) -> Iterator[Difference]:
    for name in sorted({*old.attributes, *new.attributes}):
        one, other = old.attribute(name), new.attribute(name)
        if one == other or (new.name == "Gather" and name in _ASKED):
            continue
        generic = ("attribute", f"has {new.name} with {name} {{new}} instead of {{old}}")
        kind, sentence = _SENTENCES.get((new.name, name)) or _SENTENCES.get(("", name)) or generic
        yield _instead(kind, sentence, one, other)


def _nouns(old: Verb, new: Verb) -> Iterator[Difference]:
    """What is different at the same destinations: whispers, parameters."""
    if [verb.name for verb in old.verbs] != [verb.name for verb in new.verbs]:
        return
    for one, other in zip(old.verbs, new.verbs, strict=True):
        yield from _attributes(one, other)
        yield from handed_on(one, other)


def _parameters(noun: Verb) -> dict[str, str]:
    return {verb.attribute("name"): verb.attribute("value") for verb in noun.verbs if verb.name == "Parameter"}


def _named(noun: Verb) -> str:
    return noun.text or " ".join(verb.text for verb in noun.verbs if verb.name == "Identity")


def _instead(kind: str, sentence: str, old: str, new: str) -> Difference:
    return Difference(kind, filled(sentence, old or "none", new or "none"), old.strip("“”"), new.strip("“”"))


def _quoted(old: Verb, new: Verb) -> tuple[str, str]:
    """Speech in quotation marks, addresses without."""
    if new.name == "Say":
        return f"“{old.text}”", f"“{new.text}”"
    return old.text, new.text


def _kind(verb: Verb) -> str:
    return _KINDS.get(verb.name, verb.name.lower())


def _value(verb: Verb) -> str:
    if verb.name == "Gather":
        return asked(verb)
    return destination(verb) if verb.name == "Dial" else verb.text or verb.name
