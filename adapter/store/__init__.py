"""REMEMBERS. All SQL lives here; what goes in and comes out are engine values, never rows.

`database` transactions · `customers`, `identities`, `memory`, `calls`, `records` caller data · `meters` rate and
quota · `lockouts` wrong answers · `answers` kept for Idempotency-Keys and repeated webhooks · `organizations`, `keys`
who may ask · `sweep`, `rekey` upkeep · `inbox` (in a `journal`) what could not be saved yet · `backup`, `restore`,
`copying`, `moving`, `bulk` a whole database · `outage`, `probe`, `presence`, `soundness` is it there, does it work.

Below them: `tables`, `statements`, `sealing`, `forks`, `disk`, `schema`, `clocks`, `callbody`, `refs`, `migrations`;
`group_commit` for both kinds of database; on one file: `sqlite_store`, `sqlite`, `planner`, `writelock`; on PostgreSQL:
`postgres_store` (turns and outcomes), `postgres_transaction`, `postgres_batches` (few round trips), `overlap` (what a
write may change), `postgres` and `postgres_wire` (connections), `postgres_schema`, `postgres_turns`, `postgres_time`,
`postgres_distribution`.
"""
