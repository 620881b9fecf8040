"""PostgreSQL: `store` (turns and outcomes), `transaction`, `batches` (few round trips).

`overlap`: what a write may change of what was read. Below them `connections` and `wire`, `schema`, `turns`, the `clock`
of rate windows; `distribution`: does all of it fit Citus?
"""
