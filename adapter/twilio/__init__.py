"""Translates Twilio's language: signatures, webhook forms, TwiML. No Flask, no network, no decisions."""
