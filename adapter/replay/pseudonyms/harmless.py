"""What is harmless: fields by name and form, words by themselves. Everything else is personal, known to us or not.

Sources: Twilio's request parameters ("TwiML for Programmable Voice", <Gather>, <Dial>, status callbacks, SHAKEN/STIR).
A new field of Twilio's is replaced until it is entered here: "new parameters may be added without notice".
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from adapter.engine import line as lines
from adapter.engine import model

from .words import listed

_SID: Final = r"[A-Z]{2}[0-9a-fA-F]{32}"
_COUNT: Final = r"\d{1,6}"
_STATUS: Final = "queued|initiated|ringing|in-progress|answered|completed|busy|failed|no-answer|canceled"
_QUEUED: Final = (
    "bridged|bridging-in-process|error|hangup|leave|redirected|redirected-from-bridged|queue-full|system-error"
)
_COUNTRY: Final = "[A-Z]{2}"

# Fields that stay when their value has exactly this form.
FORMS: Final = {
    name: re.compile(form)
    for names, form in (
        ("CallSid ParentCallSid DialCallSid AccountSid ApplicationSid QueueSid RecordingSid SipDomainSid", _SID),
        ("DequeingCallSid PhoneNumberSid ConferenceSid CallbackSid SessionId StreamSid", _SID),
        ("SessionStatus", "completed|ended|failed|error|stopped|in-progress"),
        ("ApiVersion", r"\d{4}-\d\d-\d\d"),
        ("CallStatus DialCallStatus", _STATUS),
        ("Direction", "inbound|outbound-api|outbound-dial|trunking-originating|trunking-terminating"),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber CallDuration Duration DialCallDuration RecordingDuration SessionDuration", _COUNT),
        ("QueueTime QueuePosition", _COUNT),
        ("AvgQueueTime CurrentQueueSize MaxQueueSize SipResponseCode DialSipResponseCode ErrorCode", _COUNT),
        ("Timestamp", r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|GMT)"),
        ("StirVerstat", r"NULL|No-TN-Validation|TN-Validation-(?:Passed|Failed)(?:-[ABC])?(?:-Diverted|-Passthrough)?"),
        ("StirStatus", "[ABC]"),
        ("DialBridged", "true|false"),
        ("QueueResult", _QUEUED),
        ("AnsweredBy", "human|fax|unknown|machine_start|machine_end_(?:beep|silence|other)"),
        ("msg", "Gather End"),
        ("FinishedOnKey", "[0-9#*]?"),
        ("Confidence", r"[01](?:\.\d{1,10})?"),
        ("Language", r"[a-z]{2,3}(?:-[A-Z]{2})?"),
        ("FromCountry ToCountry CallerCountry CalledCountry", _COUNTRY),
        ("ErrorUrl RecordingUrl", rf"https://api\.twilio\.com/\d{{4}}-\d\d-\d\d/Accounts/{_SID}/Recordings/{_SID}"),
    )
    for name in names.split()
}
# Fields whose name stays, though their value does not.
NAMES: Final = frozenset(FORMS) | listed(
    "From To Caller Called CallerName ForwardedFrom CalledVia CallerID AddOns Digits SpeechResult Body "
    "UnstableSpeechResult FromCity FromState FromZip CallerCity CallerState CallerZip ToCity ToState ToZip "
    "CalledCity CalledState CalledZip SipDomain SipUsername SipCallId SipSourceIp DialSipCallId ErrorMessage "
    "RecordingStatus RecordingChannels RecordingSource Digit TranscriptionText FirstName LastName Name Number "
    "Email HandoffData StreamError StreamName"
)
# Nobody is called so: learnt as a name, New York would take “new” out of what is said.
PLACE: Final = re.compile("(?:City|State|Zip|Country)$")
SIP_HEADER: Final = re.compile(r"(Dial)?SipHeader_")
ADDRESSES: Final = listed("From To Caller Called ForwardedFrom CalledVia CallerID SipDomain SipUsername")
DIALED: Final = listed("To Called")
KEYS: Final = frozenset({"Digits"})
SPEECH: Final = frozenset({"SpeechResult", "UnstableSpeechResult"})

# Never in a recording, whatever else may be.
SECRET: Final = re.compile(
    r"call_?token|passport|signature|authori[sz]ation|cookie|auth_?token|password|passwd|secret|api_?key|credential"
    r"|^token$|^pin$",
    re.IGNORECASE,
)
HEADERS: Final = {
    "content-type": re.compile(r"[a-z]+/[a-z0-9.+-]+(?:; ?charset=[A-Za-z0-9-]+)?"),
    "user-agent": re.compile(r"TwilioProxy/[0-9.]{1,10}"),
    "x-home-region": re.compile(r"[a-z]{2}\d"),
    "i-twilio-idempotency-token": re.compile(r"(?!)"),  # only equality counts: always replaced
}
API_HEADERS: Final = {"content-type": HEADERS["content-type"], "idempotency-key": re.compile(r"(?!)")}
CONTENT_TYPE: Final = HEADERS["content-type"]

# In addresses: what names no person and no company.
ADDRESS_WORDS: Final = listed("sticky sip sips tel client whatsapp user phone transport tls tcp udp twilio com invalid")
WITHHELD: Final = listed(
    "anonymous restricted unavailable unknown private blocked withheld suppressed hidden no not caller id "
    "callerid available number"
)
PATH_WORDS: Final = listed(
    "twilio voice status fallback turn whisper answer gather dial incoming inbound call calls webhook "
    "webhooks twiml api ivr menu handle callback action index php v1 v2 https http wss www"
)

# In receipts and hand-overs: the engine's own words, its enumerations among them.
_ENUMS: Final = tuple(each for module in (lines, model) for each in vars(module).values())
RECEIPT_WORDS: Final = listed(
    "recommendation confidence level sources source step place destination rule rules kind subject counted "
    "weight evidence reason name intent intents attempt call customer ref verified language turn outcome text "
    "say ask hand over record hang up welcome back again greeting neutral cap candidate verdict recency day "
    "days week external id known shared new disagrees other person value withheld not dialable caller failed "
    "missing seen never identifies presented whole doubted attested ignored confirmed rejected yes no none "
    "true false quota rate store order basis policy version questions menu offer who was why made said on of"
) | {
    part
    for each in _ENUMS
    if isinstance(each, type) and issubclass(each, StrEnum)
    for member in each
    for part in re.split(r"[^a-z]+", str(member.value))
    if part
}
# In the JSON of add-ons: names of its keys, and what says how it went.
JSON_WORDS: Final = listed(
    "status message code results result successful failed error errors request sid type data carrier country "
    "name caller number numbers phone line twilio add ons national format valid null version"
)
# Said by anybody: yes, no, and what stands around them. A caller named so is still understood.
SPOKEN: Final = listed(
    "yes yeah yep correct right sure no nope not wrong please thanks thank you the a an is it this my name i "
    "i'm im am ja jawohl genau richtig nein falsch nicht bitte danke das ist mein ich bin heisse name hier si "
    "sí claro correcto no gracias por favor me llamo soy mi nombre es oui exact non merci s'il vous plait je "
    "m'appelle suis c'est mon nom of to and or for with in on at from s'il m c s l "
    "d j"
)
