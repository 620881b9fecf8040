"""The only wiring: configuration → store, engine's numbers, edges → one Flask app.

A worker comes up even when the database does not answer: callers must hear something, and `/v1/health` must tell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from flask import Flask

from adapter import __version__
from adapter.clock import Clock, Ids, RandomIds, SystemClock
from adapter.config import Config
from adapter.config.pepper import pepper_for
from adapter.errors import StoreUnavailable
from adapter.lookups import LineTypeLookups
from adapter.metrics import Metrics
from adapter.store.database import Store
from adapter.store.inbox import Inbox
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.tracing import Tracing
from adapter.twilio.lookup import Lookup
from adapter.twilio.twiml import Speaker
from adapter.usecases import Directory, Service, prepare
from adapter.web import scrape, traced
from adapter.web.openapi import docs, document
from adapter.web.recording import Recorder, Recording
from adapter.web.rest import api, health, older_dialect, problems
from adapter.web.shedding import Shedding
from adapter.web.webhooks import voice
from adapter.web.webhooks.in_time import Deadline

_LOG = logging.getLogger(__name__)


def create_app(
    config: Config,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    recorder: Recorder | None = None,
) -> Flask:
    """One app for one process; call it after forking. `store`, `clock`, `ids` and `recorder` replace the real ones."""
    service = build_service(config, store=store, clock=clock, ids=ids)
    app = Flask("adapter", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the reference has an order of fields
    app.extensions["sticky-calls"] = service
    problems.install(app, service.ids)
    recording = _recording(config, service, recorder)
    metrics, tracing = _metrics(config), _tracing(config)
    service.store.around_transactions = _around_transactions(metrics, tracing)
    if tracing is not None:
        traced.install(app, tracing)
    dialect = older_dialect.read_older if config.api.older_dialect else older_dialect.as_it_is
    app.register_blueprint(api.build(service, recording, metrics, dialect))
    if metrics is not None and config.metrics.token is not None:
        app.register_blueprint(scrape.build(service, metrics, config.metrics.token))
    app.register_blueprint(health.build_probes(service))
    app.register_blueprint(document.build(service.policy))
    app.register_blueprint(docs.build())
    app.register_blueprint(voice.build(_voice_edge(config, service, recording, metrics)))
    app.wsgi_app = Shedding(app.wsgi_app, config.server.threads, service.ids, metrics)  # type: ignore[method-assign]
    return app


def build_service(
    config: Config, *, store: Store | None = None, clock: Clock | None = None, ids: Ids | None = None
) -> Service:
    """What use cases work with. The database is created and brought up to date here."""
    keyring = Keyring(config.security.encryption_keys)
    database = config.database
    store = store or open_store(
        database.url,
        keyring,
        lock_timeout_seconds=database.lock_timeout_ms / 1_000,
        pool_size=database.pool_size,
    )
    service = Service(
        store=store,
        clock=clock or SystemClock(),
        ids=ids or RandomIds(),
        directory=Directory(store, pepper_for(config), config.organizations, config.security.former_peppers),
        policy=config.policy,
        inbox=Inbox.of(database.url, database.state_dir, keyring),
        lines=config.lines,
        # As much again is for the commit: of the default 3 seconds so much that a caller hears something within 2. The
        # rest is for what comes before and after.
        patience_seconds=config.twilio.webhook_deadline_ms * 0.3 / 1_000,
    )
    try:
        prepare(service)
    except StoreUnavailable as error:
        _LOG.error("starting without the database: %s", error.message)
    return service


def _metrics(config: Config) -> Metrics | None:
    return None if config.metrics.token is None else Metrics()


def _tracing(config: Config) -> Tracing | None:
    return None if config.tracing.endpoint is None else Tracing(config.tracing.endpoint, __version__)


def _around_transactions(
    metrics: Metrics | None, tracing: Tracing | None
) -> Callable[[], AbstractContextManager[object]]:
    """Whoever measures them; nobody, in most cases, and then it costs nothing."""
    if metrics is not None and tracing is not None:
        return lambda: _both(metrics, tracing)
    return metrics.transaction if metrics is not None else tracing.transaction if tracing is not None else nullcontext


@contextmanager
def _both(metrics: Metrics, tracing: Tracing) -> Iterator[None]:
    with metrics.transaction(), tracing.transaction():
        yield


def _voice_edge(
    config: Config, service: Service, recording: Recording | None, metrics: Metrics | None
) -> voice.VoiceEdge:
    tokens = {account.sid: account.auth_tokens for account in config.twilio.accounts}
    return voice.VoiceEdge(
        service=service,
        lines=config.lines,
        tokens=tokens,
        public_url=config.twilio.public_url or "",
        speaker=Speaker(config.texts, config.twilio.public_url or ""),
        deadline=Deadline(
            config.twilio.webhook_deadline_ms / 1_000, config.server.threads, service.store.keeps_deadlines
        ),
        offer_lookup=LineTypeLookups(service, Lookup(tokens)).offer,
        recording=recording,
        metrics=metrics,
    )


def _recording(config: Config, service: Service, recorder: Recorder | None) -> Recording | None:
    """The given recorder gets everything; else what the configuration wants is recorded."""
    if recorder is not None:
        return Recording(recorder, service.clock.now)
    if config.recording.file is None:
        return None
    # Not sooner: what plays, reads and compares recordings comes with it, some megabytes in each worker.
    from adapter.recorder import recording_of

    return recording_of(config, service.clock.now)
