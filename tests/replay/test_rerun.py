"""Recorded calls played again: which, when, in which order, to whom, and what is made of the answers."""

from __future__ import annotations

import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapter.replay import NoAnswer, Reply
from adapter.replay.compare import Difference
from adapter.replay.recording import Answer, Recorded, RotatingFile, line_of, parts
from adapter.replay.rerun import (
    Accepted,
    Checked,
    Distinct,
    Pace,
    Rerun,
    Rotated,
    Round,
    Selection,
    Server,
    Tally,
    checked,
    fresh_sids,
    in_order,
    play,
    play_rounds,
)
from tests.builders import ACCOUNT, call_sid

CALLER, LINE = "+14155550123", "+14155550100"
SAID = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello</Say></Response>'
REF, OTHER_REF = "32fa35a6-80dd-4445-a2e1-d9d5dc280ffa", "00000000-0000-8000-8000-000000000001"


def a_webhook(call: int = 1, kind: str = "voice", at: int | None = 0, answer: str | None = SAID) -> Recorded:
    fields = (("AccountSid", ACCOUNT), ("CallSid", call_sid(call)), ("From", CALLER), ("To", LINE))
    kept = None if answer is None else Answer(200, "text/xml", answer)
    return Recorded("POST", f"/twilio/{kind}", fields, at, answer=kept)


def a_rerun(before: str | None = SAID, after: str = SAID, status: int = 200, call: int = 1) -> Rerun:
    return Rerun(a_webhook(call, answer=before), Answer(status, "text/xml", after), seconds=0.001)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(kinds=frozenset({"voice"})), True),
        (Selection(kinds=frozenset({"status"})), False),
        (Selection(numbers=frozenset({CALLER})), True),
        (Selection(numbers=frozenset({LINE})), True),
        (Selection(numbers=frozenset({"+1"})), False),
        (Selection(calls=frozenset({call_sid(1)})), True),
        (Selection(calls=frozenset({call_sid(2)})), False),
        (Selection(until=1_000), True),
        (Selection(until=999), False),
    ],
)
def test_a_selection_wants(selection: Selection, wanted: bool) -> None:
    assert selection.wants(a_webhook(at=1_000)) is wanted


def test_a_webhook_of_an_unknown_time_is_not_too_late() -> None:
    assert Selection(until=1).wants(a_webhook(at=None))


@pytest.mark.parametrize(("speed", "slept"), [(None, []), (1, [2.0, 3.0]), (10, [0.2, 0.3])])
def test_gaps_are_the_recorded_ones_by_the_speed(speed: float | None, slept: list[float]) -> None:
    now, slices = [100.0], []

    def sleep(seconds: float) -> None:
        slices.append(round(seconds, 6))
        now[0] += seconds

    pace = Pace(speed, sleep, lambda: now[0])
    for at in (5_000, 7_000, None, 10_000):
        pace.wait(at)
    assert slices == slept


def test_slow_answers_do_not_add_up() -> None:
    now, slept = [0.0], []
    pace = Pace(1, slept.append, lambda: now[0])
    pace.wait(0)
    now[0] = 2.5
    pace.wait(2_000)
    pace.wait(3_000)
    assert slept == [0.5]


@pytest.mark.parametrize(
    ("times", "order"),
    [
        ([1, 3, 2], [0, 2, 1]),
        ([5, 5, 5], [0, 1, 2]),
        ([None, None], [0, 1]),
        ([7, None, 6], [2, 0, 1]),
        ([], []),
    ],
)
def test_webhooks_come_in_the_order_of_time(times: list[int | None], order: list[int]) -> None:
    webhooks = [a_webhook(call, at=at) for call, at in enumerate(times)]
    assert list(in_order(iter(webhooks))) == [webhooks[place] for place in order]


def test_only_so_many_wait_for_an_earlier_one() -> None:
    taken = 0

    def endless() -> Iterator[Recorded]:
        nonlocal taken
        for taken in itertools.count():
            yield a_webhook(at=taken)

    following = in_order(endless())
    assert [next(following).at for _ in range(1_000)] == list(range(1_000))
    assert taken < 2_000


