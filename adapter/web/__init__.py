"""Translates HTTP: Flask lives here and nowhere else. `rest` is the API, `openapi` describes it, `webhooks` are for
Twilio.

Before both: `shedding` (who is served when there is more than can be done, by what `arrival` has seen). Around both:
`timed`, `traced`, `recording`; `grace` warns of windows that are nearly full. `scrape` is Prometheus' page.
"""
