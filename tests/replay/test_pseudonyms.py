"""What is personal does not survive a recording; what a replay needs does."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.engine.caller_id import read_ani
from adapter.engine.line import Disclosure, DisclosureRules, Line, Menu, MenuOption
from adapter.replay.pseudonyms import Key, KeyUnusable, Pseudonyms, vocabulary, without_secrets
from adapter.replay.pseudonyms.characters import characters, country_code, number
from adapter.replay.pseudonyms.words import folded, word
from adapter.replay.recording import Answer, Recorded
from tests.builders import AGENTS, DIALED, a_line
from tests.examples import examples
from tests.replay.marked import CALL, accounts, cleaned, left, marked, names, numbers

KEY = Key(b"k" * 32)


def webhook(*fields: tuple[str, str], body: str = "<Response/>", **receipt: object) -> Recorded:
    answer = Answer(200, "text/xml", body)
    return Recorded("POST", "/twilio/voice", (("CallSid", CALL), *fields), answer=answer, receipt=receipt or None)


def one(name: str, value: str) -> str:
    """What becomes of one field."""
    return cleaned(webhook((name, value))).value(name)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(marked())
def test_no_personal_value_survives_wherever_it_is_planted(planted: tuple[Recorded, list[str]]) -> None:
    assert left(cleaned(planted[0]), planted[1]) == []


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(marked())
def test_the_search_finds_what_is_left_in_a_recording_that_is_not_cleaned(planted: tuple[Recorded, list[str]]) -> None:
    """The positive control: the property above would notice."""
    found = left(without_secrets(planted[0]), planted[1])
    assert {planted[1][0], planted[1][1], planted[1][3]} <= set(found)


@given(numbers)
def test_a_number_keeps_its_shape(original: str) -> None:
    drawn = number(KEY, original)
    assert drawn != original
    assert (len(drawn), country_code(drawn)) == (len(original), country_code(original))
    assert read_ani(drawn).number == drawn


@given(st.lists(numbers, min_size=2, max_size=20, unique=True))
def test_two_numbers_never_become_one(originals: list[str]) -> None:
    assert len({number(KEY, each) for each in originals}) == len(originals)


@given(numbers)
def test_a_number_is_the_same_in_every_field_and_under_every_recorder_of_a_key(original: str) -> None:
    first = cleaned(webhook(("From", original), ("ForwardedFrom", original)))
    second = cleaned(webhook(("Called", original)))
    assert {first.value("From"), first.value("ForwardedFrom"), second.value("Called")} == {number(KEY, original)}


@given(numbers)
def test_another_key_gives_another_number(original: str) -> None:
    others = {number(Key(bytes([index]) * 32), original) for index in range(4)}
    assert len(others) > 1


@pytest.mark.parametrize("spelling", ["(415) 555-0123", "415.555.0123", "4155550123", "415 555 0123", "1-415-555-0123"])
def test_a_number_in_national_format_fits_the_international_one(spelling: str) -> None:
    drawn = re.sub(r"\D", "", one("Digits", spelling))
    assert drawn[-10:] == number(KEY, "+14155550123")[2:]


@pytest.mark.parametrize(
    ("original", "kept"),
    [("+18005550123", "+1800"), ("+447911123456", "+447"), ("+4915112345678", "+4915"), ("+33612345678", "+336")],
    ids=["toll-free", "mobile, UK", "mobile, Germany", "mobile, France"],
)
def test_a_number_keeps_the_class_of_its_line(original: str, kept: str) -> None:
    assert number(KEY, original).startswith(kept)


@pytest.mark.parametrize(
    "value",
    [
        *("+266696687", "266696687", "+17378742833", "+86282452253", "anonymous", "Anonymous", "client:Anonymous"),
        *("sip:anonymous@anonymous.invalid", "No Caller ID", "Restricted", "unknown"),
    ],
)
def test_what_stands_for_withheld_stays(value: str) -> None:
    drawn = one("From", value)
    assert read_ani(drawn).note == "withheld"
    assert drawn.partition("@")[0] == value.partition("@")[0]


def test_what_stands_for_withheld_stays_in_answers_too() -> None:
    drawn = cleaned(webhook(body="<Response><Dial callerId='+266696687'>x</Dial></Response>")).answer
    assert drawn
    assert "callerId='+266696687'" in drawn.body


def test_a_name_beside_a_word_for_withheld_does_not_stay() -> None:
    drawn = one("From", "anonymous Maria")
    assert "Maria" not in drawn
    assert read_ani(drawn).note == "withheld"


def test_a_number_that_is_none_goes_on_being_none() -> None:
    assert read_ani(one("From", "+811045000")).note == "not_dialable"


def test_our_own_numbers_stay_and_longer_ones_that_begin_alike_do_not() -> None:
    drawn = cleaned(webhook(("To", DIALED), ("From", f"{DIALED}1"), body=f"<Response><Dial>{AGENTS}</Dial></Response>"))
    assert drawn.value("To") == DIALED
    assert DIALED not in drawn.value("From")
    assert drawn.answer == Answer(200, "text/xml", f"<Response><Dial>{AGENTS}</Dial></Response>")


def dialed(number: str, *fields: tuple[str, str], line: str = "+1415*") -> str:
    """What becomes of the number in To, when lines are configured for `line`, for one number of it and for all."""
    lines = [a_line(number=line), a_line(number=DIALED), a_line(number="*")]
    return Pseudonyms(KEY, vocabulary(lines)).clean(webhook(("To", number), *fields)).value("To")


@pytest.mark.parametrize("number", ["+14155550142", "whatsapp:+14155550142", f"whatsapp:{DIALED}", f"sip:{DIALED}"])
def test_a_number_of_a_line_stays_however_it_is_dialed(number: str) -> None:
    """Another one is no line's, or another's, and all calls to it would be answered differently."""
    assert dialed(number) == number
    assert re.fullmatch(
        r"sip:\+14155550100@[a-z]+\.sip\.twilio\.com", at := dialed(f"sip:{DIALED}@acme.sip.twilio.com")
    )
    assert "acme" not in at


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        ("+442071234567", ()),  # its pseudonym is a number of the same line
        ("+14155550142", (("ParentCallSid", CALL),)),
        ("+14155550142", (("Direction", "outbound-api"),)),
        ("sip:maria@acme.sip.twilio.com", ()),
    ],
    ids=["of any line", "who answers", "who is called", "a name"],
)
def test_a_dialed_number_that_need_not_stay_does_not(number: str, fields: tuple[tuple[str, str], ...]) -> None:
    drawn = dialed(number, *fields)
    assert drawn != number
    assert "maria" not in drawn


def test_a_caller_from_a_line_s_pattern_is_no_number_of_it() -> None:
    drawn = Pseudonyms(KEY, vocabulary([a_line(number="+1415*")])).clean(webhook(("From", "+14155550142")))
    assert drawn.value("From") == number(KEY, "+14155550142")


@given(names | st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöüéñ", min_size=2, max_size=14))
def test_a_name_stays_a_name_of_its_class_of_length(original: str) -> None:
    def length_class(text: str) -> int:
        return sum(len(text) >= bound for bound in (2, 4, 8))

    drawn = word(KEY, original)
    assert folded(drawn) != folded(original)
    assert length_class(drawn) == length_class(folded(original))


def test_a_name_is_the_same_however_it_is_written_and_wherever_it_is_said() -> None:
    drawn = cleaned(
        webhook(
            ("CallerName", "MÁLAGA MARIA"),
            ("SpeechResult", "my name is maria malaga"),
            body="<Response><Say>Welcome back, Maria Málaga.</Say></Response>",
            name="Maria",
        )
    )
    last, first = drawn.value("CallerName").split()
    assert drawn.value("SpeechResult") == f"my name is {first.lower()} {last.lower()}"
    assert drawn.answer
    assert drawn.answer.body.endswith(f"back, {first.title()} {last.title()}.</Say></Response>")
    assert drawn.receipt == {"name": first.title()}


@pytest.mark.parametrize("spelling", ["Qor\u200bina", "&#81;orina", "%51orina", "\\u0051orina", "Qorin\u0301a"])
def test_a_name_is_the_same_however_it_is_encoded(spelling: str) -> None:
    assert one("CallerName", spelling) == one("CallerName", "Qorina")


def test_keys_pressed_as_a_choice_stay_and_longer_digits_do_not() -> None:
    assert [one("Digits", value) for value in ("1", "42", "#", "")] == ["1", "42", "#", ""]
    assert re.fullmatch(r"\d{3}", one("Digits", "300"))
    assert one("Digits", "300") != "300"
    assert one("Digits", "1234*56")[4] == "*"


@given(st.from_regex(r"[0-9]{3,12}", fullmatch=True), accounts)
def test_the_last_digits_of_an_account_stay_its_last_digits(tail: str, prefix: str) -> None:
    assert characters(KEY, prefix + tail).endswith(characters(KEY, tail))


def test_digits_said_are_the_digits_keyed_in() -> None:
    table = dict(
        zip(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], "0123456789", strict=True)
    )
    said = one("SpeechResult", "it is one two three four thank you")
    assert said.startswith("it is ")
    assert "".join(table[each] for each in said.split()[2:6]) == one("Digits", "1234")
    assert one("SpeechResult", "one") != one("SpeechResult", "two")


def test_words_of_the_menu_stay_in_what_is_said_unless_the_caller_is_called_so() -> None:
    allowed = vocabulary([a_line(menu=Menu((MenuOption("accounts", "1", ("billing",)),)))])
    pseudonyms = Pseudonyms(KEY, allowed)
    said = ("SpeechResult", "billing for Qorina please")
    assert pseudonyms.clean(webhook(said)).value("SpeechResult").startswith("billing for ")
    assert "Qorina" not in pseudonyms.clean(webhook(said)).value("SpeechResult")
    named = pseudonyms.clean(webhook(("CallerName", "BILLING"), said))
    assert "billing" not in named.value("SpeechResult")
    # And stays so for the rest of this call, whose webhooks need not name the caller again.
    assert "billing" not in pseudonyms.clean(webhook(said)).value("SpeechResult")


GREETED = "<Response><Say>Welcome back, {}. One moment, please.</Say><Say>New caller.</Say></Response>"


def in_a_call(line: Line, *fields: tuple[str, str], body: str = "", **receipt: object) -> Recorded:
    return Pseudonyms(KEY, vocabulary([line])).clean(webhook(*fields, body=body or "<Response/>", **receipt))


@pytest.mark.parametrize("field", [("FromCity", "NEW YORK"), ("CallerName", "WIRELESS CALLER"), ("ToCity", "BACK BAY")])
def test_our_own_texts_stay_whatever_callers_and_their_towns_are_called(field: tuple[str, str]) -> None:
    drawn = in_a_call(a_line(), field, body=GREETED.format("Maria")).answer
    assert drawn
    name = drawn.body.partition("back, ")[2].partition(".")[0]
    assert name != "Maria"
    assert drawn.body == GREETED.format(name)


@pytest.mark.parametrize("name", ["Will May", "Key Moment", "Grace New", "Day Back"])
def test_a_name_that_is_also_a_word_of_ours_does_not_stay(name: str) -> None:
    """And is the same in what is saved, said by the caller and spoken."""
    line = a_line(texts={"neutral": "You have a grace period of a day."})
    drawn = in_a_call(line, ("SpeechResult", f"my name is {name}"), body=GREETED.format(name))
    said = drawn.value("SpeechResult").removeprefix("my name is ")
    assert not {*folded(said).split()} & {*folded(name).split()}
    assert drawn.answer == Answer(200, "text/xml", GREETED.format(said))


def test_names_of_the_configuration_and_of_decisions_stay_whatever_callers_are_called() -> None:
    line = a_line(menu=Menu((MenuOption("new_order", "1", ("order",)),)))
    receipt = {"intent": "new_order", "place": "menu", "recommendation": "confirm"}
    said = "<Say>Are you calling about your new order?</Say>"
    body = f'<Response>{said}<Parameter name="intent" value="new_order"/></Response>'
    drawn = in_a_call(line, ("CallerName", "NEW ORDER MENU"), body=body, **receipt)
    assert drawn.receipt == receipt
    assert drawn.answer == Answer(200, "text/xml", body)
    assert "order" not in in_a_call(line, ("CallerName", "MARIA ORDER"), ("SpeechResult", "order")).value(
        "SpeechResult"
    )
    assert in_a_call(line, ("FromCity", "ORDER"), ("SpeechResult", "my order")).value("SpeechResult") == "my order"


def test_names_of_variables_stay_where_they_are_handed_on_and_their_values_do_not() -> None:
    line = a_line(disclosure=DisclosureRules(dict.fromkeys(["extra_note", "planName"], Disclosure.PERSONAL)))
    body = (
        "<Response><Dial><Sip>sip:twilio.com?X-Sticky-Extra-Note={0}&amp;X-Sticky-Planname={0}</Sip>"
        '<Client><Parameter name="planName" value="{0}"/></Client></Dial><Enqueue><Task>'
        '{{"extra_note":"{0}","planName":"{0}"}}</Task></Enqueue></Response>'
    )
    drawn = in_a_call(line, body=body.format("Will")).answer
    assert drawn
    assert drawn.body == body.format(word(KEY, "Will", vocabulary([line]).words))


def test_an_answer_in_which_nothing_is_personal_stays_to_the_byte() -> None:
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<Response><Gather action=\"/twilio/turn/2\"  input='dtmf speech' "
        'numDigits="1"><Say language="en-US" voice="Polly.Joanna">Welcome back &quot;one moment&#39; &amp; now.</Say>'
        "</Gather><Redirect method='POST'>/twilio/turn/2</Redirect></Response>"
    )
    drawn = cleaned(webhook(body=body)).answer
    assert drawn
    assert drawn.body == body


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(marked())
def test_twiml_stays_well_formed(planted: tuple[Recorded, list[str]]) -> None:
    original = planted[0].answer
    assert original
    try:
        ET.fromstring(original.body)
    except ET.ParseError:
        return
    drawn = cleaned(planted[0]).answer
    assert drawn
    if "<!" not in original.body:
        ET.fromstring(drawn.body)


@pytest.mark.parametrize(
    "name", ["CallToken", "StirPassportToken", "X-Twilio-Signature", "Authorization", "auth_token"]
)
def test_secrets_are_left_out_even_when_personal_data_is_kept(name: str) -> None:
    secret = replace(webhook((name, "s3cret"), call_token="s3cret"), path=f"/x?{name}=s3cret&a=1")
    for drawn in (without_secrets(secret), cleaned(secret)):
        assert "s3cret" not in str(drawn)


def test_only_chosen_headers_are_kept() -> None:
    headers = {"user-agent": "TwilioProxy/1.1", "cookie": "a", "x-forwarded-for": "10.0.0.1", "authorization": "b"}
    assert cleaned(replace(webhook(), headers=headers)).headers == {"user-agent": "TwilioProxy/1.1"}


@pytest.mark.parametrize(
    "path",
    ["/twilio/voice", "/twilio/turn/12", "/twilio/whisper/0a1b2c3d4e5f/3", "/twilio/whisper/0a1b2c3d4e5f/3/answer"],
)
def test_our_own_addresses_stay(path: str) -> None:
    assert cleaned(replace(webhook(), path=path)).path == path


@pytest.mark.parametrize(
    "path", ["/twilio/447000000000", "/twilio/qorina", "/greet/Qorina", "/twilio/turn/14155550123", "/ivr/4155550123"]
)
def test_what_is_personal_in_an_address_does_not_stay(path: str) -> None:
    drawn = cleaned(replace(webhook(), path=path)).path
    assert drawn.count("/") == path.count("/")
    assert path.rpartition("/")[2] not in drawn


def test_a_receipt_keeps_the_engines_own_words() -> None:
    receipt = {
        "recommendation": "reuse",
        "confidence": 0.55,
        "sources": ["ani:mobile", "recency:1day", "external_id"],
        "rules": ["ani.known", "cap.presented"],
        "place": "handed_over",
        "verified": False,
    }
    assert cleaned(webhook(**receipt)).receipt == receipt


def test_an_address_on_the_internet_becomes_one_that_is_nobodys() -> None:
    assert re.fullmatch(r"198\.1[89]\.\d+\.\d+", one("SipSourceIp", "203.0.113.7"))


def test_add_ons_stay_json_with_the_same_names() -> None:
    given_json = '{"status":"successful","message":null,"code":null,"results":{}}'
    assert one("AddOns", given_json) == given_json


def test_a_key_that_protects_nothing_is_refused() -> None:
    with pytest.raises(KeyUnusable):
        Key(b"short")
