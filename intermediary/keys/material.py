"""Cached revocation material: the CRLs and OCSP responses in a folder that an operator keeps fresh; nothing is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

Mode = Literal["off", "soft", "hard"]
MODES: tuple[Mode, ...] = ("off", "soft", "hard")
GRACE = timedelta(hours=24)

_PEM = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"


@dataclass(frozen=True, slots=True)
class Crl:
    """One revocation list, with the file it came from and the SHA-256 of its DER form."""

    file: str
    sha256: str
    crl: x509.CertificateRevocationList = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ocsp:
    """One answer of an OCSP responder, with the file it came from and its SHA-256."""

    file: str
    sha256: str
    response: ocsp.OCSPResponse = field(repr=False)


class Material:
    """What was in the folder when it was read, indexed; never changed afterwards. Shared by all threads.

    `unreadable` are the names of files that are neither: they are skipped, because one broken download must not take away
    the rest. Whether anything in here is genuine and fresh is for `unseal` to judge.
    """

    def __init__(
        self, crls: Iterable[Crl] = (), responses: Iterable[Ocsp] = (), unreadable: Iterable[str] = ()
    ) -> None:
        self.all_crls = tuple(crls)
        self.all_responses = tuple(responses)
        self.unreadable = tuple(unreadable)
        self._crls: dict[bytes, list[Crl]] = {}
        self._responses: dict[int, list[tuple[Ocsp, ocsp.OCSPSingleResponse]]] = {}
        self._genuine: dict[tuple[str, x509.Certificate], bool] = {}
        self._serials: dict[str, frozenset[int]] = {}
        for entry in self.all_crls:
            self._crls.setdefault(entry.crl.issuer.public_bytes(), []).append(entry)
        for answer in self.all_responses:
            for single in answer.response.responses:
                self._responses.setdefault(single.serial_number, []).append((answer, single))

    @classmethod
    def load(cls, folder: Path) -> Material:
        """Everything directly in the folder: CRLs as DER or PEM, OCSP responses as DER; hidden files are left out."""
        crls: list[Crl] = []
        responses: list[Ocsp] = []
        unreadable: list[str] = []
        for path in material_files(folder):
            try:
                found = _read(path)
            except (OSError, ValueError, UnsupportedAlgorithm):
                unreadable.append(path.name)
                continue
            crls += [one for one in found if isinstance(one, Crl)]
            responses += [one for one in found if isinstance(one, Ocsp)]
        return cls(crls, responses, unreadable)

    def crls(self, issuer: x509.Name) -> tuple[Crl, ...]:
        """The lists in the name of this issuer."""
        return tuple(self._crls.get(issuer.public_bytes(), ()))

    def responses(self, serial: int) -> tuple[tuple[Ocsp, ocsp.OCSPSingleResponse], ...]:
        """The answers about this serial number, of whichever issuer."""
        return tuple(self._responses.get(serial, ()))

    def is_signed_by(self, entry: Crl, issuer: x509.Certificate) -> bool:
        """Whether the list's signature is this certificate's; calculated once per list and key, for lists are large."""
        known = (entry.sha256, issuer)
        if known not in self._genuine:
            self._genuine[known] = _holds(entry.crl, issuer)
        return self._genuine[known]

    def entry_of(self, entry: Crl, serial: int) -> x509.RevokedCertificate | None:
        """What the list says about this serial number. The library looks from end to end: so first into an index."""
        if entry.sha256 not in self._serials:
            self._serials[entry.sha256] = frozenset(one.serial_number for one in entry.crl)
        is_listed = serial in self._serials[entry.sha256]
        return entry.crl.get_revoked_certificate_by_serial_number(serial) if is_listed else None


@dataclass(frozen=True, slots=True)
class Revocation:
    """How revocation is judged for the signatures of a Mandant.

    `hard`: without fresh material a signer is undetermined; `soft`: goes on, with a Befund; `off`: not looked at. `grace`
    is how long material still counts after its own end.
    """

    mode: Mode = "off"
    grace: timedelta = GRACE
    material: Material = field(default_factory=Material, repr=False)


def material_files(folder: Path) -> tuple[Path, ...]:
    """The files that make up the material, by name; none if there is no such folder. For whoever watches them."""
    try:
        return tuple(sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")))
    except OSError:
        return ()


def _read(path: Path) -> list[Crl | Ocsp]:
    data = path.read_bytes()
    if _PEM in data:
        blocks = [_PEM + block.partition(_END)[0] + _END + b"\n" for block in data.split(_PEM)[1:]]
        return [_crl(path, x509.load_pem_x509_crl(block)) for block in blocks]
    try:
        return [_crl(path, x509.load_der_x509_crl(data))]
    except ValueError:
        response = ocsp.load_der_ocsp_response(data)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError("an OCSP response without an answer")
    return [Ocsp(path.name, hashlib.sha256(data).hexdigest(), response)]


def _crl(path: Path, crl: x509.CertificateRevocationList) -> Crl:
    return Crl(path.name, hashlib.sha256(crl.public_bytes(Encoding.DER)).hexdigest(), crl)


def _holds(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