@dataclass
class Seen:
    """A target that keeps what it gets, and answers with the CallSid."""

    webhooks: list[Recorded] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def send(self, recorded: Recorded) -> Rerun:
        self.webhooks.append(recorded)
        self.threads.add(threading.get_ident())
        return Rerun(recorded, Answer(200, "text/xml", f"<Response><Say>{recorded.value('CallSid')}</Say></Response>"))


def test_calls_at_once_keep_the_order_within_each() -> None:
    order = [(call, step) for step in range(20) for call in range(30)]
    random.Random(1).shuffle(order)
    webhooks = [a_webhook(call, f"turn/{step}") for call, step in order]
    targets = [Seen() for _ in range(4)]
    done: list[Rerun] = []
    play(webhooks, targets, done.append)
    assert len(done) == len(webhooks)
    expected = defaultdict(list)
    for each in webhooks:
        expected[each.call].append(each.path)
    for call, paths in expected.items():
        (target,) = (each for each in targets if any(webhook.call == call for webhook in each.webhooks))
        assert [webhook.path for webhook in target.webhooks if webhook.call == call] == paths
    assert len(set.union(*(each.threads for each in targets))) == sum(bool(each.webhooks) for each in targets) > 1


def test_one_call_played_often_keeps_all_targets_at_work() -> None:
    """Else --repeat of a short recording would be no load."""
    at_work = threading.Barrier(4)

    @dataclass
    class Slow(Seen):
        def send(self, recorded: Recorded) -> Rerun:
            if not self.webhooks:
                at_work.wait(10)  # nobody goes on before all four have begun
            return super().send(recorded)

    slow = [Slow() for _ in range(4)]
    call = [a_webhook(1, f"turn/{step}") for step in range(3)]
    tally, rounds = Tally(), [Round(call, slow) for _ in range(40)]
    play_rounds(rounds, 4, lambda rerun: tally.add(checked(rerun)))
    assert (tally.webhooks, tally.calls) == (120, 40)
    for each in slow:
        paths = [webhook.path for webhook in each.webhooks]
        assert paths.count("/twilio/turn/0") == paths.count("/twilio/turn/2") > 0


@pytest.mark.parametrize("targets", [1, 3])
def test_what_breaks_ends_the_replay_and_comes_through(targets: int) -> None:
    def done(_: Rerun) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        play((a_webhook(call) for call in range(5_000)), [Seen() for _ in range(targets)], done)


def test_fresh_sids_are_others_to_the_server_and_the_old_ones_in_the_answer() -> None:
    seen = Seen()
    target = fresh_sids(seen, "salt")
    first, again, other = (target.send(a_webhook(call)) for call in (1, 1, 2))
    sent = [each.value("CallSid") for each in seen.webhooks]
    assert sent[0] == sent[1] != sent[2]
    assert call_sid(1) not in sent
    assert [each.answer.body if each.answer else "" for each in (first, other)] == [
        f"<Response><Say>{call_sid(call)}</Say></Response>" for call in (1, 2)
    ]
    assert first.recorded == again.recorded == a_webhook(1)
    fresh_sids(seen, "pepper").send(a_webhook(1))
    assert seen.webhooks[-1].value("CallSid") != sent[0]


@dataclass
class Wire:
    """An exchange that keeps what goes over it."""

    token: str
    sent: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def send(self, method: str, url: str, fields: Mapping[str, str]) -> Reply:
        self.sent.append((method, url, fields))
        if "status" in url:
            raise NoAnswer("ReadTimeout")
        return Reply(200, "text/xml", SAID.encode())


def test_a_server_is_asked_with_its_accounts_token() -> None:
    wires: list[Wire] = []

    def wire(token: str) -> Wire:
        wires.append(Wire(token))
        return wires[-1]

    server = Server("https://voice.example.com/", {ACCOUNT: "own", "*": "other"}, exchanges=wire)
    rerun = server.send(a_webhook())
    server.send(replace(a_webhook(), fields=(("AccountSid", "AC2"),)))
    assert [each.token for each in wires] == ["own", "other"]
    assert wires[0].sent[0][:2] == ("POST", "https://voice.example.com/twilio/voice")
    assert rerun.answer == Answer(200, "text/xml", SAID)
    assert rerun.seconds > 0


