"""Flows and lines become `Line`s: what is written where, what wins, and what is added."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import Config, load
from adapter.config.effective import MASK, effective
from adapter.engine.line import (
    Confirm,
    Destination,
    DestinationKind,
    Disclosure,
    Escalation,
    Identify,
    IntentRule,
    Line,
    Menu,
    MenuOption,
    Offer,
    ProofKind,
    Spoken,
)
from adapter.engine.model import Outcome
from tests.config.conversing import CONVERSATION, FLOW, LINES, TWILIO

MISSED = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.DECLINED, Outcome.FAILED)


def loaded(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return load(path, {f"ADAPTER_{name}": value for name, value in environ.items()})


def line(folder: Path, text: str, **environ: str) -> Line:
    (only,) = loaded(folder, text, **environ).lines
    return only


def test_a_line_has_everything_from_its_flow(tmp_path: Path) -> None:
    found = line(tmp_path, CONVERSATION)
    assert found.confirm == Confirm(ProofKind.PIN, "pin", tries=2, always=True)
    assert (found.identify, found.offer, found.resume_minutes) == (Identify("account_number", 8), Offer(2), 5)
    assert found.menu == Menu(
        (MenuOption("refund_request", "1", ("refund", "money back")), MenuOption("order_status", "2")), 3
    )
    assert found.intents == {
        "refund_request": IntentRule(
            "billing", {"en": "refund", "de": "Erstattung"}, (Escalation(3, "senior"), Escalation(5, "callback"))
        )
    }
    assert found.destination == Destination(DestinationKind.QUEUE, "support")
    assert found.destinations["senior"] == Destination(
        DestinationKind.DIAL, "+14155550198", 20, True, True, {Outcome.BUSY: "billing"}
    )
    assert found.languages == (Spoken("en-US", "Polly.Joanna", "1"), Spoken("es-MX", "Polly.Mia", "2"))
    assert (found.language, found.voice) == ("en-US", "Polly.Joanna")


def test_what_is_not_written_has_the_default_of_its_dataclass(tmp_path: Path) -> None:
    parts = (
        "confirm: {}, offer: {}, identify: {external_id: a}, menu: {options: [{intent: x, key: 1}]}, intents: {x: {}}"
    )
    found = line(tmp_path, TWILIO + f"lines: [{{number: '*', destination: hangup, {parts}}}]")
    assert (found.confirm, found.offer, found.identify) == (Confirm(), Offer(), Identify("a"))
    assert (found.menu, dict(found.intents)) == (Menu((MenuOption("x", "1"),)), {"x": IntentRule()})
    plain = line(tmp_path, TWILIO + "lines: [{number: '*', destination: hangup}]")
    assert plain == Line("*", "*", "default", plain.mode, Destination(DestinationKind.HANGUP))
    assert not plain.converses


def test_what_the_line_says_wins_over_its_flow(tmp_path: Path) -> None:
    own = "    destination: hangup\n    offer: {tries: 1}\n    speech: false\n    resume_minutes: 0\n"
    found = line(tmp_path, CONVERSATION + own)
    assert (found.destination.kind, found.offer) == (DestinationKind.HANGUP, Offer(1, 1))
    assert (found.speech, found.resume_minutes) == (False, 0)


def test_texts_intents_and_destinations_are_joined_name_by_name(tmp_path: Path) -> None:
    flow = FLOW[: FLOW.index("    languages:")] + "    texts: {menu: 'Yes?', again: 'What?'}\n"
    own = """
    texts: {menu: "Hm?"}
    intents: {order_status: {to: senior}}
    destinations: {billing: {queue: billing-west}}
