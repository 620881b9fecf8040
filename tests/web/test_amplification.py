"""A body of allowed size is answered in a few kilobytes, whatever is wrong with it, and however often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.web.rest.body import MAX_BYTES
from tests.builders import Api

pytestmark = pytest.mark.sqlite

_MOST_ANSWERED = 64 * 1024
CALLER = {"call_id": "a", "identity_hints": {"ani": "+14155550123"}}


def end(**more: Any) -> str:
    return json.dumps({**CALLER, **more})


MANY = 15_000
BODIES = {
    "values that are none": end(variables={str(name): 1 for name in range(MANY)}),
    "names that are too long": end(variables={"x" * 130 + str(name): "a" for name in range(1_800)}),
    "updates without values": end(variable_updates={str(name): {} for name in range(MANY)}),
    "intents without names": end(intent_updates=[{}] * 4 * MANY),
    "intents that are none": end(intent_updates=[0] * 4 * MANY),
    "names in both forms": end(
        variables={str(name): "a" for name in range(8_000)},
        variable_updates={str(name): {"value": "a"} for name in range(5_000)},
    ),
    "ids that are none": end(identity_hints={"external_ids": dict.fromkeys(map(str, range(MANY)))}),
    "names given twice": '{"x":{' + ",".join(f'"{name}":1,"{name}":1' for name in range(9_000)) + "}}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_answer_is_small(api: Api, body: str) -> None:
    assert 100_000 < len(body) < MAX_BYTES
    headers = {"Authorization": f"Bearer {api.key}"}
    answer = api.client.post("/v1/calls/end", data=body, headers=headers)
    assert answer.status_code == 400
    assert 0 < len(answer.data) < _MOST_ANSWERED


def test_of_a_list_that_is_too_long_that_is_the_one_issue(api: Api) -> None:
    answer = api.post("/v1/calls/end", {**CALLER, "intent_updates": [0] * 101, "variables": {"name": 5}})
    assert sorted((issue["path"], issue["message"]) for issue in answer.json["details"]["issues"]) == [
        (["intent_updates"], "intent_updates must not hold more than 100 items"),
        (["variables", "name"], "variables.name must be a string"),
    ]
