"""All conversations. Each question with success, failure, silence, a wrong key and a hang-up at that very step; each
destination with each outcome. `test_table` plays every row as it is on both databases, and with every webhook twice;
`test_real_server` plays it on a real server.
"""

from __future__ import annotations

from .confirming import CONFIRMING
from .forgetting import FORGETTING
from .intents import INTENTS
from .languages import SPEAKING
from .outcomes import OUTCOMES
from .people import PEOPLE
from .row import Row

TABLE: tuple[Row, ...] = (*CONFIRMING, *FORGETTING, *PEOPLE, *INTENTS, *SPEAKING, *OUTCOMES)
