"""Caller memory for the telephone: Twilio webhooks and the Sticky Calls REST API over one engine."""

__version__ = "0.1.0"