"""
    found = line(tmp_path, TWILIO + flow + LINES + own)
    assert found.texts == {"menu": "Hm?", "again": "What?"}
    assert found.intents.keys() == {"refund_request", "order_status"}
    assert found.destinations["billing"].target == "billing-west"
    assert found.destinations["senior"].target == "+14155550198"


@pytest.mark.parametrize(
    ("of_flow", "of_line", "spoken"),
    [
        ("languages: {de: {}, en: {}}", "language: fr", (Spoken("fr"),)),
        ("language: de-DE, voice: Polly.Vicki", "languages: {fr: {}, en: {}}", (Spoken("fr"), Spoken("en"))),
        ("language: de-DE, voice: Polly.Vicki", "language: fr", (Spoken("fr"),)),
        ("language: de-DE, voice: Polly.Vicki", "voice: Polly.Hans", (Spoken("de-DE", "Polly.Hans"),)),
    ],
)
def test_a_lines_language_is_not_spoken_by_its_flows_voice(
    tmp_path: Path, of_flow: str, of_line: str, spoken: tuple[Spoken, ...]
) -> None:
    text = f"flows: {{a: {{{of_flow}}}}}\nlines: [{{number: '*', flow: a, destination: hangup, {of_line}}}]"
    found = line(tmp_path, TWILIO + text)
    assert found.spoken == spoken
    assert (found.language, found.voice) == (spoken[0].language, spoken[0].voice)


def test_after_with_one_name_is_for_every_outcome_that_is_no_answer(tmp_path: Path) -> None:
    text = "lines: [{number: '*', destination: {dial: '+14155550199', after: voicemail}}]"
    found = line(tmp_path, TWILIO + text)
    assert found.destination.after == dict.fromkeys(MISSED, "voicemail")
    assert found.destinations == {"voicemail": Destination(DestinationKind.VOICEMAIL)}


def test_words_are_destinations_unless_the_name_is_given_to_another(tmp_path: Path) -> None:
    found = line(tmp_path, CONVERSATION)
    assert found.destinations["callback"] == Destination(DestinationKind.CALLBACK)
    assert "voicemail" not in found.destinations
    renamed = line(tmp_path, CONVERSATION.replace("billing: {queue", "callback: {queue").replace("billing", "callback"))
    assert renamed.destinations["callback"].kind is DestinationKind.QUEUE


@pytest.mark.parametrize(
    ("written", "kind", "target"),
    [
        ("{workflow: WW" + "0" * 32 + "}", DestinationKind.WORKFLOW, "WW" + "0" * 32),
        ("{conference: Room 1}", DestinationKind.CONFERENCE, "Room 1"),
        ("{relay: 'wss://bot.example.com/relay/?v=1'}", DestinationKind.RELAY, "wss://bot.example.com/relay/?v=1"),
        ("{stream: 'wss://bot.example.com/stream/'}", DestinationKind.STREAM, "wss://bot.example.com/stream/"),
        ("voicemail", DestinationKind.VOICEMAIL, ""),
        ("callback", DestinationKind.CALLBACK, ""),
    ],
)
def test_every_kind_of_destination_can_be_written(
    tmp_path: Path, written: str, kind: DestinationKind, target: str
) -> None:
    found = line(tmp_path, TWILIO + f"lines: [{{number: '*', destination: {written}}}]").destination
    assert (found.kind, found.target) == (kind, target)


@pytest.mark.parametrize("number", ["*", "+1415*", "+1*", "+14155550100"])
def test_a_line_takes_a_number_the_beginning_of_numbers_or_any(tmp_path: Path, number: str) -> None:
    assert line(tmp_path, TWILIO + f"lines: [{{number: '{number}', destination: hangup}}]").number == number


def test_disclosure_goes_to_every_line(tmp_path: Path) -> None:
    text = "disclosure: {variables: {name: personal, order_number: SENSITIVE}, intents: {refund_request: public}}"
    config = loaded(tmp_path, CONVERSATION + text)
    assert dict(config.disclosure.variables) == {"name": Disclosure.PERSONAL, "order_number": Disclosure.SENSITIVE}
    assert dict(config.disclosure.intents) == {"refund_request": Disclosure.PUBLIC}
    assert config.lines[0].disclosure == config.disclosure


def test_variables_of_the_environment_reach_into_flows(tmp_path: Path) -> None:
    found = line(
        tmp_path,
        CONVERSATION,
        FLOWS__SUPPORT__MENU__TRIES="7",
        FLOWS__SUPPORT__MENU__OPTIONS__1__WORDS__0="order",
        FLOWS__SUPPORT__CONFIRM__SECONDS="90",
        FLOWS__SUPPORT__DESTINATIONS__SENIOR__AFTER="voicemail",
        FLOWS__SUPPORT__DESTINATIONS__NIGHT__DIAL="+14155550111",
        FLOWS__SUPPORT__INTENTS__ORDER_STATUS__TO="night",
        FLOWS__SUPPORT__LANGUAGES__ES_MX__KEY="9",
        LINES__0__SPEECH="false",
        DISCLOSURE__VARIABLES__NAME="public",
    )
    assert found.menu is not None
    assert found.confirm is not None
    assert (found.menu.tries, found.menu.options[1].words, found.confirm.seconds) == (7, ("order",), 90)
    assert found.destinations["senior"].after == dict.fromkeys(MISSED, "voicemail")
    assert found.intents["order_status"].to == "night"
    assert (found.languages[1].key, found.speech) == ("9", False)
    assert found.disclosure.variables == {"name": Disclosure.PUBLIC}


def test_a_whole_conversation_comes_back_from_what_is_printed(tmp_path: Path) -> None:
    text = "disclosure: {variables: {name: public}, intents: {x: sensitive}}\ntexts: {en: {menu: 'Yes?'}}\n"
    proofs = "  - {number: '*', flow: support, language: de, confirm: {by: digits, external_id: crm, digits: 6}}\n"
    config = loaded(tmp_path, CONVERSATION + proofs + text)
    assert loaded(tmp_path, effective(config).replace(MASK, "abcdefgh")) == config


def test_what_is_printed_holds_what_the_environment_says(tmp_path: Path) -> None:
    config = loaded(tmp_path, CONVERSATION, FLOWS__SUPPORT__MENU__TRIES="7")
    assert "tries: 7" in effective(config)
