"""Translates HTTP: JSON in, one use case, JSON out. Flask lives here and nowhere else.

A request's way: `guards` (whose key) → `body` (bytes → JSON) → `schemas` (JSON → command or issues) → a use case →
`render` (outcome → JSON) or `problems` (denial → JSON). `openapi` describes the same schemas; `docs` shows them.
"""
