"""/metrics of a real service with four workers: one sum, whoever is asked, whoever has been killed or replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from adapter.metrics import FOLDER
from adapter.twilio.signature import sign
from tests.builders import ACCOUNT, AUTH_TOKEN, DIALED, PUBLIC_URL, call_sid
from tests.serving import free_port, kill_process, wait_for

TOKEN = "a-token-of-the-tests"
CONFIG = f"""
database: {{url: "sqlite:///calls.db"}}
server: {{workers: 4}}
twilio: {{public_url: "{PUBLIC_URL}", accounts: [{{sid: {ACCOUNT}, auth_tokens: [{AUTH_TOKEN}]}}]}}
organizations: [{{id: acme, tier: unlimited}}]
lines: [{{account: {ACCOUNT}, number: "{DIALED}", destination: {{dial: "+14155550199"}}}}]
metrics: {{token: {TOKEN}}}
"""


class Served:
    """The service at a port; the folders it counts in lie in `shared`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self._port, self._calls = process, port, 0

    def ring(self, times: int) -> None:
        for _ in range(times):
            self._calls += 1
            sid = call_sid(self._calls)
            form = {"AccountSid": ACCOUNT, "CallSid": sid, "From": "+14155550123", "To": DIALED, "Direction": "inbound"}
            signature = sign(f"{PUBLIC_URL}/twilio/voice", list(form.items()), AUTH_TOKEN)
            headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
            # A connection each: the workers take turns.
            answer = requests.post(self._url("/twilio/voice"), data=urlencode(form), headers=headers, timeout=30)
            assert "<Dial" in answer.text

    def counted(self) -> float:
        page = requests.get(self._url("/metrics"), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        families = text_string_to_metric_families(page.text)
        return sum(each.value for one in families for each in one.samples if each.name.endswith("greetings_total"))

    def workers(self) -> set[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return {int(pid) for pid in listed.split()}

    def is_up(self) -> bool:
        try:
            return requests.get(self._url("/v1/health"), timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    with serving(tmp_path) as service:
        yield service


@contextmanager
def serving(tmp_path: Path) -> Iterator[Served]:
    """The service of the config.yaml there."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    environ |= {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "adapter", "serve", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL)
    service = Served(process, port)
    try:
        wait_for(service.is_up, "the service to answer")
        yield service
    finally:
        process.kill()
        process.wait()


def folder_of(served: Served) -> Path:
    environ = Path(f"/proc/{next(iter(served.workers()))}/maps").read_text("utf-8")
    mapped = next(line.split()[-1] for line in environ.splitlines() if "sticky-calls-metrics-" in line)
    return Path(mapped).parent


@pytest.mark.slow
@pytest.mark.sqlite
def test_four_workers_add_up_after_kills_and_reloads(served: Served) -> None:
    wait_for(lambda: len(served.workers()) == 4, "four workers")
    served.ring(40)
    assert served.counted() == 40
    for pid in list(served.workers())[:2]:
        kill_process(pid)
    wait_for(lambda: len(served.workers()) == 4, "two new workers")
    served.ring(20)
    assert served.counted() == 60
    before = served.workers()
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: not before & served.workers() and served.is_up(), "all workers to be replaced")
    served.ring(20)
    assert served.counted() == 80
    folder = folder_of(served)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert not folder.exists(), "what was counted in is left behind"


@pytest.mark.slow
@pytest.mark.sqlite
def test_workers_add_up_when_metrics_are_switched_on_by_a_reload(tmp_path: Path) -> None:
    without, _, metrics = CONFIG.partition("metrics:")
    (tmp_path / "config.yaml").write_text(without, "utf-8")
    with serving(tmp_path) as served:
        wait_for(lambda: len(served.workers()) == 4, "four workers")
        before = served.workers()
        (tmp_path / "config.yaml").write_text(f"{without}metrics:{metrics}", "utf-8")
        served.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not before & served.workers() and served.is_up(), "all workers to be replaced")
        served.ring(20)
        assert {served.counted() for _ in range(8)} == {20}


def test_the_folder_is_of_the_service_alone_and_only_with_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapter.cli.serving.metrics import count_together, forget_worker
    from adapter.config import Config, MetricsConfig

    monkeypatch.delenv(FOLDER, raising=False)
    count_together(Config())
    assert FOLDER not in os.environ
    forget_worker(None, None)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    count_together(Config(metrics=MetricsConfig(TOKEN)))
    assert os.environ[FOLDER] == str(tmp_path), "somebody else's choice was overwritten"
