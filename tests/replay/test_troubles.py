"""Webhooks twice, late, in another order, or lost, as exchanges around an exchange."""

from __future__ import annotations

from adapter.replay import Call, Ending, Held, Lost, Remembered, Script, Twice

from .pages import Pages, around, pages

ASK = '<Gather action="/turn" numDigits="1"/>'


def _server() -> Pages:
    return pages(ASK, turn=["<Say>First.</Say>", "<Say>Second.</Say>"], fallback="<Say>Saved.</Say>")


def _paths(server: Pages) -> list[str]:
    return [url.rpartition("/")[2] for _, url, _ in server.asked]


def test_a_webhook_comes_twice_and_the_second_answer_counts() -> None:
    server = _server()
    twice = Twice(server, lambda url: url.endswith("/turn"))
    played = around(twice).play(Call(), Script("1"))
    assert _paths(server) == ["voice", "turn", "turn", "status"]
    assert server.asked[1] == server.asked[2]
    assert played.said == "Second."
    assert twice.pairs[0][0].body != twice.pairs[0][1].body


def test_an_answer_that_is_lost_leads_to_the_fallback() -> None:
    server = _server()
    played = around(Lost(server, lambda url: url.endswith("/turn")), fallback="/fallback").play(Call(), Script("1"))
    assert _paths(server) == ["voice", "turn", "fallback", "status"]
    assert (played.said, [each.code for each in played.errors]) == ("Saved.", [11200])


def test_a_webhook_that_never_arrives() -> None:
    server = _server()
    played = around(Lost(server, lambda url: url.endswith("/turn"), sent=False)).play(Call(), Script("1"))
    assert _paths(server) == ["voice", "status"]
    assert played.ending is Ending.CUT_OFF


def test_a_callback_comes_later() -> None:
    server = _server()
    held = Held(server, lambda url: url.endswith("/status"))
    around(held).play(Call(), Script("1"))
    assert _paths(server) == ["voice", "turn"]
    assert [reply.status for reply in held.release()] == [204]
    assert _paths(server) == ["voice", "turn", "status"]
    assert held.release() == []


def test_each_webhook_can_come_again() -> None:
    server = _server()
    remembered = Remembered(server)
    around(remembered).play(Call(), Script("1"))
    assert remembered.again(1).body != remembered.sent[1][1].body
    assert server.asked[-1] == server.asked[1]
