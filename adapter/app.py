"""The only wiring: configuration → store, engine's numbers, edges → one Flask app.

A worker comes up even when the database does not answer: callers must hear something, and `/v1/health` must tell.
"""

from __future__ import annotations

import logging

from flask import Flask

from adapter.clock import Clock, Ids, RandomIds, SystemClock
from adapter.config import Config
from adapter.config.pepper import pepper_for
from adapter.errors import StoreUnavailable
from adapter.lookups import LineTypeLookups
from adapter.store.database import Store
from adapter.store.inbox import Inbox
from adapter.store.sealing import Keyring
from adapter.twilio.lookup import Lookup
from adapter.twilio.twiml import Speaker
from adapter.usecases import Directory, Service, prepare
from adapter.web import api, docs, openapi, problems, voice

_LOG = logging.getLogger(__name__)


def create_app(
    config: Config, *, store: Store | None = None, clock: Clock | None = None, ids: Ids | None = None
) -> Flask:
    """One app for one process; call it after forking. `store`, `clock` and `ids` replace the real ones."""
    service = build_service(config, store=store, clock=clock, ids=ids)
    app = Flask("adapter", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the reference has an order of fields
    app.extensions["sticky-calls"] = service
    problems.install(app, service.ids)
    app.register_blueprint(api.build(service))
    app.register_blueprint(openapi.build(service.policy))
    app.register_blueprint(docs.build())
    app.register_blueprint(voice.build(_voice_edge(config, service)))
    return app


def build_service(
    config: Config, *, store: Store | None = None, clock: Clock | None = None, ids: Ids | None = None
) -> Service:
    """What use cases work with. The database is created and brought up to date here."""
    keyring = Keyring(config.security.encryption_keys)
    store = store or Store.open(
        config.database.url, keyring, lock_timeout_seconds=config.database.lock_timeout_ms / 1000
    )
    service = Service(
        store=store,
        clock=clock or SystemClock(),
        ids=ids or RandomIds(),
        directory=Directory(store, pepper_for(config), config.organizations),
        policy=config.policy,
        inbox=Inbox.beside(config.database.url, keyring),
    )
    try:
        prepare(service)
    except StoreUnavailable as error:
        _LOG.error("starting without the database: %s", error.message)
    return service


def _voice_edge(config: Config, service: Service) -> voice.VoiceEdge:
    tokens = {account.sid: account.auth_tokens for account in config.twilio.accounts}
    return voice.VoiceEdge(
        service=service,
        lines=config.lines,
        tokens=tokens,
        public_url=config.twilio.public_url or "",
        speaker=Speaker(config.texts, config.twilio.public_url or ""),
        offer_lookup=LineTypeLookups(service, Lookup(tokens)).offer,
    )
