"""Reads Wycheproof files from the shared folder and counts how our entry points judge them; the files are never copied.

Every case ends in one count: `agrees`, or the name of why our profile refuses what the vectors call valid. Anything else is
a failure and is told with its case id.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""The hashes that a URI of XML encryption or signature names, as far as the vectors have them."""

Group = dict[str, Any]
Case = dict[str, Any]
Judge = Callable[[Group, Case], str]
"""Gives `agrees`, a reason of our profile, or a text that begins with `FAILED`."""


def tally(shared: Path, name: str, judge: Judge) -> Counter[str]:
    """All cases of a file, counted; AssertionError with the ids of those that failed."""
    file = json.loads((shared / "vectors" / "wycheproof" / f"{name}_test.json").read_text("utf-8"))
    counted: Counter[str] = Counter()
    failed = []
    for group, case in _cases(file):
        verdict = judge(group, case)
        counted[verdict] += 1
        if verdict.startswith("FAILED"):
            failed.append(f"{name} {case['tcId']} ({case['result']}, {case['comment']}): {verdict}")

    assert [] == failed
    assert file["numberOfTests"] == counted.total()
    return counted


def octets(case: Case, name: str) -> bytes:
    """A value of a case, from hex."""
    return bytes.fromhex(case[name])


def agrees(case: Case, accepted: bool) -> str:
    """Valid must be accepted; invalid and merely acceptable must not."""
    return "agrees" if accepted is (case["result"] == "valid") else f"FAILED: {'' if accepted else 'not '}accepted"


def outside(case: Case, reason: str, accepted: bool) -> str:
    """For what our profile does not have: refused, whatever the vectors say."""
    return "FAILED: accepted outside the profile" if accepted else "agrees" if case["result"] == "invalid" else reason


def certificate_for(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> x509.Certificate:
    """A certificate that holds this public key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wycheproof")])
    return (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=public, serial_number=1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(_issuer(), hashes.SHA256())
    )


def _cases(file: dict[str, Any]) -> Iterator[tuple[Group, Case]]:
    for group in file["testGroups"]:
        for case in group["tests"]:
            yield group, case


@cache
def _issuer() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
