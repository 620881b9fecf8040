"""The typical app: the same calls served the way an engineer would write it first, from the usual libraries.

Flask-SQLAlchemy's ORM, Flask-Limiter, twilio's RequestValidator, SQLite in WAL mode. It keeps customers, numbers,
calls, intents and variables and does none of the rest (exact limits, races, encryption, explanations, conversations).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from flask_limiter import Limiter
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

db = SQLAlchemy()


class ApiKey(db.Model):  # type: ignore[name-defined,misc]
    hash = db.Column(db.String, primary_key=True)
    organization = db.Column(db.String, nullable=False)


class Customer(db.Model):  # type: ignore[name-defined,misc]
    ref = db.Column(db.String, primary_key=True)
    last_contact = db.Column(db.DateTime, nullable=False)
    intents = db.relationship("Intent", back_populates="customer")
    variables = db.relationship("Variable", back_populates="customer")


class Number(db.Model):  # type: ignore[name-defined,misc]
    ani = db.Column(db.String, primary_key=True)
    customer_ref = db.Column(db.ForeignKey("customer.ref"), nullable=False)


class Call(db.Model):  # type: ignore[name-defined,misc]
    call_id = db.Column(db.String, primary_key=True)
    customer_ref = db.Column(db.ForeignKey("customer.ref"), nullable=False, index=True)
    started_at = db.Column(db.DateTime, nullable=False)
    ended_at = db.Column(db.DateTime)


class Intent(db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    customer_ref = db.Column(db.ForeignKey("customer.ref"), nullable=False, index=True)
    name = db.Column(db.String, nullable=False)
    status = db.Column(db.String, nullable=False)
    attempts = db.Column(db.Integer, nullable=False, default=1)
    customer = db.relationship("Customer", back_populates="intents")


class Variable(db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    customer_ref = db.Column(db.ForeignKey("customer.ref"), nullable=False, index=True)
    name = db.Column(db.String, nullable=False)
    value = db.Column(db.String, nullable=False)
    customer = db.relationship("Customer", back_populates="variables")


@event.listens_for(Engine, "connect")
def _wal(connection: Any, _: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return  # the product's, on PostgreSQL, whose callers are made in the same process
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")


def build() -> Flask:  # noqa: C901 - in one piece, as such apps are
    app = Flask("typical", static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["TYPICAL_DATABASE"]
    db.init_app(app)
    limiter = Limiter(lambda: request.headers.get("Authorization", "twilio"), app=app, storage_uri="memory://")
    unlimited = limiter.limit("1000000 per minute")
    validator = RequestValidator(os.environ["TYPICAL_TOKEN"])
    public_url = os.environ["TYPICAL_URL"]
    with app.app_context():
        db.create_all()

    def check_signature() -> None:
        url = public_url + request.path
        if not validator.validate(url, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)

    def check_key() -> None:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if db.session.get(ApiKey, hashlib.sha256(key.encode()).hexdigest()) is None:
            abort(401)

    @app.post("/twilio/voice")
    @unlimited
    def voice() -> Response:
        check_signature()
        customer = _start(request.form["CallSid"], request.form["From"])
        response = VoiceResponse()
        name = next((each.value for each in customer.variables if each.name == "name"), None)
        response.say(f"Welcome back, {name}." if name else "Welcome.")
        response.dial("+14155550199")
        return Response(str(response), content_type="text/xml")

    @app.post("/twilio/status")
    @unlimited
    def status() -> tuple[str, int]:
        check_signature()
        call = db.session.get(Call, request.form["CallSid"])
        if call is not None:
            call.ended_at = datetime.now(UTC)
            db.session.commit()
        return "", 204

    @app.post("/v1/calls/start")
    @unlimited
    def start() -> Any:
        check_key()
        body = request.get_json(force=True)
        customer = _start(body["call_id"], body["identity_hints"]["ani"])
        return jsonify(
            call_id=body["call_id"],
            customer_ref=customer.ref,
            open_intents=[{"intent": each.name, "attempt_count": each.attempts} for each in customer.intents],
            variables={each.name: {"value": each.value} for each in customer.variables},
        )

    @app.post("/v1/calls/end")
    @unlimited
    def end() -> Any:
        check_key()
        body = request.get_json(force=True)
        number = db.session.get(Number, body["identity_hints"]["ani"])
        customer = db.session.get(Customer, number.customer_ref)
        call = db.session.get(Call, body["call_id"])
        if call is not None:
            call.ended_at = datetime.now(UTC)
        for name, update in body.get("variable_updates", {}).items():
            variable = Variable.query.filter_by(customer_ref=customer.ref, name=name).first()
            if variable is None:
                variable = Variable(customer_ref=customer.ref, name=name)
                db.session.add(variable)
            variable.value = update["value"]
        db.session.commit()
        return jsonify(call_id=body["call_id"], customer_ref=customer.ref)

    @app.get("/v1/health")
    def health() -> Any:
        return jsonify(status="healthy")

    return app


def _start(call_id: str, ani: str) -> Any:
    number = db.session.get(Number, ani)
    if number is None:
        customer = Customer(ref=str(uuid.uuid4()), last_contact=datetime.now(UTC))
        db.session.add_all([customer, Number(ani=ani, customer_ref=customer.ref)])
    else:
        customer = db.session.get(Customer, number.customer_ref)
        customer.last_contact = datetime.now(UTC)
    db.session.add(Call(call_id=call_id, customer_ref=customer.ref, started_at=datetime.now(UTC)))
    db.session.commit()
    return customer
