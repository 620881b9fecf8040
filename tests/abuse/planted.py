"""Mistakes that are put into the product on purpose: an attack that does not find them is blind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

# The owner, the name of what is replaced, and what replaces it.
Bug = tuple[object, str, Callable[..., object]]


@contextmanager
def planted(bugs: Mapping[str, Bug], name: str | None) -> Iterator[None]:
    """The bug of this name is there inside; None: none is."""
    if name is None:
        yield
        return
    owner, attribute, wrong = bugs[name]
    right = getattr(owner, attribute)
    setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        setattr(owner, attribute, right)
