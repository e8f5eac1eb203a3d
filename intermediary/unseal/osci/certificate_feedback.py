"""What an answer says about the certificates in a request: the warnings and errors of digest §15."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from intermediary.core.faults import Rejected
from intermediary.keys.entries import Purpose
from intermediary.unseal.circumstances import Circumstances
from intermediary.unseal.osci.certificates import parsed

Client = Literal["Intermediary", "Originator"]

_INCOMPLETE = "3707"


@dataclass(frozen=True, slots=True)
class _Codes:
    """The codes of one role: outside its validity, signature of its issuer wrong, revoked, check incomplete."""

    purpose: Purpose
    outdated: str
    forged: str
    revoked: str
    incomplete: str = _INCOMPLETE


_CLIENT = {
    "Cipher": _Codes("transport", "3500", "9501", "9502", "3501"),
    "Signature": _Codes("transport", "3700", "9700", "9701"),
}
_AUTHOR = {
    "Cipher": _Codes("content", "3704", "9704", "9705"),
    "Signature": _Codes("content", "3701", "3702", "3703"),
}
_OTHERS = {
    "CipherCertificateAddressee": _Codes("transport", "3705", "9706", "9707"),
    "SignatureCertificateAddressee": _Codes("transport", "3708", "9711", "9712"),
    "CipherCertificateOtherReader": _Codes("content", "3706", "9708", "9709"),
}


def certificate_feedback(
    certificates: Mapping[str, tuple[bytes, ...]], circumstances: Circumstances, *, client: Client
) -> tuple[str, ...]:
    """The codes an answer carries about the certificates of a request, ascending, each once; empty: nothing to say.

    `certificates` are those of `OsciMessage` (DER by local name of the role), `client` is who made the request: the
    Intermediary towards a passive recipient, else the Originator. 3xxx are warnings; 9xxx are errors, of which 9501 and
    9502 are faults of the whole message. An Originator who is not the client is taken for an author. Where no anchor is
    configured nothing but the validity is looked at: what nobody wants checked is not told as incomplete. Pure.
    """
    found = {
        code
        for role, codes in _roles(client).items()
        for der in certificates.get(role, ())
        for code in _codes(der, codes, circumstances, signs=role.startswith("Signature"))
    }
    return tuple(sorted(found))


def _roles(client: Client) -> dict[str, _Codes]:
    authors = ("OtherAuthor",) if client == "Originator" else ("OtherAuthor", "Originator")
    roles = {f"{kind}Certificate{author}": codes for author in authors for kind, codes in _AUTHOR.items()}
    return roles | {f"{kind}Certificate{client}": codes for kind, codes in _CLIENT.items()} | _OTHERS


def _codes(der: bytes, codes: _Codes, circumstances: Circumstances, *, signs: bool) -> list[str]:
    try:
        certificate = parsed(der)
    except Rejected:
        return [codes.incomplete]
    outdated = [] if _is_valid(certificate, circumstances) else [codes.outdated]
    trust = circumstances.judge(certificate, codes.purpose, signs=signs)
    if trust.rule == "no-anchor":
        return outdated
    if trust.rule == "forged":
        return [*outdated, codes.forged]
    if trust.code == "signature.revoked":
        return [*outdated, codes.revoked]
    is_complete = trust.trusted is True and trust.code != "signature.revocation-unknown"
    return outdated if is_complete or outdated else [codes.incomplete]


def _is_valid(certificate: x509.Certificate, circumstances: Circumstances) -> bool:
    return certificate.not_valid_before_utc <= circumstances.at <= certificate.not_valid_after_utc