def test_what_is_not_answered_is_trouble() -> None:
    server = Server("https://voice.example.com", {ACCOUNT: "own"}, exchanges=Wire)
    assert checked(server.send(a_webhook(kind="status"))).trouble == "no answer: ReadTimeout"
    stranger = replace(a_webhook(), fields=(("AccountSid", "AC2"),))
    assert checked(server.send(stranger)).trouble == "no auth token for its account"


@pytest.mark.parametrize(
    ("rerun", "trouble"),
    [
        (a_rerun(), ""),
        (a_rerun(None, "", 204), ""),
        (a_rerun(None, "<html>", 200), "answered with something that is no TwiML"),
        (a_rerun(SAID, "oops", 500), "answered with status 500"),
        (a_rerun(None, SAID, 403), "answered with status 403"),
    ],
)
def test_an_answer_that_twilio_cannot_use_is_trouble(rerun: Rerun, trouble: str) -> None:
    assert checked(rerun).trouble == checked(rerun, compare=False).trouble == trouble


def test_a_refusal_that_was_recorded_is_none() -> None:
    before = replace(a_webhook(), answer=Answer(404, "text/html", "no"))
    assert checked(Rerun(before, Answer(404, "text/html", "no"))) == Checked(
        Rerun(before, Answer(404, "text/html", "no")), compared=True, is_same_bytes=True
    )


def test_an_unknown_answer_is_not_compared() -> None:
    assert not checked(a_rerun(None)).compared


def test_made_up_ids_and_the_services_own_host_are_no_difference() -> None:
    before = f'<Response><Gather action="https://a.example.com/x/twilio/turn/1"/><Say>{REF} {REF}</Say></Response>'
    after = (
        f'<Response><Gather action="http://127.0.0.1:80/twilio/turn/1"/><Say>{OTHER_REF} {OTHER_REF}</Say></Response>'
    )
    found = checked(a_rerun(before, after))
    assert (found.differences, found.is_same_bytes) == ((), False)
    mixed = after.replace(OTHER_REF, REF, 1)
    assert checked(a_rerun(before, mixed)).differences != ()
    assert checked(a_rerun(before, after.replace("turn/1", "turn/2"))).differences != ()


@pytest.mark.parametrize(
    "written",
    [
        "<Dial>{}</Dial>",
        '<Connect><ConversationRelay url="wss://{}.example.com/"/></Connect>',
        '<Start><Stream url="wss://{}.example.com/"/></Start>',
        "<Redirect>https://{}.example.com/ivr</Redirect>",
    ],
    ids=["dial", "relay", "stream", "redirect"],
)
def test_a_destination_is_told_once(written: str) -> None:
    def document(place: str) -> str:
        return f"<Response>{written.format(place)}</Response>"

    before = replace(a_webhook(answer=document("a")), receipt={"destination": "x a", "recommendation": "reuse"})
    after = Rerun(before, Answer(200, "text/xml", document("b")), {"destination": "x b", "recommendation": "ignore"})
    assert [each.kind for each in checked(after).differences] == ["destination", "recommendation"]


def different(call: int, *kinds: str) -> Checked:
    return Checked(a_rerun(call=call), tuple(Difference(kind, f"another {kind}") for kind in kinds), compared=True)


def test_a_call_that_went_another_way_says_no_more() -> None:
    """Whether it is answered as before or not: it is counted apart, by kind, with the call."""
    tally = Tally()
    assert tally.add(different(1, "says")) != ()
    assert tally.add(different(1, "says", "asks")) != ()
    assert tally.add(different(1, "destination")) == ()
    assert tally.add(checked(a_rerun(call=1))) == ()
    assert tally.add(different(2, "destination")) != ()
    assert (tally.webhooks, tally.calls, tally.different, tally.changed_calls) == (5, 2, 3, 2)
    assert (tally.compared, tally.same_bytes, tally.followed, tally.gone) == (3, 0, {"voice": 2}, 1)
    assert [each.call for each in tally.examples_of_gone] == [call_sid(1)]
    assert tally.changes == {"wording": 1, "questions": 1, "destination": 1}
    commonest = tally.commonest()[0]
    assert (commonest.difference.kind, commonest.webhooks) == ("says", 2)
    assert not tally.is_clean


