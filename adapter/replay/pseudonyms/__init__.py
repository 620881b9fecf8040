"""Pseudonyms for everything personal in a recorded webhook, consistent under one key.

    numbers     +14155550123 → another with the country code, length and class of line; (415) 555-0123 fits it
    digits      keyed in or said: one by one, from the end, so that the last four of an account stay its last four
    words       names, places, what is said: a word for a word, the same for the same, in the same class of length
                (not in ids, whose words must not fall together); names that are nearly alike are not any more
    stays       what stands for "withheld"; SIDs; Twilio's own vocabulary; the words of menus and texts, but not with a
                capital in what is kept of a caller; own numbers (of a pattern only where their pseudonym would be
                another line's)
    goes        CallToken, StirPassportToken, signatures, cookies, credentials

What is not known to be harmless is personal: a new field of Twilio's is replaced until `harmless` names it.
"""

from .clean import Pseudonyms, without_secrets
from .keyed import Key, KeyUnusable
from .vocabulary import Vocabulary, vocabulary

__all__ = ["Key", "KeyUnusable", "Pseudonyms", "Vocabulary", "vocabulary", "without_secrets"]
