"""Values at rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import SealBroken
from adapter.store.sealing import TOKEN_BYTES, Keyring
from tests.store.conftest import NEW_KEY, OLD_KEY

ROW = b"variables:0:0:row"
PLAIN, OLD, BOTH = Keyring(), Keyring([OLD_KEY]), Keyring([NEW_KEY, OLD_KEY])


@pytest.mark.parametrize("keyring", [PLAIN, OLD, BOTH], ids=["plain", "one key", "two keys"])
@given(text=st.text(st.characters(exclude_categories=())))
def test_whatever_was_sealed_opens_again_even_lone_surrogates(keyring: Keyring, text: str) -> None:
    assert keyring.open(keyring.seal(text, ROW), ROW) == text


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert OLD.seal("+14155550123", ROW) != OLD.seal("+14155550123", ROW)


def test_sealed_bytes_do_not_tell_the_text() -> None:
    assert b"5550123" not in OLD.seal("+14155550123", ROW)


def test_a_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(SealBroken, match="moved to another row"):
        OLD.open(OLD.seal("secret", ROW), ROW + b"!")


@pytest.mark.parametrize("place", range(0, 39, 3))
def test_no_changed_bit_goes_unnoticed(place: int) -> None:
    sealed = bytearray(OLD.seal("secret", ROW))
    sealed[place] ^= 0x02
    with pytest.raises(SealBroken):
        OLD.open(bytes(sealed), ROW)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x03", b"\x01\x03old", b"\x01\x03oldshort", b"\x02abc"])
def test_bytes_that_were_never_sealed_are_broken(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        OLD.open(sealed, ROW)


def test_a_key_that_is_not_configured_is_named_as_the_reason() -> None:
    with pytest.raises(SealBroken, match="not configured"):
        Keyring([NEW_KEY]).open(OLD.seal("secret", ROW), ROW)


def test_every_configured_key_opens_and_so_does_plain_text() -> None:
    assert BOTH.open(OLD.seal("old", ROW), ROW) == "old"
    assert BOTH.open(PLAIN.seal("plain", ROW), ROW) == "plain"


def test_the_newest_key_seals() -> None:
    assert BOTH.is_newest(BOTH.seal("x", ROW))
    assert not BOTH.is_newest(OLD.seal("x", ROW))
    assert not BOTH.is_newest(PLAIN.seal("x", ROW))
    assert PLAIN.is_newest(PLAIN.seal("x", ROW))


def test_a_token_is_stable_short_and_keyed() -> None:
    assert len(OLD.token("ani", "+14155550123")) == TOKEN_BYTES
    assert OLD.token("ani", "+14155550123") == Keyring([OLD_KEY]).token("ani", "+14155550123")
    assert OLD.token("ani", "+14155550123") != PLAIN.token("ani", "+14155550123")


def test_kinds_and_boundaries_of_parts_are_part_of_a_token() -> None:
    assert OLD.token("pair", "ab", "c") != OLD.token("pair", "a", "bc")
    assert OLD.token("ani", "x") != OLD.token("pair", "x")


def test_look_ups_go_over_every_key_newest_first_and_plain_last() -> None:
    parts = ("ani", "+14155550123")
    assert BOTH.tokens(*parts) == (Keyring([NEW_KEY]).token(*parts), OLD.token(*parts), PLAIN.token(*parts))
    assert PLAIN.tokens(*parts) == (PLAIN.token(*parts),)


def test_fingerprints_tell_bodies_apart_and_are_keyed() -> None:
    assert OLD.fingerprints(b"a") == OLD.fingerprints(b"a")
    assert not set(OLD.fingerprints(b"a")) & set(OLD.fingerprints(b"b"))
    assert OLD.fingerprints(b"a")[0] != PLAIN.fingerprints(b"a")[0] != BOTH.fingerprints(b"a")[0]
    assert {len(each) for each in BOTH.fingerprints(b"a")} == {64}


def test_a_fingerprint_is_known_again_after_a_change_of_keys() -> None:
    assert OLD.fingerprints(b"a")[0] in BOTH.fingerprints(b"a")
    assert PLAIN.fingerprints(b"a")[0] in BOTH.fingerprints(b"a")


@pytest.mark.parametrize(
    "keys",
    [[("", b"k" * 32)], [("é", b"k" * 32)], [("k" * 65, b"k" * 32)], [("k", b"short")], [OLD_KEY, OLD_KEY]],
    ids=["no id", "not ascii", "long id", "short key", "twice the same id"],
)
def test_unusable_keys_are_refused(keys: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match="encryption key"):
        Keyring(keys)
