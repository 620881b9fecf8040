"""The REST API's routes (reference, Endpoints; semantics §8). A route is: guard, load, one use case, render.

Leaves out: health (`health`), the description (`web.openapi`), Twilio (`web.webhooks`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adapter import usecases
from adapter.engine.model import Answer, Denial, Invalid, Missing, Principal, RateExceeded
from adapter.metrics import Metrics
from adapter.usecases import Service
from adapter.web.grace import GraceWarning
from adapter.web.openapi.document import ADDRESS
from adapter.web.recording import Recording
from adapter.web.timed import timed

from . import health, render
from .body import Body
from .commands import read_end, read_start, read_verdict
from .fields import UUID, is_storable
from .guards import CallIdConverter, command_of, guarded, idempotency_key, read_body
from .guessing import Guesses
from .older_dialect import Dialect, as_it_is
from .problems import TOO_LARGE, Problem, of_denial, of_http_error, refuse, respond
from .recorded import record_api_call

T = TypeVar("T")
# Can be nobody's: every customer_ref we make is a UUID of version 7.
_NOBODY = "00000000-0000-0000-0000-000000000000"
# Nor a call's: an id has at least one character.
_NO_CALL = ""
_READING = frozenset({"GET", "HEAD"})
# Answer whoever asks, and say so by the wrong method, too.
_PUBLIC = frozenset({"/v1/health", ADDRESS})


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What a route comes to: a use case's answer, and how its outcome is shown. `body`: what was sent, where one is."""

    answer: Answer[T]
    show: Callable[[T], dict[str, Any]]
    body: Body | None = None


Route = Callable[..., Reply[Any]]


def build(
    service: Service,
    recording: Recording | None = None,
    metrics: Metrics | None = None,
    dialect: Dialect = as_it_is,
) -> Blueprint:
    """The blueprint of everything below /v1 but its description. `problems.install` comes first. `recording`: to whom
    what saved something is offered. `metrics`: where requests are timed. `dialect`: brings bodies into
    today's words."""
    api = Blueprint("api", __name__, url_prefix="/v1")
    api.record_once(lambda state: state.app.url_map.converters.update(call_id=CallIdConverter))
    grace, guesses = GraceWarning(), Guesses()
    for method, rule, route in ROUTES:
        view = guarded(service, guesses, partial(_answer, service, grace, recording, dialect, route))
        api.add_url_rule(rule, route.__name__, _timed(view, metrics, route.__name__), methods=[method])
    api.register_blueprint(health.build(service))
    astray = _timed(guarded(service, guesses, partial(_nothing_here, service)), metrics, "no_route")
    api.before_app_request(lambda: astray() if _leads_nowhere() else None)
    return api


def _leads_nowhere() -> bool:
    """Below /v1, by an address or a method that there is not. Who has no key is not told even that (semantics §2)."""
    return request.routing_exception is not None and request.path.startswith("/v1/") and request.path not in _PUBLIC


def _nothing_here(service: Service, principal: Principal) -> Response:
    """Counts like every request: or addresses could be tried at any rate."""
    answer = usecases.count_only(service, principal)
    if isinstance(answer.outcome, RateExceeded):
        return refuse(of_denial(answer.outcome), answer.rate)
    assert isinstance(request.routing_exception, HTTPException)
    return refuse(of_http_error(request.routing_exception), answer.rate)


def _timed(view: Callable[..., Response], metrics: Metrics | None, name: str) -> Callable[..., Response]:
    return timed(view, metrics, lambda metrics, status, seconds: metrics.request(name, status, seconds))


def start_call(service: Service, principal: Principal) -> Reply[Any]:
    """Reference, POST /v1/calls/start."""
    body = read_body()
    answer = usecases.start_call(service, principal, command_of(body, read_start))
    return Reply(answer, render.started, body)


def end_call(service: Service, principal: Principal) -> Reply[Any]:
    """Reference, POST /v1/calls/end."""
    body = read_body()
    key, issues = idempotency_key(service, body)
    read = partial(read_end, max_ttl_seconds=service.policy.variables.max_ttl_seconds)
    answer = usecases.end_call(service, principal, command_of(body, read, *issues), key)
    return Reply(answer, render.ended, body)


def give_verdict(service: Service, principal: Principal, call_id: str) -> Reply[Any]:
    """Semantics §8, POST /v1/calls/{call_id}/identity."""
    body = read_body()
    answer = usecases.give_verdict(service, principal, _storable(call_id), command_of(body, read_verdict))
    return Reply(answer, render.started, body)


def show_call(service: Service, principal: Principal, call_id: str) -> Reply[Any]:
    """Semantics §8, GET /v1/calls/{call_id}."""
    return Reply(usecases.show_call(service, principal, _storable(call_id)), render.call)


def show_customer(service: Service, principal: Principal, customer_ref: str) -> Reply[Any]:
    """Semantics §8, GET /v1/customers/{customer_ref}."""
    return Reply(usecases.show_customer(service, principal, _known_form(customer_ref)), render.customer)


def forget_customer(service: Service, principal: Principal, customer_ref: str) -> Reply[Any]:
    """Semantics §8, DELETE /v1/customers/{customer_ref}."""
    return Reply(usecases.forget_customer(service, principal, _known_form(customer_ref)), render.erased)


ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("POST", "/calls/start", start_call),
    ("POST", "/calls/end", end_call),
    ("GET", "/calls/<call_id:call_id>", show_call),
    ("POST", "/calls/<call_id:call_id>/identity", give_verdict),
    ("GET", "/customers/<customer_ref>", show_customer),
    ("DELETE", "/customers/<customer_ref>", forget_customer),
)


def _storable(call_id: str) -> str:
    """What no database can hold is no call's id: PostgreSQL would not even look for a NUL."""
    return call_id if is_storable(call_id) else _NO_CALL


def _known_form(customer_ref: str) -> str:
    """What is no UUID names nobody, and is answered (and counted) like any other unknown customer."""
    return customer_ref.lower() if UUID.fullmatch(customer_ref) else _NOBODY


def _answer(
    service: Service,
    grace: GraceWarning,
    recording: Recording | None,
    dialect: Dialect,
    route: Route,
    principal: Principal,
    **address: str,
) -> Response:
    at, g.dialect = service.clock.now(), dialect
    reply = route(service, principal, **address)
    grace.warn(principal.organization, reply.answer.rate, service.clock.now())
    response = _respond(reply)
    record_api_call(recording, principal, reply.body.value if reply.body else None, response, at)
    return response


def _respond(reply: Reply[Any]) -> Response:
    answer, outcome = reply.answer, reply.answer.outcome
    if isinstance(outcome, Invalid) and reply.body is not None and reply.body.too_large:
        return refuse(TOO_LARGE, answer.rate)
    if isinstance(outcome, Denial):
        return refuse(_problem(outcome), answer.rate)
    replayed = {"Idempotency-Replayed": "true"} if answer.replayed else None
    return respond(reply.show(outcome), headers=replayed, rate=answer.rate)


def _problem(denial: Denial) -> Problem:
    """Who reads /v1/calls/start and finds no call of that name did not look for one: it was the wrong method."""
    address = current_app.create_url_adapter(request) if isinstance(denial, Missing) else None
    others = set(address.allowed_methods()) - _READING if address and request.method in _READING else set()
    return of_http_error(MethodNotAllowed(sorted(others))) if "POST" in others else of_denial(denial)
