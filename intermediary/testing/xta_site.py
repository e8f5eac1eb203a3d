"""An installation with an XTA server: the demo's, a portal that sends, a Fachverfahren that fetches, and the TLS of all.

Also for whoever needs the server alone: `furnish` the folder, then `intermediary run -c folder/intermediary.toml`.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from intermediary.testing.demo_site import MANDANT, Site, make_site, route_toml
from intermediary.testing.pki import Pki

XTA_SERVICE = "urn:example:musterland:bewohnerparken:xta:1.0"
SYNC_SERVICE = "urn:example:musterland:bewohnerparken:xta-sync:1.0"
PORTAL = "prt:0000000001"
READER = "fvt:0000000001"
OWN = "ags:05999044"

_CHANNEL = """
[[channel]]
name = "xta"
type = "xta_passive"
mandanten = ["{mandant}"]
[channel.xta_passive]
listen = "127.0.0.1:{port}"
tls_cert = "tls/server.cert.pem"
tls_key = "tls/server.key.pem"
client_ca = "tls/ca.cert.pem"
sync_services = ["{sync}"]
judged_seconds = {judged_seconds}
[channel.xta_passive.readers]
"{own}" = "{mandant}"
"""
_PARTNERS = f"""
[[partner]]
kennung = "{PORTAL}"
name = "Portal"
[partner.account]
client = ["tls/portal.cert.pem"]

[[partner]]
kennung = "{READER}"
name = "Fachverfahren"
[partner.account]
client = ["tls/reader.cert.pem"]

[[partner]]
kennung = "prt:0000000002"
name = "gesperrt"
[partner.account]
client = ["tls/locked.cert.pem"]
locked = true

[[partner]]
kennung = "prt:0000000003"
name = "nur ein Dienst"
[partner.account]
client = ["tls/narrow.cert.pem"]
services = ["urn:example:anderer-dienst"]

[[partner]]
kennung = "prt:0000000004"
name = "abgelaufen"
[partner.account]
client = ["tls/expired.cert.pem"]
"""
_TARGET = f"""[[route.target]]
name = "fachverfahren"
connector = "xta_postfach"
[route.target.settings]
account = "{READER}"
author = "{OWN}"
service = "urn:example:fachverfahren:parken:1.0"
list_uri = "urn:xoev-de:xdomea:codeliste:nachrichtentyp"
payload_schema = "urn:xoev-de:xdomea:schema:3.1.0"
form = "{{form}}"
"""


@dataclass(frozen=True, slots=True)
class XtaSite:
    """The folder, and where its server listens. `tls` holds `NAME.cert.pem` and `NAME.key.pem` of everybody."""

    site: Site
    port: int

    @property
    def tls(self) -> Path:
        return self.site.folder / "tls"

    def url(self, port: str) -> str:
        """The address of a port: `management`, `send` or `msgbox`."""
        return f"https://localhost:{self.port}/xta/{port}"

    def context(self, name: str = "portal") -> ssl.SSLContext:
        """TLS of this client; of nobody for an empty name."""
        context = ssl.create_default_context(cafile=str(self.tls / "ca.cert.pem"))
        if name:
            context.load_cert_chain(self.tls / f"{name}.cert.pem", self.tls / f"{name}.key.pem")
        return context


def furnish(
    folder: Path,
    pki: Pki,
    *,
    now: datetime,
    settings: str,
    judged_seconds: int = 10,
    form: str = "nachricht",
) -> XtaSite:
    """Make the folder; `settings` is the TOML of the mapping's settings, `form` that of what lies in the box."""
    site = make_site(folder, now=now, settings=settings, pki=pki)
    port = free_port()
    write_tls(folder / "tls", now=now)
    (folder / "partners.toml").write_text(_PARTNERS, encoding="utf-8")
    config = site.config.read_text(encoding="utf-8")
    config = config.replace('routes = "routes.toml"\n', 'routes = "routes.toml"\npartners = "partners.toml"\n')
    channel = _CHANNEL.format(mandant=MANDANT, port=port, sync=SYNC_SERVICE, own=OWN, judged_seconds=judged_seconds)
    site.config.write_text(config + channel, encoding="utf-8")
    with (folder / "routes.toml").open("a", encoding="utf-8") as file:
        for name, service in (("xta", XTA_SERVICE), ("xta-sync", SYNC_SERVICE)):
            route = route_toml(f"bewohnerparken-{name}", service, settings)
            route = route.replace('require = ["content-signature"]\n', "").partition("[[route.target]]")[0]
            file.write(route + _TARGET.format(form=form) + "\n")
    return XtaSite(site, port)


def write_tls(folder: Path, *, now: datetime) -> None:
    """A CA, the server, and clients: good ones, and those that must not come in."""
    folder.mkdir(mode=0o700, exist_ok=True)
    ca = _Issuer("Test-CA", folder / "ca", now)
    ca.issue(folder / "server", "localhost", server=True)
    for name in ("portal", "reader", "locked", "narrow", "unlisted"):
        ca.issue(folder / name, name)
    ca.issue(folder / "expired", "expired", until=now - timedelta(hours=1))
    _Issuer("Andere CA", folder / "other-ca", now).issue(folder / "foreign", "portal")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class _Issuer:
    """A CA with a key of its own, and what it signs."""

    def __init__(self, name: str, place: Path, now: datetime) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self._now = now
        builder = self._begun(self._name, self._key.public_key(), now + timedelta(days=365))
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(usage, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        _write(place, builder.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256()), self._key)

    def issue(self, place: Path, name: str, *, until: datetime | None = None, server: bool = False) -> None:
        """A certificate and its key, for localhost where it is a server's."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begun(_named(name), key.public_key(), until or self._now + timedelta(days=120))
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))] if server else [x509.DNSName(name)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        _write(place, builder.add_extension(authority, critical=False).sign(self._key, hashes.SHA256()), key)

    def _begun(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, until: datetime
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(subject_name=subject, issuer_name=self._name, public_key=public_key)
        begins = min(self._now, until) - timedelta(days=1)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(until)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write(place: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    place.with_name(f"{place.name}.cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    own = place.with_name(f"{place.name}.key.pem")
    own.touch(mode=0o600)
    own.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
