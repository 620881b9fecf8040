"""The Sticky Calls REST API.

A request's way: `guards` (whose key; `guessing`, when it is none) → `body` (bytes → JSON) → `schemas` and `fields`
(JSON → `commands` or issues) → a use case, called by `api` → `render` (outcome → JSON) or `problems` (denial → JSON).
"""
