"""Translates HTTP: JSON in, one use case, JSON out. Flask lives here and nowhere else.

A request's way: `guards` (whose key) → `body` (bytes → JSON) → `schemas` (JSON → command or issues) → a use case →
`render` (outcome → JSON) or `problems` (denial → JSON). `openapi` describes the same schemas; `docs` shows them.
A webhook's way (`voice`): `genuine` (signed by Twilio?) → a use case, `in_time` → TwiML, whatever happens. Before both:
`shedding` (who is served when there is more than can be done, by what `arrival` has seen) and `guessing` (of keys).
"""