def test_callers_are_counted_once_however_often_they_call() -> None:
    """Of who withholds the number, each call is a caller of its own."""
    tally = Tally()
    for call in (1, 2):
        tally.add(different(call, "says", "recommendation"))
    for call in (3, 4):
        hidden = replace(a_webhook(call), fields=(("CallSid", call_sid(call)), ("From", "+266696687")))
        tally.add(Checked(replace(a_rerun(), recorded=hidden), (Difference("says", "another"),), compared=True))
    told = tally.as_json()
    assert (told["calls"], told["changed_calls"], told["callers"], told["changed_callers"]) == (4, 4, 3, 3)
    assert told["changes_of_callers"] == {"wording": 3, "recommendation": 1}
    assert told["changes"] == {"wording": 4, "recommendation": 2}


@pytest.mark.parametrize(("values", "off"), [(0, 0), (1, 0), (9_999, 0), (10_001, 0.05), (60_000, 0.05)])
def test_different_values_are_counted_exactly_and_very_many_nearly(values: int, off: float) -> None:
    distinct = Distinct()
    for value in range(values):
        distinct.add(str(value))
        distinct.add(str(value // 2))
    assert abs(distinct.count - values) <= off * values


def test_differences_without_end_are_counted_and_forgotten() -> None:
    tally = Tally()
    for number in range(2_000):
        tally.add(Checked(a_rerun(call=number), (Difference("says", f"says {number}"),), compared=True))
    assert len(tally.groups) + tally.ungrouped == tally.different == 2_000
    assert len(tally.groups) < 1_000


@pytest.mark.parametrize(("share", "seconds"), [(0.5, 0.050), (0.9, 0.090), (0.99, 0.099), (1.0, 0.100)])
def test_percentiles_are_right_to_four_percent(share: float, seconds: float) -> None:
    tally = Tally()
    for milliseconds in range(1, 101):
        tally.add(checked(replace(a_rerun(), seconds=milliseconds / 1_000)))
    assert seconds <= tally.percentile(share) <= seconds * 1.04


def test_nothing_has_no_percentiles() -> None:
    assert Tally().percentile(0.5) == 0.0
    assert Tally().recorded_seconds == 0.0
    assert Tally().is_clean


def test_what_is_given_up_leaves_the_recording_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(line_of(a_webhook()))
    accepted = Accepted(path)
    accepted.take(a_rerun(after="<Response/>"))
    accepted.give_up()
    assert path.read_bytes() == line_of(a_webhook())
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_recording_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "calls.jsonl", tmp_path / "link.jsonl"
    path.write_bytes(line_of(a_webhook()))
    link.symlink_to(path)
    accepted = Accepted(link)
    accepted.take(a_rerun(after="<Response/>"))
    with path.open("rb") as read:
        read.read()
        accepted.finish(read)
    accepted.give_up()
    assert link.is_symlink()
    assert b"<Response/>" in path.read_bytes()


def test_what_a_service_records_meanwhile_stays_in_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    service = RotatingFile(path)
    service.append([line_of(a_webhook())])
    accepted = Accepted(path)
    with path.open("rb") as read:
        read.read()
        accepted.take(a_rerun(after="<Response/>"))
        service.append([line_of(a_webhook(2))])
        accepted.finish(read)
    service.append([line_of(a_webhook(3))])
    first, *others = path.read_bytes().splitlines(keepends=True)
    assert b"<Response/>" in first
    assert others == [line_of(a_webhook(2)), line_of(a_webhook(3))]


@pytest.mark.parametrize("part", ["calls.jsonl", "calls.jsonl.1"])
def test_a_file_that_was_rotated_meanwhile_is_not_written_over(tmp_path: Path, part: str) -> None:
    path = tmp_path / "calls.jsonl"
    service = RotatingFile(path, most_bytes=1)
    for call in (1, 2):
        service.append([line_of(a_webhook(call))])
    accepted = Accepted(tmp_path / part)
    with (tmp_path / part).open("rb") as read:
        service.append([line_of(a_webhook(3))])
        with pytest.raises(Rotated):
            accepted.finish(read, path)
    accepted.give_up()
    assert [each.read_bytes() for each in parts(path)] == [line_of(a_webhook(call)) for call in (1, 2, 3)]
