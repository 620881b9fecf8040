"""A set-up in which nothing is wrong: database, service, a TLS front with a CA of its own, a Twilio in memory.

Tests break one thing of it. The service runs in threads of the test, twice: plain, and behind TLS.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from adapter.app import create_app
from adapter.config import load
from tests.twilio.rest import Rest

ACCOUNT, TOKEN, NUMBER = "AC" + "a" * 32, "0123456789abcdef0123456789abcdef", "+14155550100"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Not in the tests' output."""


@dataclass
class Healthy:
    """`days`, `names`: of the certificate. Change what is to be broken, then `start()`."""

    folder: Path
    rest: Rest = field(default_factory=lambda: Rest(ACCOUNT, [TOKEN]))
    days: float = 90
    names: tuple[str, ...] = ("localhost",)
    # What stands between Twilio and the service.
    proxy: Callable[[Wsgi], Wsgi] = lambda app: app
    settings: dict[str, Any] = field(default_factory=dict)
    _servers: list[BaseWSGIServer] = field(default_factory=list)

    @property
    def config_path(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def plain_url(self) -> str:
        """Of the service itself, past what does TLS."""
        return f"http://127.0.0.1:{self._servers[1].port}"

    def start(self) -> None:
        """Everything runs, the configuration is written, and Twilio's number points here."""
        handler = lambda environ, start: self._app(environ, start)  # noqa: E731 - the app needs the port first
        front = make_server("localhost", 0, handler, threaded=True, request_handler=_Quiet, ssl_context=self._tls())
        plain = make_server("127.0.0.1", 0, handler, threaded=True, request_handler=_Quiet)
        url = f"https://localhost:{front.port}"
        self.write_config(url, plain.port)
        product = create_app(load(self.config_path, {}))
        self._store = product.extensions["sticky-calls"].store
        self._app = self.proxy(product)
        for server in (front, plain):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            self._servers.append(server)
        self.rest.date = ""
        addresses = {"voice_url": "voice", "voice_fallback_url": "fallback", "status_callback": "status"}
        self.rest.add_number(NUMBER, **{name: f"{url}/twilio/{path}" for name, path in addresses.items()})

    def write_config(self, url: str, port: int) -> None:
        """As an operator would have it."""
        written = {
            "database": {"url": f"sqlite:///{self.database}"},
            "server": {"bind": f"127.0.0.1:{port}", "workers": 1},
            "twilio": {"public_url": url, "accounts": [{"sid": ACCOUNT, "auth_tokens": [TOKEN]}]},
            "lines": [{"account": ACCOUNT, "number": NUMBER, "destination": {"dial": "+14155550199"}}],
        }
        self.config_path.write_text(yaml.safe_dump({**written, **self.settings}), "utf-8")

    def edit_config(self, change: Callable[[dict[str, Any]], None]) -> None:
        """What is written differs now from what the service runs with."""
        written = yaml.safe_load(self.config_path.read_text("utf-8"))
        change(written)
        self.config_path.write_text(yaml.safe_dump(written), "utf-8")

    def stop(self, *which: int) -> None:
        """The TLS front is server 0, the service itself 1; without any: all."""
        for place in sorted(which or range(len(self._servers)), reverse=True):
            server = self._servers.pop(place)
            server.shutdown()
            server.server_close()
        if not which and hasattr(self, "_store"):
            self._store.close()

    def _tls(self) -> ssl.SSLContext:
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        _issue(self.ca_file, certificate, key, self.names, self.days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def _issue(ca_file: Path, certificate: Path, key_file: Path, names: tuple[str, ...], days: float) -> None:
    """A CA and a certificate of it."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _signed("CA of the tests", "CA of the tests", ca_key, ca_key, 3_650, (), is_ca=True)
    made = _signed(names[0], "CA of the tests", key, ca_key, days, names, is_ca=False)
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))


def _signed(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    ca_key: ec.EllipticCurvePrivateKey,
    days: float,
    names: tuple[str, ...],
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
    return made.sign(ca_key, hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
