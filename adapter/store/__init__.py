"""REMEMBERS. All SQL lives here; what goes in and comes out are engine values, never rows.

`opening` a store, what a `database` and a `transaction` are · `customers`, `identities`, `memory`, `calls`, `records`
caller data · `meters` rate and quota · `lockouts` wrong answers · `answers` kept for Idempotency-Keys and repeated
webhooks · `organizations`, `keys` who may ask · `sweep`, `rekey` upkeep · `inbox` (in a `journal`) what could not be
saved yet · `moving`, `bulk` a whole database · `outage`, `probe`, `presence` is it there, does it work.

Below them: `tables`, `statements`, `sealing`, `forks`, `disk`, `schema`, `clocks`, `callbody`, `refs`, `migrations`;
`group_commit` for both kinds of database, each in a package of its own: `sqlite`, `postgres`.
"""
