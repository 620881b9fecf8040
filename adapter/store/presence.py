"""Is every table there, and can it be read? One look at each, for what nobody has.

Leaves out: the rest of a table, which may be damaged all the same (`soundness`, `Store.schema_problems`).
"""

from __future__ import annotations

import sqlalchemy as sa

from .statements import Prepared, bind
from .tables import metadata
from .transaction import Transaction


def _is_any(table: sa.Table) -> sa.Label[bool]:
    owner = [table.c[name] == bind(name) for name in ("account", "realm") if name in table.c]
    return sa.exists().where(*owner).select_from(table).label(table.name)


# Of one account, as all that is said in service; tables that belong to none are read with every key.
_LOOK = Prepared(sa.select(*(_is_any(table) for table in metadata.sorted_tables if "account" in table.c)))


def look(tx: Transaction) -> None:
    """StoreDamaged, StoreMismatch or another StoreUnavailable when one is not."""
    tx.row(_LOOK, {})
