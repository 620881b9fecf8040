"""REMEMBERS. All SQL lives here; what goes in and comes out are engine values, never rows.

`database` transactions · `customers`, `identities`, `memory`, `calls`, `records` caller data · `meters` rate and
quota · `lockouts` wrong answers · `answers` kept for Idempotency-Keys and repeated webhooks · `organizations`, `keys`
who may ask · `sweep`, `rekey` upkeep · `inbox` (in a `journal`) what could not be saved yet. Below them: `tables`,
`statements`, `sealing`, `forks`, `disk`, `schema`, `clocks`, `callbody`, `refs`, `migrations`; on one file:
`sqlite_store`, `sqlite`, `writelock`; on PostgreSQL: `postgres_store`, `postgres`, `postgres_schema`, `postgres_turns`,
`postgres_time`.
"""
