"""Data as people read it."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from adapter.cli.decision import conversed, decided
from adapter.cli.shown import show_table


def test_a_table_has_empty_cells_whole_words_and_readable_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("what", "how many", "of"), [("[red]x[/red]", 1_000_000, None), ("y", 0, "unlimited")])
    assert capsys.readouterr().out.split() == [
        *("what", "how", "many", "of"),
        *("[red]x[/red]", "1,000,000"),
        *("y", "0", "unlimited"),
    ]


def test_what_a_call_is_about_is_no_markup() -> None:
    about = "[/refund]\x1b[31m"
    call = {
        "identity": {"recommendation": "reuse", "confidence": 0.5, "level": "medium", "sources": [about]},
        "explanation": {"evidence": [{"text": about}]},
        "conversation": {"verified": True, "intent": about, "opened_intents": [about]},
    }
    terminal = StringIO()
    for _, words in (*decided(call), *conversed(call)):
        Console(file=terminal).print(words)
    assert terminal.getvalue().count("[/refund]") == 4
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize("columns", [10, 20, 40, 60, 80, 100])
def test_in_a_narrow_terminal_nothing_is_left_out(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `keys list` shows has to be copied into `keys revoke`."""
    terminal = StringIO()
    monkeypatch.setattr("adapter.cli.shown.Console", lambda **_: Console(file=terminal, width=columns))
    headings = ("key", "organization", "mode", "label", "state", "created", "expires")
    row = ("sk_prod_abcdefgh", "default", "prod", "the desk of the CRM", "expiring", *["2026-02-07T10:30:00Z"] * 2)
    show_table(headings, [row, row])
    shown = terminal.getvalue()
    assert shown.count("sk_prod_abcdefgh") == 2
    assert "…" not in shown
    letters = "".join(shown.split())
    assert all(letters.count(letter) >= 2 * "".join(row).count(letter) for letter in set("".join(row)) - {" "})
    # Two letters a line are no word any more.
    assert shown.count("expiri") == 2


def test_a_cell_a_line_keeps_them_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = StringIO()
    monkeypatch.setattr("adapter.cli.shown.Console", lambda **_: Console(file=terminal, width=12))
    show_table(("name", "how many", "of"), [("[x] a long one", 1_000, None), ("y", 0, 2)])
    assert terminal.getvalue() == "name: [x] a long one\nhow many: 1,000\nof:\n\nname: y\nhow many: 0\nof: 2\n"


def test_a_table_without_rows_is_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name", "of"), [])
    assert capsys.readouterr().out.split() == ["name", "of"]
