"""ACTS. One use case, one transaction: lock, read facts, let the engine decide, write. Shared by both edges.

A denial (rate, quota, conflict, invalid, missing) is a value and commits; an error is an exception and rolls back.
Leaves out: wire forms (`web`, `twilio`), rules (`engine`), SQL (`store`).
"""

from .admission import count_only
from .authentication import authenticate, new_prefix
from .consumption import Consumption, Month, consumption, months
from .customer_import import Progress, Record, import_customers, import_progress
from .directory import Directory
from .end import end_call
from .greeting import Greeting, greet
from .records import Erased, forget_customer, health, show_call, show_customer
from .service import Service
from .start import start_call
from .turns import Taken, take_turn
from .upkeep import apply_waiting, hang_up_or_keep, prepare, prepare_late, sweep
from .verdict import give_verdict
from .whisper import whispered

__all__ = [
    "Consumption",
    "Directory",
    "Erased",
    "Greeting",
    "Month",
    "Progress",
    "Record",
    "Service",
    "Taken",
    "apply_waiting",
    "authenticate",
    "consumption",
    "count_only",
    "end_call",
    "forget_customer",
    "give_verdict",
    "greet",
    "hang_up_or_keep",
    "health",
    "import_customers",
    "import_progress",
    "months",
    "new_prefix",
    "prepare",
    "prepare_late",
    "show_call",
    "show_customer",
    "start_call",
    "sweep",
    "take_turn",
    "whispered",
]
