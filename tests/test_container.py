"""Dockerfile and compose.yaml, as far as they can be looked at without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.config import load
from tests.serving import free_port

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8").replace("\\\n", "")
COMPOSE_TEXT = (ROOT / "deploy/compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SECRETS = "/run/secrets/"


def test_the_builder_is_given_what_the_image_copies_and_nothing_else() -> None:
    copied = {
        source.removeprefix("./")
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    }
    assert all((ROOT / source).exists() for source in copied)
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith(("#", "!"))] == ["*", "**/__pycache__"]
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied


def test_the_container_is_nobody_on_a_file_system_that_cannot_be_written_and_its_packages_have_hashes() -> None:
    made = re.search(r"groupadd --gid (\d+) .* useradd --uid (\d+) --gid (\d+) ", DOCKERFILE)
    assert made
    assert {*made.groups()} == {"10001"}
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    for install in re.findall(r"pip install [^&\n]*", DOCKERFILE):
        assert "--require-hashes" in install or "--no-index" in install
    adapter = COMPOSE["services"]["adapter"]
    assert (adapter["read_only"], adapter["cap_drop"], adapter["tmpfs"]) == (True, ["ALL"], ["/tmp"])


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_fails_when_the_service_does(tmp_path: Path, status: int, code: int) -> None:
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    asks = json.loads(found[1])[2]
    port = free_port()
    one_answer = (
        "import http.server, sys\n"
        "class One(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        f"        self.send_response({status} if self.path == '/healthz' else 404); self.end_headers()\n"
        f"server = http.server.HTTPServer(('127.0.0.1', {port}), One); print(flush=True); server.handle_request()\n"
    )
    with subprocess.Popen([sys.executable, "-c", one_answer], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as up:
        assert up.stdout is not None
        up.stdout.readline()
        asked = [sys.executable, "-c", asks.replace("8080", str(port))]
        assert subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == code


def test_what_compose_sets_is_what_the_configuration_knows(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "twilio: {accounts: [{sid: '*', auth_tokens_file: /run/secrets/twilio_auth_tokens}]}".replace(
            SECRETS, f"{tmp_path}/"
        )
    )
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text("postgresql://a@b/c" if name == "database_url" else "0123456789abcdef" * 2)
    image = dict(re.findall(r"(ADAPTER_\w+)=(\S+)", DOCKERFILE))
    environ = {**image, **COMPOSE["services"]["adapter"]["environment"]}
    read = load(config, {name: value.replace(SECRETS, f"{tmp_path}/") for name, value in environ.items()})
    assert (read.database.url, read.server.bind) == ("postgresql://a@b/c", "0.0.0.0:8080")
    assert read.security.pepper
    assert environ["ADAPTER_CONFIG"] == "/config/config.yaml"
    assert "./config:/config:ro" in COMPOSE["services"]["adapter"]["volumes"]


def test_every_secret_and_volume_of_compose_is_there_for_who_uses_it_and_it_is_told_how_to_make_it() -> None:
    used = {secret for service in COMPOSE["services"].values() for secret in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    told = COMPOSE_TEXT.partition("services:")[0]
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"secrets/{name}"
        assert f"> secrets/{name}" in told
    for service in COMPOSE["services"].values():
        named = re.findall(rf"{SECRETS}(\w+)", json.dumps(service))
        assert set(named) <= set(service.get("secrets", ()))
    volumes = {volume.partition(":")[0] for each in COMPOSE["services"].values() for volume in each.get("volumes", ())}
    assert {volume for volume in volumes if not volume.startswith(".")} == set(COMPOSE["volumes"])


def test_compose_s_caddy_takes_the_shipped_file() -> None:
    """One of its own would pass on what is sent slowly, as it comes, and a few of those stop the service."""
    caddy = COMPOSE["services"]["caddy"]
    assert "command" not in caddy
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in caddy["volumes"]
    shipped = (ROOT / "deploy/Caddyfile").read_text("utf-8")
    assert set(re.findall(r"\{\$(\w+)", shipped)) == set(caddy["environment"])
    assert caddy["environment"]["UPSTREAM"].startswith("adapter:")
