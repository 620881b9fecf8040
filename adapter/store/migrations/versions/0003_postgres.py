"""Whose turn it is to write, and how transactions ended: for a database without a lock file (PostgreSQL)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "turns",
        sa.Column("account", whole, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("holder", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("at", whole, nullable=False, autoincrement=False),
        sqlite_with_rowid=False,
    )
