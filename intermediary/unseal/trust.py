"""Trust in a signer: key usage, a path to an anchor that was valid at the time asked about, and no revocation until then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from intermediary.keys.material import Revocation
from intermediary.unseal.path import UNREADABLE, Path, PathFinder, broken_rule, is_valid_at
from intermediary.unseal.revocation import Standing, standing

Hints = Callable[[], Iterable[x509.Certificate]]
"""Gives further certificates that may stand in a path; asked only when ours lead nowhere."""

OFF = Revocation()


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether a signer is trusted (None: undetermined), and what led to it.

    `code` is a code of the catalogue: why not, or what was noted although it is; `rule` names the rule that decided.
    `material` are the revocation lists and answers that were used (`crl:<sha256>`), for the pins of a replay.
    """

    trusted: bool | None
    code: str = ""
    rule: str = ""
    material: tuple[str, ...] = ()


def may_sign(certificate: x509.Certificate) -> bool:
    """Key usage, if stated, must allow signatures (OSCI digest §11)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except UNREADABLE:
        return False
    return usage.digital_signature or usage.content_commitment


def judge(
    signer: x509.Certificate,
    *,
    anchors: Iterable[x509.Certificate],
    at: datetime,
    between: Iterable[x509.Certificate] = (),
    hints: Hints = tuple,
    revocation: Revocation = OFF,
    signs: bool = True,
) -> Trust:
    """Whether a path leads from the signer to an anchor, every rule of it held at `at`, and nothing in it was revoked.

    The best of several paths counts. `between` are our own certificates of authorities, `hints` those a message brought
    along; neither is believed by itself. Pure, and nothing is fetched: `revocation` is the material at hand. `signs` False
    asks about a certificate that is encrypted for: then its extended key usage does not matter.
    """
    trusted = tuple(anchors)
    if not trusted:
        return Trust(None, "signature.undetermined", "no-anchor")
    finder = PathFinder(trusted, between, hints)
    best: Trust | None = None
    for path in finder.paths(signer):
        found = _judge_path(path, at, revocation, signs=signs)
        if best is None or _RANK[found.code] < _RANK[best.code]:
            best = found
        if not best.code:
            break
    return best or Trust(False, "signature.untrusted", "forged" if finder.has_forgery else "no-path")


_RANK = {
    "": 0,
    "signature.revoked-later": 1,
    "signature.revocation-unknown": 2,
    "signature.undetermined": 3,
    "signature.revoked": 4,
    "signature.expired": 5,
    "signature.untrusted": 6,
}


def _judge_path(path: Path, at: datetime, revocation: Revocation, *, signs: bool) -> Trust:
    rule = broken_rule(path, signs=signs)
    if rule:
        return Trust(False, "signature.untrusted", rule)
    if not is_valid_at(path, at):
        return Trust(False, "signature.expired", "validity")
    if revocation.mode == "off":
        return Trust(True)
    found = [
        standing(certificate, issuer, at, material=revocation.material, grace=revocation.grace)
        for certificate, issuer in pairwise(path)
    ]
    return _judge_standings(found, revocation)


def _judge_standings(found: list[Standing], revocation: Revocation) -> Trust:
    """An anchor's own revocation is the operator's to see to: it has no issuer here."""
    used = tuple(dict.fromkeys(one.source for one in found if one.source))
    if any(one.state == "revoked" for one in found):
        return Trust(False, "signature.revoked", "revoked", used)
    if any(one.state == "unknown" for one in found):
        if revocation.mode == "hard":
            return Trust(None, "signature.undetermined", "no-revocation-material", used)
        return Trust(True, "signature.revocation-unknown", "no-revocation-material", used)
    if any(one.since is not None for one in found):
        return Trust(True, "signature.revoked-later", "revoked-later", used)
    return Trust(True, material=used)
