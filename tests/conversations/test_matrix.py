"""The table leaves out no step: every move of the flow is made in it, and every question is hung up at.

What is not in it is said here, with the test that has it.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from adapter.engine.flow import hearing
from adapter.engine.flow.judging import Judged
from adapter.engine.flow.table import TABLE as MOVES
from adapter.engine.flow.table import Event
from adapter.engine.line import Line
from adapter.engine.model import Place, Talk
from adapter.replay import Ending, WsgiExchange
from tests.builders import AUTH_TOKEN, PUBLIC_URL, Api

from .row import Row
from .table import TABLE
from .test_table import played

_ELSEWHERE = {
    (Place.WHO, Event.EXPIRED),  # test_time_and_tries
    (Place.CONFIRM, Event.EXPIRED),
    (Place.FORGET, Event.EXPIRED),  # an agent rejects who it is while the question is asked: usecases/test_forgetting
    (Place.OVER, Event.SILENCE),  # no document of the flow leads back from there: engine/test_flow_graph
}
_QUESTIONS = set(Place) - {Place.HANDED_OVER, Place.OVER}


@pytest.mark.sqlite
def test_every_move_is_made_and_every_question_hung_up_at(
    app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[tuple[Place, Event]] = []
    judge = hearing.judge

    def noted(line: Line, talk: Talk, *given: Any) -> Judged:
        judged = judge(line, talk, *given)
        moves.append((talk.place, judged.event))
        return judged

    monkeypatch.setattr(hearing, "judge", noted)
    silent, answering = set[Place](), set[Place]()
    for row in TABLE:
        transcript, told = played(WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN), api, row)
        if transcript.ending is not Ending.CALLER_HUNG_UP:
            continue
        if _answers_and_goes(row):
            answering.add(moves[-1][0])
        else:
            silent.add(Place(told["conversation"]["place"]))
    assert set(MOVES) - set(moves) == _ELSEWHERE
    assert _QUESTIONS - silent == set()
    assert _QUESTIONS - answering == set()


def _answers_and_goes(row: Row) -> bool:
    """Hangs up with an answer on its way."""
    return any(getattr(item, "hangs_up", False) for item in row.script)
