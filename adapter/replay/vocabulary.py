"""The words of TwiML: which element may stand where, and with which attributes (Twilio, "TwiML for Voice").

Data, for `adapter.replay.document`. Attributes that hold anything are simply named; what Twilio checks is in `VALUES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_CALLBACK = "statusCallback statusCallbackEvent statusCallbackMethod"
_RECORDING = (
    "recordingConfigurationId recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod"
)
_MACHINE = (
    "amdStatusCallback amdStatusCallbackMethod machineDetection machineDetectionSilenceTimeout"
    " machineDetectionSpeechEndThreshold machineDetectionSpeechThreshold machineDetectionTimeout"
)
_STREAM = "audioFormat connectorName name sampleRate statusCallback statusCallbackMethod track url"
_SPEECH = "break emphasis lang p phoneme prosody s say-as sub w"
_SPOKEN = "Say Play Pause"

_ATTRIBUTES: Final = {
    "Response": "",
    "Say": "language loop voice",
    "Play": "digits loop",
    "Pause": "length",
    "Gather": "action actionOnEmptyResult bargeIn debug enhanced finishOnKey hints input language maxSpeechTime method"
    " numDigits partialResultCallback partialResultCallbackMethod profanityFilter speechModel speechTimeout timeout",
    "Redirect": "method",
    "Reject": "reason",
    "Hangup": "",
    "Leave": "",
    "Echo": "",
    "Record": "action finishOnKey maxLength method playBeep timeout transcribe transcribeCallback trim " + _RECORDING,
    "Dial": "action answerOnBridge callerId events hangupOnStar method passports record recordingTrack referMethod"
    " referUrl ringTone sequential timeLimit timeout trim " + _RECORDING,
    "Number": f"byoc method sendDigits url {_CALLBACK} {_MACHINE}",
    "Sip": f"method password url username {_CALLBACK} {_MACHINE}",
    "Client": f"method url {_CALLBACK}",
    "Application": f"applicationSid copyParentTo customerId method url {_CALLBACK}",
    "WhatsApp": f"method url {_CALLBACK}",
    "Sim": "",
    "Conference": "beep coach endConferenceOnExit eventCallbackUrl jitterBufferSize maxParticipants muted"
    " participantLabel record region startConferenceOnEnter trim waitMethod waitUrl " + f"{_CALLBACK} {_RECORDING}",
    "Queue": "method postWorkActivitySid reservationSid url",
    "Identity": "",
    "Parameter": "name value",
    "Enqueue": "action maxQueueSize method waitUrl waitUrlMethod workflowSid",
    "Task": "priority timeout",
    "Connect": "action method",
    "ConversationRelay": "applicationReconnect asrSmartFormat backgroundNoiseReduction customerName debug"
    " deepgramSmartFormat dtmfDetection eagerEotThreshold echoPromptFiltering elevenlabsLanguageTextNormalization"
    " elevenlabsTextNormalization events hints ignoreBackchannel includeInPrompt intelligenceService"
    " interruptSensitivity interruptible language partialPromptOnHangup partialPrompts preemptible profanityFilter"
    " reportInputDuringAgentSpeech speechModel speechTimeout transcriptionLanguage transcriptionProvider ttsLanguage"
    " ttsLanguageTextNormalization ttsProvider ttsTextNormalization turnDetection url voice welcomeGreeting"
    " welcomeGreetingInterruptible",
    "Language": "asrSmartFormat code hints speechModel transcriptionProvider ttsLanguageTextNormalization ttsProvider"
    " ttsTextNormalization voice",
    "Stream": _STREAM,
    "Start": "action method",
    "Stop": "",
    "Refer": "action method",
    "Pay": "action bankAccountType chargeAmount currency description input language maxAttempts minPostalCodeLength"
    " paymentConnector paymentMethod postalCode securityCode statusCallback statusCallbackMethod timeout"
    " tokenType validCardTypes",
}

ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    element: frozenset(names.split()) for element, names in _ATTRIBUTES.items()
}

CHILDREN: Final[Mapping[str, frozenset[str]]] = {
    element: frozenset(names.split())
    for element, names in {
        "Response": "Say Play Pause Gather Redirect Reject Hangup Leave Echo Record Dial Enqueue Connect Start Stop"
        " Refer Pay",
        "Say": _SPEECH,
        "Gather": _SPOKEN,
        "Dial": "Number Sip Client Application WhatsApp Sim Conference Queue",
        "Client": "Identity Parameter",
        "Enqueue": "Task",
        "Connect": "ConversationRelay Stream",
        "ConversationRelay": "Language Parameter",
        "Stream": "Parameter",
        "Start": "Stream",
        "Stop": "Stream",
        "Refer": "Sip",
        "Hangup": "Parameter",
        "Reject": "Parameter",
    }.items()
}

# Speech markup has its own rules, which are left to Twilio: whatever it is made of is only words here.
OPAQUE: Final = frozenset({*_SPEECH.split(), "Pay"})

_NUMBER, _POSITIVE, _FLAG, _METHOD = r"\d+", r"[1-9]\d*", r"true|false", r"GET|POST"
_KEYS = r"[0-9*#]*"


def _same(names: str, form: str) -> dict[tuple[str, str], str]:
    return {(element, name): form for name in names.split() for element in ATTRIBUTES if name in ATTRIBUTES[element]}


VALUES: Final[Mapping[tuple[str, str], re.Pattern[str]]] = {
    where: re.compile(form)
    for where, form in {
        **_same("method statusCallbackMethod waitMethod waitUrlMethod partialResultCallbackMethod", _METHOD),
        **_same("answerOnBridge actionOnEmptyResult profanityFilter bargeIn hangupOnStar sequential playBeep", _FLAG),
        **_same("startConferenceOnEnter endConferenceOnExit muted", _FLAG),
        **_same("loop length", _NUMBER),
        **_same("numDigits maxLength timeLimit timeout", _POSITIVE),
        ("Gather", "timeout"): r"[1-9]\d*|auto",
        ("Gather", "speechTimeout"): r"[1-9]\d*|auto",
        ("Gather", "input"): r"dtmf|speech|dtmf speech|speech dtmf",
        ("Gather", "finishOnKey"): _KEYS,
        ("Record", "finishOnKey"): _KEYS,
        ("Reject", "reason"): r"rejected|busy",
        ("Conference", "beep"): r"true|false|onEnter|onExit",
        ("Task", "priority"): _NUMBER,
        ("ConversationRelay", "url"): r"wss://\S+",
        ("Stream", "url"): r"wss://[^\s?]+",
    }.items()
}

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "Parameter": ("name",),
    "ConversationRelay": ("url",),
    "Stream": ("url",),
}
