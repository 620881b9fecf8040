"""Briefly what `python -m tests.abuse fairness|slow` does at length: a flood holds nobody else up, and what there is
against slow connections is needed."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests import caddy
from tests.abuse import fairness, slow

pytestmark = pytest.mark.slow
# This machine does something else beside; the figures that count are of the long run.
_PATIENT_MS = 3_000.0
_NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def test_a_flood_of_one_organization_does_not_starve_another() -> None:
    found = fairness.examine(1, floods=("over its rate",), most_ms=_PATIENT_MS)
    assert found.faults == {}
    assert found.told["over its rate: flood, requests/s"] > 10


def test_a_server_in_which_a_flood_takes_all_threads_is_found() -> None:
    assert "the quiet one waits" in fairness.examine(1, bug=True, floods=("over its rate",), most_ms=_PATIENT_MS).faults


@pytest.mark.skipif(_NGINX is None, reason="nginx is not installed here")
def test_slow_connections_hold_up_the_shipped_nginx_and_nobody_else() -> None:
    found = slow.examine(100, 2).faults
    # How fast is for the long run.
    assert set(found) <= {"good calls are slow"}


@pytest.mark.skipif(caddy.PROGRAM is None, reason="Caddy is not installed here")
def test_slow_connections_hold_up_the_shipped_caddy_and_nobody_else() -> None:
    found = slow.examine(150, 12, proxy="caddy").faults
    # As above; longer, since Caddy would take ten seconds to notice.
    assert set(found) <= {"good calls are slow"}


@pytest.mark.skipif(_NGINX is None, reason="nginx is not installed here")
def test_what_the_shipped_nginx_itself_refuses_is_json() -> None:
    with slow.shipped() as (server, port, context):
        for path, body, headers, status in (
            ("/v1/calls/start", "x" * 2_000_000, {}, 413),
            ("/" + "a" * 20_000, "", {}, 414),
            ("/v1/calls/start", "", {"X-Long": "a" * 20_000}, 431),
            ("/v1/nowhere", "", {}, 401),
        ):
            with slow.asked(port, context, "POST", path, body, headers) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
                assert set(json.loads(answer.read())) == {"error", "message"}
        for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics/", "/x/../metrics/"):
            with slow.asked(port, context, "GET", path, "") as answer:
                assert (path, answer.status) == (path, 404)
                assert "X-Content-Type-Options" not in answer.headers, "it was asked for at the service"
        shutil.move(server.folder / "http.sock", server.folder / "gone.sock")
        with slow.asked(port, context, "GET", "/v1/health", "") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_without_nginx_they_would() -> None:
    """The positive control, and the reason for a proxy (deploy/README.md)."""
    assert "good calls are slow" in slow.examine(60, 1, bug=True).faults
