"""What is different between two answers to the same webhook: as TwiML trees, never as strings, and as decisions.

for difference in differences(before.body, after.body):
    print(difference)        # now says “Hello again.” instead of “Welcome back, Maria.”
"""

from .answers import differences, differences_of_answers
from .described import does
from .receipts import differences_of_receipts
from .trees import Difference, Verb, tree

__all__ = [
    "Difference",
    "Verb",
    "differences",
    "differences_of_answers",
    "differences_of_receipts",
    "does",
    "tree",
]
