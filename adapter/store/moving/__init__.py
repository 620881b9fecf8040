"""Moving up: everything of one database copied into another, most of it while the service goes on.

    rows        pages, batches and checksums of any table, on both kinds of database
    source      where rows come from; a SQLite file notes what is changed while it is copied, and is sealed at the end
    target      where they go to: how far the copy has come is kept in the same transactions as the rows
    copying     the phases: begin, bulk, catch up, verify, finish

Values are copied as they are, sealed or plain: encryption keys and the pepper have to be carried along, and so has the
inbox of hang-ups that wait to be saved. Leaves out: reading configuration and telling people (`cli.db.copy`).
"""

from __future__ import annotations

from .copying import Copied, Copying, NotEqual, Step
from .source import abandon

__all__ = ["Copied", "Copying", "NotEqual", "Step", "abandon"]
