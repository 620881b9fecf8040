"""Alembic's entry: runs the steps on the connection that `schema.upgrade` hands over, inside its transaction.

New step, from the repository's root: write the next `versions/NNNN_what.py` by hand; a test compares the result with
`tables`.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
