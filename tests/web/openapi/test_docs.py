import base64
import hashlib
import re
from pathlib import Path

import flask_swagger_ui
import pytest


@pytest.fixture
def page(app):
    return app.test_client().get("/docs")


def policy(response) -> dict[str, str]:
    directives = (
        directive.strip().partition(" ") for directive in response.headers["Content-Security-Policy"].split(";")
    )
    return {name: value for name, _, value in directives}


def test_the_page_is_there_with_and_without_a_slash(app, page):
    assert page.status_code == 200
    assert "<title>Sticky Calls API</title>" in page.text
    assert app.test_client().get("/docs/").data == page.data


def test_everything_the_page_needs_is_served_here(app, page):
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(needed) >= 5
    for address in needed:
        with app.test_client().get(address) as asset:
            assert asset.status_code == 200, address
            assert asset.content_length


def test_every_file_of_the_package_is_served_under_the_same_policy(app, page, subtests):
    files = [path.name for path in (Path(flask_swagger_ui.__file__).parent / "dist").iterdir()]
    assert "oauth2-redirect.html" in files
    for name in files:
        with subtests.test(name), app.test_client().get(f"/docs/{name}") as answer:
            assert answer.status_code == 200
            assert answer.data
            assert {**policy(page), "script-src": "'self'"} == policy(answer)


def test_the_page_names_no_other_host_and_sends_nothing_to_a_validator(page):
    assert not re.findall(r"https?://|//[a-z]", page.text)
    assert '"validatorUrl": null' in page.text
    assert '"url": "/v1/openapi.json"' in page.text


def test_the_page_may_talk_to_this_host_only(page):
    allowed = policy(page)
    assert allowed["default-src"] == "'none'"
    assert allowed["connect-src"] == "'self'"
    assert allowed["frame-ancestors"] == "'none'"
    assert "http" not in page.headers["Content-Security-Policy"]


def test_the_pages_own_script_is_the_only_inline_one_allowed(page):
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy(page)["script-src"] == f"'self' 'sha256-{digest}'"


def test_the_host_header_does_not_get_into_the_page(app, page):
    evil = app.test_client().get("/docs", headers={"Host": "evil.example"})
    assert evil.data == page.data


def test_an_unknown_asset_is_a_json_404(app):
    response = app.test_client().get("/docs/nothing.js")
    assert (response.status_code, response.content_type) == (404, "application/json")
