"""Data as people read it."""

from __future__ import annotations

import pytest

from adapter.cli.shown import show_table


def test_a_table_has_empty_cells_whole_words_and_readable_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("what", "how many", "of"), [("[red]x[/red]", 1_000_000, None), ("y", 0, "unlimited")])
    assert capsys.readouterr().out.split() == [
        *("what", "how", "many", "of"),
        *("[red]x[/red]", "1,000,000"),
        *("y", "0", "unlimited"),
    ]
