"""Very many customers at once: what is known of them read together, changed in memory, and written together.

rows       rows of one table: found by the beginning of their keys, changed, put back
roster     who is known, for as many callers as a transaction takes, with the verbs of `customers` and `memory`
pages      all customers of a realm, page by page, for whoever takes everything along
"""
