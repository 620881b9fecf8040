"""The description against the behaviour: what it allows is accepted, what it forbids is refused, answers fit it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from adapter.app import create_app
from adapter.clock import RandomIds
from adapter.engine.policy import Policy
from adapter.web.openapi import describe
from tests.builders import a_config, issue_key

# What JSON Schema cannot say: rules that compare values or look inside any JSON, and what only the store knows.
BEYOND_THE_SCHEMA = (
    "is named twice in this request",
    " must not hold more than ",
    "].resolution must ",
    "customer_ref is unknown here",
)
schema = schemathesis.openapi.from_dict(describe(Policy()))


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    app = create_app(a_config(tmp_path_factory.mktemp("conformance")), ids=RandomIds())
    yield app, issue_key(app)
    app.extensions["sticky-calls"].store.close()


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_behaves_as_described(case, live):
    app, key = live
    response = case.call(app=app, base_url="http://localhost", headers={"Authorization": f"Bearer {key}"})
    beyond = response.status_code == 400 and any(text in response.text for text in BEYOND_THE_SCHEMA)
    # It takes our key for its own invention; `test_api` sees to keys.
    excluded = [ignored_auth, *([positive_data_acceptance] if beyond else [])]
    case.validate_response(response, excluded_checks=excluded)
