"""Answers compared as what a caller hears: every real difference is named, everything else is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.compare import differences, differences_of_answers, differences_of_receipts
from adapter.replay.recording import Answer, Receipt

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def told(before: str, after: str) -> list[str]:
    found = differences(f"<Response>{before}</Response>", f"<Response>{after}</Response>")
    return [str(each) for each in found]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<Dial timeout="3" callerId="1">x</Dial>', "<Dial callerId='1'\n timeout='3'>x</Dial>"),
        ("<Say>a  b</Say>", "\n <Say>\n a b </Say>\n"),
        ("<Hangup/>", "<Hangup></Hangup>"),
        ("<Say>a &amp; b</Say>", "<Say><![CDATA[a & b]]></Say><!-- c -->"),
        ("<Say>M&#225;laga</Say>", "<Say>Málaga</Say>"),
    ],
    ids=["attributes", "white space", "empty", "comments", "escapes"],
)
def test_what_a_caller_cannot_hear_is_no_difference(before: str, after: str) -> None:
    assert told(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("<Say>Hi.</Say>", "<Say>Hello.</Say>", "now says “Hello.” instead of “Hi.”"),
        ("<Say>Hi.</Say>", "<Say>Hi.</Say><Say>You.</Say>", "now says “You.”"),
        ("<Say>A</Say><Say>B</Say>", "<Say>B</Say>", "no longer says “A”"),
        ('<Say language="en-US">A</Say>', '<Say language="de-DE">A</Say>', "is spoken to in de-DE instead of en-US"),
        ('<Say voice="man">A</Say>', "<Say>A</Say>", "hears the voice none instead of man"),
        ("<Dial>+1</Dial>", "<Dial><Number>+2</Number></Dial>", "is put through to +2 instead of +1"),
        (
            "<Dial><Number>+1</Number></Dial>",
            "<Dial><Queue>support</Queue></Dial>",
            "is put through to the queue support instead of +1",
        ),
        (
            "<Dial><Client>a</Client></Dial>",
            "<Dial><Client><Identity>b</Identity></Client></Dial>",
            "is put through to the client b instead of the client a",
        ),
        ('<Dial timeout="30">+1</Dial>', '<Dial timeout="20">+1</Dial>', "waits 20 seconds instead of 30"),
        (
            '<Dial><Number url="/w/1">+1</Number></Dial>',
            "<Dial><Number>+1</Number></Dial>",
            "who answers is told by none instead of /w/1",
        ),
        (
            '<Dial><Client>a<Parameter name="intent" value="x"/></Client></Dial>',
            '<Dial><Client>a<Parameter name="intent" value="y"/></Client></Dial>',
            "hands on intent y instead of x",
        ),
        (
            "<Dial><Sip>sip:a@b?X-Call=1&amp;X-About=x%20y</Sip></Dial>",
            "<Dial><Sip>sip:a@b?X-About=z&amp;X-Call=1</Sip></Dial>",
            "hands on X-About z instead of x y",
        ),
        (
            "<Dial><Sip>sip:a@b?X-Call=1</Sip></Dial>",
            "<Dial><Sip>sip:c@b?X-Call=1</Sip></Dial>",
            "is put through to sip:c@b instead of sip:a@b",
        ),
        (
            '<Enqueue workflowSid="W"><Task>{"call": 1, "verified": true}</Task></Enqueue>',
            '<Enqueue workflowSid="W"><Task>{"verified": false, "call": 1}</Task></Enqueue>',
            "hands on verified false instead of true",
        ),
        (
            "<Enqueue><Task>[1]</Task></Enqueue>",
            "<Enqueue><Task>[2]</Task></Enqueue>",
            "has in Task [2] instead of [1]",
        ),
        ("<Redirect>/a?call=1</Redirect>", "<Redirect>/b?call=1</Redirect>", "goes on at /b instead of /a"),
        ("<Redirect>/a?call=1</Redirect>", "<Redirect>/a?call=2</Redirect>", "hands on call 2 instead of 1"),
        (
            '<Gather input="speech"/>',
            '<Gather input="dtmf" numDigits="1"/>',
            "asks for 1 digit instead of speech",
        ),
        ('<Gather numDigits="4"/>', "<Gather/>", "asks for digits instead of 4 digits"),
        ('<Gather action="/a"/>', '<Gather action="/b"/>', "goes on at /b instead of /a"),
        (
            '<Gather numDigits="1"><Say>Press 1</Say></Gather>',
            '<Gather numDigits="1"><Say>Press 2</Say></Gather>',
            "now says “Press 2” instead of “Press 1”",
        ),
        ("<Redirect>/a</Redirect>", "<Redirect>/b</Redirect>", "goes on at /b instead of /a"),
        ("<Enqueue>a</Enqueue>", "<Enqueue>b</Enqueue>", "waits in the queue b instead of a"),
        ("<Odd>a</Odd>", "<Odd>{new}</Odd>", "has in Odd {new} instead of a"),
        ('<Odd b="1"/>', '<Odd b="2"/>', "has Odd with b 2 instead of 1"),
    ],
)
def test_a_difference_is_told_in_a_sentence(before: str, after: str, sentence: str) -> None:
    assert told(before, after) == [sentence]


def test_another_course_of_the_call_is_told_as_what_goes_and_what_comes() -> None:
    before = "<Say>Hi</Say><Dial>+1</Dial>"
    after = '<Say>Hi</Say><Gather input="dtmf speech" numDigits="1"><Say>Which?</Say></Gather><Hangup/>'
    assert told(before, after) == [
        "no longer is put through to +1",
        "now asks for 1 digit or speech",
        "now is hung up on",
    ]


def test_a_difference_has_its_kind_and_values_for_counting() -> None:
    (found,) = differences("<Response><Say>a</Say></Response>", "<Response><Say>b</Say></Response>")
    assert (found.kind, found.before, found.after) == ("says", "a", "b")


def test_an_answer_that_is_no_twiml_any_more_is_told() -> None:
    good = "<Response/>"
    assert [each.sentence for each in differences(good, "Forbidden")] == ["is not answered with TwiML any more"]
    assert [each.sentence for each in differences("", good)] == ["is now answered with TwiML"]
    assert [each.kind for each in differences("a", "b")] == ["body"]
    assert [each.kind for each in differences(good, "<html/>")] == ["document"]
    assert [each.kind for each in differences(good, "<!DOCTYPE a []><Response/>")] == ["document"]


def test_status_and_type_are_compared_and_unknown_answers_are_not() -> None:
    before, after = Answer(200, "text/xml; charset=utf-8", "<Response/>"), Answer(403, "text/plain", "<Response/>")
    assert [each.kind for each in differences_of_answers(before, after)] == ["status", "type"]
    assert differences_of_answers(before, Answer(200, "text/xml", "<Response/>")) == ()
    assert differences_of_answers(None, after) == ()


words = st.sampled_from(["a", "b", "c d"])
verbs = st.recursive(
    st.builds(lambda text: f"<Say>{text}</Say>", words) | st.builds(lambda to: f"<Dial>{to}</Dial>", words),
    lambda inner: st.builds(lambda each: f"<Gather>{''.join(each)}</Gather>", st.lists(inner, max_size=3)),
    max_leaves=5,
)
documents = st.lists(verbs, max_size=4).map(lambda each: f"<Response>{''.join(each)}</Response>")


@given(documents, documents)
def test_there_is_a_difference_exactly_when_the_trees_differ(before: str, after: str) -> None:
    assert bool(differences(before, after)) == (before != after)
    assert differences(before, before) == ()


def receipt(**changes: object) -> Receipt:
    known = {"recommendation": "reuse", "confidence": 0.55, "rules": ["ani.known", "recency.day"], "place": "menu"}
    return {**known, "step": "ask", "destination": "billing", **changes}


def test_equal_receipts_and_unknown_ones_are_no_difference() -> None:
    assert differences_of_receipts(receipt(), receipt()) == ()
    assert differences_of_receipts(None, receipt()) == ()
    assert differences_of_receipts(receipt(), {}) == ()


def test_another_decision_is_told_with_the_rule_that_made_it() -> None:
    after = receipt(recommendation="confirm", confidence=0.45, rules=["ani.known", "cap.doubted"])
    assert [str(each) for each in differences_of_receipts(receipt(), after)] == [
        "is recommended for confirm instead of reuse (now cap.doubted; no longer recency.day)",
        "is recognized with confidence 0.45 instead of 0.55 (now cap.doubted; no longer recency.day)",
    ]


def test_rules_that_weigh_differently_are_told_with_their_weights() -> None:
    before = receipt(rules=[{"rule": "ani.known", "weight": 0.5}])
    after = receipt(confidence=0.3, rules=[{"rule": "ani.known", "weight": 0.3}])
    assert [str(each) for each in differences_of_receipts(before, after)] == [
        "is recognized with confidence 0.3 instead of 0.55 (ani.known 0.3 instead of 0.5)"
    ]


def test_place_step_and_destination_are_told() -> None:
    after = receipt(place="offer", step="hand_over", destination=None)
    assert [str(each) for each in differences_of_receipts(receipt(), after)] == [
        "stands at offer instead of menu",
        "gets the step hand_over instead of ask",
        "is put through to none instead of billing",
    ]
