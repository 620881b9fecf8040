"""What is wrong with a conversation is said with its place, and with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import load
from adapter.errors import ConfigError
from tests.config.conversing import CONVERSATION, FLOW, LINES, TWILIO


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


S = "flows.support"
PIN = "by: pin, variable: pin"
SENIOR = "after: {busy: billing}"
OPTION = '{intent: order_status, key: "2"}'
MISTAKES = {
    "flow": (
        "flow: support",
        "flow: suport",
        'lines.0.flow: there is no flow "suport" (did you mean "support"?); write',
    ),
    "to": (
        "to: billing",
        "to: biling",
        f'{S}.intents.refund_request.to: there is no destination "biling" (did you mean',
    ),
    "escalate": (
        "to: senior",
        "to: x",
        f'{S}.intents.refund_request.escalate.0.to: there is no destination "x"; write',
    ),
    "after": (
        SENIOR,
        "after: x",
        f'{S}.destinations.senior.after: there is no destination "x"; write one of billing, s',
    ),
    "after busy": (SENIOR, "after: {busy: x}", f'{S}.destinations.senior.after.busy: there is no destination "x"'),
    "a circle": (SENIOR, "after: senior", f'{S}.destinations.senior.after: leads back to "senior", where the caller'),
    "after answered": (
        SENIOR,
        "after: {answered: billing}",
        f"{S}.destinations.senior.after.answered: is not a setting",
    ),
    "forget without the option": (
        "resume_minutes: 5",
        "forget: {}",
        f"{S}.forget.intent: cannot be chosen: the menu has no option forget_me; write one",
    ),
    "forget without a proof": (
        "confirm: {by: pin, variable: pin, tries: 2, always: true}",
        "forget: {intent: order_status}",
        f"{S}.forget: forgets nobody: only callers who prove who they are can be erased; write confirm, too",
    ),
    "ascending": (
        "attempt: 5",
        "attempt: 3",
        f"{S}.intents.refund_request.escalate.1.attempt: is not more than 3, the",
    ),
    "key twice": (
        OPTION,
        "{intent: x, key: 1}",
        f"{S}.menu.options.1.key: is 1, which {S}.menu.options.0.key has alrea",
    ),
    "no key": (OPTION, "{intent: x}", f'{S}.menu.options.1: cannot be chosen; write a key ("1") or words (or both)'),
    "key": (
        OPTION,
        "{intent: x, key: 12}",
        f"{S}.menu.options.1.key: is not usable here; write one key of the telepho",
    ),
    "languages' keys": (
        'Mia, key: "2"',
        'Mia, key: "1"',
        f"{S}.languages.es-MX.key: is 1, which {S}.languages.en-US.k",
    ),
    "a key missing": (
        'Mia, key: "2"',
        "Mia",
        f"{S}.languages.es-MX.key: is missing, while other languages have one; wr",
    ),
    "no keys": (
        "languages:",
        "language: de\n    languages:",
        f"{S}.language: is not needed beside languages, whose fir",
    ),
    "voice": (
        "Polly.Mia",
        "Polly.Joanna",
        f"{S}.languages.es-MX.voice: does not speak es-MX: Twilio would end the call",
    ),
    "pin": (PIN, "by: pin", f"{S}.confirm.variable: is missing; write the name of the variable that holds the PIN"),
    "pin's digits": (
        PIN,
        f"{PIN}, digits: 4",
        f"{S}.confirm.digits: does nothing with by: pin (a PIN is compared as a",
    ),
    "digits of nothing": (
        PIN,
        "by: digits",
        f"{S}.confirm: by: digits compares the last digits of one thing; write eit",
    ),
    "digits of two": (
        PIN,
        "by: digits, variable: a, external_id: b",
        f"{S}.confirm: by: digits compares the last digits",
    ),
    "name's variable": (
        PIN,
        "by: name, variable: a",
        f"{S}.confirm.variable: does nothing with by: name (the name is ",
    ),
    "typed id": (
        PIN,
        "by: digits, external_id: account_number",
        f"{S}.confirm.external_id: is what callers say who they",
    ),
    "by": (PIN, "by: pn", f'{S}.confirm.by: is not known (did you mean "pin"?); write one of name, digits, pin'),
    "never identifying": (
        "external_id: account_number",
        "external_id: Call_Sid",
        f"{S}.identify.external_id: is among identity.never_identifying_keys; write the key of an id that names a per",
    ),
    "proof that is none": (
        PIN,
        "by: digits, external_id: CALL_ID",
        f"{S}.confirm.external_id: is among identity.never",
    ),
    "whisper": (
        "{queue: billing}",
        "{queue: billing, whisper: true}",
        f"{S}.destinations.billing.whisper: works with dial, sip, client only, where Twilio can speak to who answers",
    ),
    "accept": ("{queue: billing}", "{queue: a, accept: yes}", f"{S}.destinations.billing.accept: works with dial, sip"),
    "a queue does not ring": (
        "{queue: billing}",
        "{queue: billing, timeout_seconds: 30}",
        f"{S}.destinations.billing.timeout_seconds: works with dial, sip, client only, where something rings; leave it",
    ),
    "a client is shown no number": (
        "{queue: billing}",
        "{client: desk, caller_id: +14155550100}",
        f"{S}.destinations.billing.caller_id: works with dial, sip only, which show a number to whom they ring; leave",
    ),
    "a caller id": (
        "{queue: billing}",
        "{dial: +14155550197, caller_id: 4155550100}",
        f"{S}.destinations.billing.caller_id: is not an E.164 number; write it as",
    ),
    "nobody declines in a queue": (
        "{queue: billing}",
        "{queue: billing, after: {declined: voicemail}}",
        f"{S}.destinations.billing.after.declined: never comes of a queue; leave it out",
    ),
    "a conference is not busy": (
        "{queue: billing}",
        "{conference: room, after: {busy: voicemail, failed: voicemail}}",
        f"{S}.destinations.billing.after.busy: never comes of a conference; leave it out",
    ),
    "a language that nobody speaks": (
        "es-MX: {voice: Polly.Mia, ",
        "xx-XX: {",
        f"{S}.languages.xx-XX: is no language that Twilio speaks; write one that it does, as en-US, es-MX",
    ),
    "after a redirect": (
        "{queue: billing}",
        "{redirect: 'https://a.example', after: voicemail}",
        f"{S}.destinations.billing.after: cannot follow a redirect: the address decides what comes next; leave it out",
    ),
    "stream": (
        "{queue: billing}",
        "{stream: 'wss://a/b?c=d'}",
        f"{S}.destinations.billing.stream: has a part that doe",
    ),
    "workflow": (
        "{queue: billing}",
        "{workflow: WW1}",
        f"{S}.destinations.billing.workflow: is not usable here; write",
    ),
    "tries": ("tries: 3", "tries: 11", f"{S}.menu.tries: is out of range; write a whole number from 1 to 10 (times"),
    "a part": ("offer:", "ofer:", f'{S}.ofer: is not a setting (did you mean "offer"?)'),
    "number": (
        "+14155550100",
        "+1415**",
        'lines.0.number: is not an E.164 number; write it as +14155550123 (E.164), "',
    ),
}


@pytest.mark.parametrize(("was", "becomes", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_conversation_is_said_with_its_place(tmp_path: Path, was: str, becomes: str, says: str) -> None:
    assert was in CONVERSATION
    text = CONVERSATION.replace(was, becomes, 1)
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"config.yaml:{line_of(CONVERSATION, was)}: ")
    assert says in problem


def test_a_mistake_is_told_at_its_line(tmp_path: Path) -> None:
    text = CONVERSATION.replace("to: billing", "to: biling")
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"config.yaml:{line_of(text, 'to: biling')}: ")


def test_a_mistake_of_a_flow_is_told_once_however_many_lines_use_it(tmp_path: Path) -> None:
    text = CONVERSATION.replace("to: billing", "to: x") + "  - {number: '*', flow: support}\n"
    assert len(problems(tmp_path, text)) == 1


def test_a_flow_that_no_line_uses_is_judged_too(tmp_path: Path) -> None:
    text = TWILIO + FLOW.replace("to: billing", "to: x")
    (problem,) = problems(tmp_path, text)
    assert 'there is no destination "x"' in problem


def test_a_flow_may_leave_to_its_lines_what_only_they_know(tmp_path: Path) -> None:
    flow = FLOW.replace("    destination: {queue: support}\n", "").replace("      billing: {queue: billing}\n", "")
    own = "    destination: hangup\n    destinations: {billing: {queue: west}}\n"
    path = tmp_path / "config.yaml"
    path.write_text(TWILIO + flow + LINES + own)
    assert load(path, {}).lines[0].destinations["billing"].target == "west"
    first, second, third = problems(tmp_path, TWILIO + flow + LINES)
    assert "lines.0.destination: is missing; write hangup, voicemail or callback" in third
    assert 'there is no destination "billing"' in first
    assert 'there is no destination "billing"' in second


def test_a_circle_of_several_is_told_at_each(tmp_path: Path) -> None:
    text = CONVERSATION.replace("billing: {queue: billing}", "billing: {queue: billing, after: senior}")
    found = problems(tmp_path, text)
    assert [each.split(": ")[1] for each in found] == [
        f"{S}.destinations.billing.after",
        f"{S}.destinations.senior.after",
    ]


def test_a_menu_has_at_most_twelve_options(tmp_path: Path) -> None:
    options = "".join(f"        - {{intent: i{at}, words: [w{at}]}}\n" for at in range(11))
    text = CONVERSATION.replace("    intents:", options + "    intents:")
    (problem,) = problems(tmp_path, text)
    assert f"{S}.menu.options: has no option, or more than 12, which nobody remembers; write 1 to 12" in problem
    path = tmp_path / "config.yaml"
    path.write_text(
        CONVERSATION.replace(
            "    intents:",
            options.replace("{intent: i10, words: [w10]}", "", 1).replace("        - \n", "") + "    intents:",
        )
    )
    menu = load(path, {}).lines[0].menu
    assert menu is not None
    assert len(menu.options) == 12


def test_where_callers_cannot_speak_they_need_keys(tmp_path: Path) -> None:
    text = CONVERSATION.replace("speech: true", "speech: false")
    words = text.replace('key: "1", words', "words").replace(PIN, "by: name")
    first, second = problems(tmp_path, words)
    assert f"{S}.confirm.by: cannot be name where callers cannot speak (speech: false); write digits or pin" in first
    assert (
        f'{S}.menu.options.0: cannot be chosen: callers cannot speak here (speech: false); write a key ("1")' in second
    )


def test_a_voice_of_a_line_is_judged_by_the_language_of_its_flow(tmp_path: Path) -> None:
    flow = "flows: {a: {language: de-DE}}\nlines: [{number: '*', flow: a, destination: hangup, voice: %s}]"
    (problem,) = problems(tmp_path, TWILIO + flow % "Polly.Joanna")
    assert "lines.0.voice: does not speak de-DE" in problem
    path = tmp_path / "config.yaml"
    for voice in ("Polly.Vicki", "Polly.Unheard-Of"):
        path.write_text(TWILIO + flow % voice)
        assert load(path, {}).lines[0].voice == voice


def test_a_text_may_mention_the_variables_named_under_disclosure(tmp_path: Path) -> None:
    text = TWILIO + 'texts: {en: {reuse: "Order {{ order_number }}."}}\n'
    (problem,) = problems(tmp_path, text)
    assert 'texts.en.reuse: uses "order_number"' in problem
    path = tmp_path / "config.yaml"
    path.write_text(text + "disclosure: {variables: {order_number: public, not an identifier: public}}")
    assert load(path, {}).texts


@pytest.mark.parametrize("where", ["flow", "line"])
def test_texts_of_flows_and_lines_are_judged_where_they_are_written(tmp_path: Path, where: str) -> None:
    own = dict.fromkeys(("flow", "line"), "") | {where: "texts: {menu: 'Hi {{ name }}'}, "}
    text = f"flows: {{a: {{{own['flow']}}}}}\nlines: [{{{own['line']}number: '*', flow: a, destination: hangup}}]"
    (problem,) = problems(tmp_path, TWILIO + text)
    assert {"flow": "flows.a.texts.menu: uses", "line": "lines.0.texts.menu: uses"}[where] in problem


@pytest.mark.parametrize("by", ["pin", "PIN", "digits"])
def test_what_callers_prove_themselves_with_is_never_told(tmp_path: Path, by: str) -> None:
    text = CONVERSATION.replace("by: pin", f"by: {by}") + "disclosure: {variables: {pin: sensitive}}\n"
    (problem,) = problems(tmp_path, text)
    assert "disclosure.variables.pin: is what callers prove themselves with (confirm), and never told" in problem


def test_a_variable_cannot_pass_for_what_every_call_carries(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "disclosure: {variables: {verified: public}}")
    assert "disclosure.variables.verified: has the name of something that every call carries anyway" in problem


@pytest.mark.parametrize("text", ["disclosure: {variables: {name: secret}}", "disclosure: {intents: {x: secret}}"])
def test_a_class_is_one_of_three(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert "is not known; write one of public, personal, sensitive" in problem
