"""Wrong answers are counted, by number and by customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _int(name: str, *, key: bool = False) -> sa.Column[int]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, wide, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "lockouts",
        _int("account", key=True),
        _int("realm", key=True),
        sa.Column("token", sa.LargeBinary, primary_key=True, nullable=False),
        _int("failures"),
        _int("until"),
        sa.CheckConstraint("length(token) = 16 AND failures > 0", name="lockout_is_sound"),
        sqlite_with_rowid=False,
    )
    op.create_index("lockouts_by_end", "lockouts", ["account", "realm", "until"])
