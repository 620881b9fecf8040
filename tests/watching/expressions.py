"""What deploy/monitoring asks Prometheus for: the dashboard's and the rules' expressions, and the metrics in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES, DASHBOARD = FOLDER / "alerts.yml", FOLDER / "grafana-dashboard.json"
_SELECTED = re.compile(r"\b(sticky_calls_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*=(~?)\s*"([^"]*)"')
# What Prometheus itself adds to every series.
_ADDED = {"job", "instance"}


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    told: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return told


def queries() -> Iterator[tuple[str, str]]:
    """(panel's title, expression) of every panel."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def filled(expression: str) -> str:
    """With everything chosen for the dashboard's variables."""
    return expression.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$organization", ".*")


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def selected(expression: str) -> Iterator[tuple[str, dict[str, set[str]]]]:
    """Every metric of ours in it: its name, and which values of which labels are named."""
    for name, matchers in _SELECTED.findall(expression):
        chosen = {label: set(values.split("|")) for label, _, values in _MATCHER.findall(matchers)}
        yield name, {label: values for label, values in chosen.items() if label not in _ADDED and values != {".*"}}
