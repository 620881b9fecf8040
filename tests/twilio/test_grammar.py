"""The tests' grammar of TwiML finds what Twilio would refuse or ignore: positive controls of every other test."""

from __future__ import annotations

import pytest

from tests.twilio.grammar import check

ACTION = 'action="https://a.example/t"'
ON = '<Redirect method="POST">https://a.example/t</Redirect>'
PARAMETER = '<Parameter name="a" value="b"/>'


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ("<Say>Hello</Say>", None),
        (f"<Gather {ACTION} input='dtmf'><Say>Hi</Say></Gather>{ON}", None),
        ("", "is empty"),
        ("<Say>", "not well-formed"),
        ("<Say>\x00</Say>", "not well-formed"),
        ("<Say>\ud800</Say>", "not well-formed"),
        ("<Say></Say>", "<Say>'' is not allowed"),
        ("<Say loop='-1'>Hi</Say>", "<Say loop='-1'> is not allowed"),
        ("<Say language='German'>Hi</Say>", "<Say language='German'> is not allowed"),
        ("<say>Hello</say>", "<say> is no TwiML"),
        ("<Say bogusAttr='1'>Hello</Say>", "<Say bogusAttr> is not documented"),
        ("<Say><Dial>+1</Dial></Say>", "<Dial> in <Say>"),
        (f"<Gather input='dtmf'/>{ON}", "<Gather> without action"),
        (f"<Gather action='/t' input='dtmf'/>{ON}", "<Gather action='/t'> is not allowed"),
        (f"<Gather {ACTION} input='voice'/>{ON}", "<Gather input='voice'> is not allowed"),
        (f"<Gather {ACTION} input='dtmf' numDigits='0'/>{ON}", "numDigits='0'> is not allowed"),
        (f"<Gather {ACTION} input='speech' hints='{'x' * 101}'/>{ON}", "is not allowed"),
        (f"<Gather {ACTION} input='speech' hints='{','.join('x' * 501)}'/>{ON}", "is not allowed"),
        (f"<Gather {ACTION} input='dtmf'/>", "<Gather> without a way on after silence"),
        (f"<Gather {ACTION} input='dtmf'><Dial {ACTION}><Number>1</Number></Dial></Gather>{ON}", "<Dial> in <Gather>"),
        ("<Dial><Number>+1</Number></Dial>", "<Dial> without action"),
        (f"<Dial {ACTION} timeout='4'><Number>+1</Number></Dial>", "timeout='4'> is not allowed"),
        (f"<Dial {ACTION} timeout='601'><Number>+1</Number></Dial>", "timeout='601'> is not allowed"),
        (f"<Dial {ACTION}>+1</Dial>", "<Dial> of 0"),
        (f"<Dial {ACTION}>call<Number>+1</Number></Dial>", "words in <Dial>"),
        (f"<Dial {ACTION}><Number>+1</Number></Dial><Say>Hi</Say>", "<Say> behind <Dial>"),
        (f"<Dial {ACTION}><Number url='whisper'>+1</Number></Dial>", "<Number url='whisper'> is not allowed"),
        (f"<Dial {ACTION}><Sip>sip:a@b?evil=1</Sip></Dial>", "<Sip>'sip:a@b?evil=1' is not allowed"),
        (f"<Dial {ACTION}><Sip>sip:{'a' * 251}</Sip></Dial>", "is not allowed"),
        (f"<Dial {ACTION}><Sip>sip:a?x-a={'a' * 1_020}</Sip></Dial>", "is not allowed"),
        (f"<Dial {ACTION}><Sip>sip:a?x-a=b c</Sip></Dial>", "is not allowed"),
        (f"<Dial {ACTION}><Client>alice</Client></Dial>", "<Client> without one <Identity>"),
        (
            f"<Dial {ACTION}><Client><Identity>a</Identity>{PARAMETER * 9}</Client></Dial>",
            "more than 8 parameters",
        ),
        (
            f"<Dial {ACTION}><Client><Identity>a</Identity><Parameter name='a' value='{'é' * 65}'/></Client></Dial>",
            "too long for a client",
        ),
        ("<Enqueue>support</Enqueue>", "<Enqueue> without action"),
        (f"<Enqueue {ACTION}>{'x' * 65}</Enqueue>", "is not allowed"),
        (f"<Enqueue {ACTION} workflowSid='WW{'0' * 32}'>x</Enqueue>", "<Task> goes with workflowSid"),
        (f"<Enqueue {ACTION} workflowSid='support'><Task>{{}}</Task></Enqueue>", "workflowSid='support'> is not"),
        ("<Connect><Stream url='wss://a.example/s'/></Connect>", "<Connect> without action"),
        (f"<Connect {ACTION}><Stream url='wss://a.example/s?a=b'/></Connect>", "is not allowed"),
        (f"<Connect {ACTION}><ConversationRelay url='https://a.example'/></Connect>", "is not allowed"),
        (
            f"<Connect {ACTION}><Stream url='wss://a.b'><Parameter name='a' value='{'x' * 499}'/></Stream></Connect>",
            "too long for a stream",
        ),
        (f"<Record maxLength='60'/>{ON}", "<Record> without action"),
        (f"<Record {ACTION} maxLength='1'/>{ON}", "maxLength='1'> is not allowed"),
        (f"<Record {ACTION}/>", "<Record> without a way on after silence"),
        ("<Redirect>/voice</Redirect>", "<Redirect>'/voice' is not allowed"),
        ("<Hangup/><Say>Hi</Say>", "<Say> behind <Hangup>"),
        (f"<Say>{'x' * 4_000}</Say>" * 16, "has 64"),
    ],
)
def test_a_document_that_is_not_as_documented_is_found(inside: str, fault: str | None) -> None:
    found = check(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>')
    assert (found == []) if fault is None else any(fault in each for each in found), found


def test_what_is_no_response_is_found() -> None:
    assert check("<Answer><Say>Hi</Say></Answer>")[0] == "begins with <Answer>"
    assert "has something before its beginning (error 12100)" in check("<Response><Say>Hi</Say></Response>")


def test_who_answers_cannot_be_sent_elsewhere() -> None:
    document = f'<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hi</Say>{ON}</Response>'
    assert check(document) == []
    assert check(document, whisper=True) == ["<Redirect> in a whisper"]
