"""A flow with all its parts, and a line that uses it, for tests to change."""

from __future__ import annotations

TWILIO = """
twilio:
  public_url: https://calls.example.com
  accounts: [{sid: "*", auth_tokens: [abcdefgh]}]
"""

FLOW = """
flows:
  support:
    speech: true
    destination: {queue: support}
    confirm: {by: pin, variable: pin, tries: 2, always: true}
    identify: {external_id: account_number, length: 8}
    offer: {most: 2}
    menu:
      tries: 3
      options:
        - {intent: refund_request, key: "1", words: [refund, money back]}
        - {intent: order_status, key: "2"}
    intents:
      refund_request:
        to: billing
        said: {en: refund, de: Erstattung}
        escalate:
          - {attempt: 3, to: senior}
          - {attempt: 5, to: callback}
    destinations:
      billing: {queue: billing}
      senior: {dial: "+14155550198", whisper: true, accept: true, timeout_seconds: 20, after: {busy: billing}}
    languages:
      en-US: {voice: Polly.Joanna, key: "1"}
      es-MX: {voice: Polly.Mia, key: "2"}
    resume_minutes: 5
"""

LINES = """
lines:
  - number: "+14155550100"
    flow: support
"""

CONVERSATION = TWILIO + FLOW + LINES
