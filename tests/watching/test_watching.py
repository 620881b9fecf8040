"""Dashboard and alert rules ask for what a service tells, and nothing else. Against a real Prometheus:
`python -m tests.watching`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from adapter.config import Config, MetricsConfig
from adapter.engine.line import Confirm, ProofKind
from adapter.metrics import GAUGES
from tests.builders import Api, Twilio, a_config, a_line, an_organization, call_sid
from tests.watching.expressions import DASHBOARD, FOLDER, dashboard, filled, queries, rules, selected

ROOT = FOLDER.parents[1]
TOKEN = "a-token-of-the-tests"
CALLER = "+14155550123"
EXPRESSIONS = [*((title, filled(each)) for title, each in queries()), *((r["alert"], r["expr"]) for r in rules())]
Labels = dict[str, str]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    line = a_line(confirm=Confirm(by=ProofKind.PIN, variable="pin"))
    acme = an_organization(per_minute=30, monthly=6)
    return a_config(tmp_path, acme, lines=(line,), metrics=MetricsConfig(TOKEN))


@pytest.fixture
def told(app: Flask, api: Api, twilio: Twilio) -> dict[str, list[Labels]]:
    """What a service tells that has seen a little of everything: each metric with the labels of its samples."""
    api.end("before", identity_hints={"ani": CALLER}, variables={"pin": "4711"})
    for number, keyed in ((1, "4711"), (2, "9999")):
        twilio.voice(call_sid(number), CALLER)
        twilio.post("turn/1", CallSid=call_sid(number), From=CALLER, CallStatus="in-progress", Digits=keyed)
    app.test_client().post("/twilio/voice", data={"CallSid": call_sid(3)})
    for number in range(4, 9):
        api.start(f"call-{number}", ani=f"+1415555020{number}")
    twilio.voice(call_sid(9), CALLER)
    page = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    found: dict[str, list[Labels]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def unknown(expression: str, told: dict[str, list[Labels]]) -> Iterator[str]:
    """Metrics, labels and values in it that no service tells."""
    for name, chosen in selected(expression):
        if name not in told:
            yield name
        for label, values in chosen.items():
            known = {labels.get(label) for labels in told.get(name, ())}
            yield from (f'{name}{{{label}="{value}"}}' for value in values if value not in known)
    grouped = {label for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(", ")}
    known_labels = {label for name, _ in selected(expression) for labels in told.get(name, ()) for label in labels}
    if "sticky_calls" in expression:
        yield from grouped - known_labels - {"job", "instance", "le"}


@pytest.mark.sqlite
def test_whatever_is_asked_for_is_told(told: dict[str, list[Labels]]) -> None:
    assert len(EXPRESSIONS) > 25
    assert {
        title: list(unknown(expression, told)) for title, expression in EXPRESSIONS if "node_" not in expression
    } == {title: [] for title, expression in EXPRESSIONS if "node_" not in expression}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "wrong",
    [
        'sum(rate(sticky_calls_greetings{recommendation="neutral"}[5m]))',
        'sum(rate(sticky_calls_greetings_total{recommendation="natural"}[5m]))',
        "sum by (number) (rate(sticky_calls_greetings_total[5m]))",
    ],
    ids=["metric", "value", "label"],
)
def test_what_nobody_tells_is_found(told: dict[str, list[Labels]], wrong: str) -> None:
    assert list(unknown(wrong, told))


@pytest.mark.sqlite
def test_whatever_is_told_is_shown(told: dict[str, list[Labels]]) -> None:
    """A figure that nobody looks at is not worth counting."""
    asked = {
        re.sub(r"_(total|bucket|count|sum|created)$", "", name) for _, each in EXPRESSIONS for name, _ in selected(each)
    }
    assert {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in told} <= asked
    assert {f"sticky_calls_{name}" for name in GAUGES} <= asked


def test_the_dashboard_is_whole() -> None:
    shown = dashboard()
    panels = shown["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {variable["name"] for variable in shown["templating"]["list"]} == {"datasource", "job", "organization"}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text("utf-8")))
    assert used == {"datasource", "job", "organization", "__rate_interval"}
    for panel in panels:
        assert panel["type"] == "row" or (panel["targets"] and panel["datasource"]["uid"] == "${datasource}")
    cells = [
        (p["gridPos"]["x"] + x, p["gridPos"]["y"] + y)
        for p in panels
        for x in range(p["gridPos"]["w"])
        for y in range(p["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie over each other"
    assert max(x for x, _ in cells) == 23


def test_every_alert_says_how_bad_it_is_what_to_do_and_where_it_is_written() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors, (rule["alert"], anchor)
        assert re.search(r"`[^`]+`|log", rule["annotations"]["description"]), rule["alert"]


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    fired = set(re.findall(r'\{alertname="(\w+)"\}', (Path(__file__).parent / "alerts.test.yml").read_text("utf-8")))
    assert fired == {rule["alert"] for rule in rules()}
