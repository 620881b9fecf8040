"""The dashboard and the alert rules against a real Prometheus that scrapes a real service, while a day is replayed.

python -m tests.watching [--calls 300]

Needs `prometheus` and `promtool` (Debian: apt-get install prometheus). Every expression of the dashboard has to give
figures, no alert may be on its way while all is well, and the one for the database has to be once it is away. A query
for a metric that nobody tells has to be found empty.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.replay.day import Day, a_day
from tests.serving import free_port, wait_for
from tests.watching.expressions import FOLDER, RULES, filled, queries

_TOKEN = "a-token-of-the-tests"
_ALERTS_TESTS = Path(__file__).parent / "alerts.test.yml"


def main() -> int:
    """0: all is as it should be. 2: there is no Prometheus here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("There is no Prometheus on this machine, so nothing was tried: apt-get install prometheus.")
        return 2
    _promtool()
    with tempfile.TemporaryDirectory() as folder:
        day = a_day(Path(folder), calls)
        with _service(day, Path(folder)) as port, _prometheus(Path(folder), port) as prometheus:
            wrong = _watched(day, port, prometheus)
            wrong += _without_database(Path(folder), prometheus)
    for line in wrong:
        print(f"WRONG: {line}")
    print("all is well" if not wrong else f"{len(wrong)} things are wrong")
    return int(bool(wrong))


def _promtool() -> None:
    for command in (["check", "rules", RULES], ["test", "rules", _ALERTS_TESTS]):
        subprocess.run(["promtool", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    print("promtool: the rules are well-formed, each fires where it should and only there")


@contextmanager
def _service(day: Day, folder: Path) -> Iterator[int]:
    """Two workers on a copy of the morning's memory; the port."""
    port, database = free_port(), folder / "served.db"
    shutil.copy(day.memory, database)
    environ = {
        "ADAPTER_CONFIG": str(day.config),
        "ADAPTER_DATABASE__URL": f"sqlite:///{database}",
        "ADAPTER_METRICS__TOKEN": _TOKEN,
        "ADAPTER_ORGANIZATIONS__0__TIER": "scale",
        "ADAPTER_LOGGING__LEVEL": "error",
        "ADAPTER_RECORDING__FILE": str(folder / "again.jsonl"),
    }
    command = [sys.executable, "-m", "adapter", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/v1/health"), "the service")
        made = [sys.executable, "-m", "adapter", "keys", "create"]
        key = subprocess.run(made, env={**os.environ, **environ}, check=True, capture_output=True)
        (folder / "key").write_bytes(key.stdout)
        yield port
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def asked(self, what: str, **parameters: str) -> Any:
        """What its API answers."""
        with urlopen(f"{self.url}/api/v1/{what}?{urlencode(parameters)}", timeout=30) as answer:
            return json.load(answer)["data"]

    def figures(self, expression: str) -> list[float]:
        """Of an expression, now."""
        found = self.asked("query", query=expression)["result"]
        return [value for value in (float(each["value"][1]) for each in found) if not math.isnan(value)]

    def alerts(self) -> dict[str, str]:
        """Pending and firing ones."""
        return {each["labels"]["alertname"]: each["state"] for each in self.asked("alerts")["alerts"]}


@contextmanager
def _prometheus(folder: Path, port: int) -> Iterator[Prometheus]:
    """With the settings and rules of deploy/monitoring; only the addresses are others, and it looks every second."""
    settings = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    (folder / "token").write_text(_TOKEN)
    (job,) = settings["scrape_configs"]
    job["authorization"]["credentials_file"] = str(folder / "token")
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    job["scrape_interval"] = "1s"
    settings |= {"rule_files": [str(RULES)], "global": {"evaluation_interval": "1s"}}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), "utf-8")
    subprocess.run(["promtool", "check", "config", folder / "prometheus.yml"], check=True, stdout=subprocess.DEVNULL)
    own = free_port()
    files = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command = ["prometheus", *files, f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{own}/-/ready"), "Prometheus")
        yield Prometheus(f"http://127.0.0.1:{own}")
    finally:
        process.terminate()
        process.wait()


def _watched(day: Day, port: int, prometheus: Prometheus) -> list[str]:
    """What is wrong while the day is replayed."""
    wait_for(lambda: bool(prometheus.figures("sticky_calls_database_up")), "the first scrape")
    command = [sys.executable, "-m", "adapter", "replay", str(day.recording), "--config", str(day.config)]
    options = ["--to", f"http://127.0.0.1:{port}", "--key-file", str(day.config.with_name("key")), "--concurrency", "2"]
    subprocess.run([*command, *options, "--json"], stdout=subprocess.DEVNULL, check=False)
    told = "sum(sticky_calls_greetings_total)"
    before = prometheus.figures(told)
    wait_for(lambda: prometheus.figures("sum(changes(up[4s]))") == [0.0] and prometheus.figures(told) == before, "rest")
    found = [(title, expression, prometheus.figures(filled(expression))) for title, expression in queries()]
    print(f"{before[0]:.0f} callers greeted; {len(found)} expressions of the dashboard asked")
    wrong = [f"{title}: no figures from {expression}" for title, expression, figures in found if not figures]
    if prometheus.figures("sum(sticky_calls_no_such_metric)"):
        wrong.append("a metric that nobody tells has figures: nothing here can fail")
    return wrong + [f"{name} is {state} although all is well" for name, state in prometheus.alerts().items()]


def _without_database(folder: Path, prometheus: Prometheus) -> list[str]:
    """Whether its alert is on its way once the database is gone."""
    for file in folder.glob("served.db*"):
        if file.suffix in (".db", ".db-wal", ".db-shm"):
            file.rename(file.with_name(f"away-{file.name}"))
    try:
        wait_for(lambda: "StickyCallsDatabaseAway" in prometheus.alerts(), "the alert")
    except RuntimeError:
        return ["the database is away, and no alert says so"]
    print("the database was taken away: its alert is on its way")
    return []


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
