"""config.example.yaml, as it is and with everything in it taken in."""

from __future__ import annotations

import re
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def everything() -> str:
    """The example with all its commented-out settings taken in."""
    taken_in = re.sub(r"(?m)^(\s*)#(?=[\w-])", r"\1", EXAMPLE.read_text("utf-8"))
    filled = re.sub(r"(?m): (\[\]|\{\})$", ":", taken_in)
    return filled.replace("key: replace-with-the-output-of-openssl-rand-base64-32", "key: " + "A" * 43 + "=").replace(
        "replace-with", "replaced-with"
    )
