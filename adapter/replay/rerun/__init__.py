"""Recorded calls played again: to a server or an app, in their order and pace, and what came of it.

targets     where to: anything that takes a webhook; the server's side of it over HTTP
addresses   at which address of ours another application's webhook comes in
selection   which of them; order and pace: when
runner      one after the other, or several calls at once, each in its order
checks      is the answer the recorded one; tally: how often not, and what is different
accepted    the new answers, written into the recording

Leaves out: an app in this process (`cli.replay.fresh`), and how results are shown (`cli`).
"""

from .accepted import Accepted, Rotated
from .api_calls import Customers
from .checks import Checked, checked
from .distinct import Distinct
from .order import in_order
from .pace import Pace
from .runner import Round, play, play_rounds
from .selection import Selection
from .tally import Tally
from .targets import Rerun, Server, Target, fresh_sids

__all__ = [
    "Accepted",
    "Checked",
    "Customers",
    "Distinct",
    "Pace",
    "Rerun",
    "Rotated",
    "Round",
    "Selection",
    "Server",
    "Tally",
    "Target",
    "checked",
    "fresh_sids",
    "in_order",
    "play",
    "play_rounds",
]
