"""The families of vectors that nobody may be able to tell apart, as requests: each one new where it would be taken."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intermediary.keys.identity import SignatureKey, from_p12
from intermediary.osci.write.certificates import CertificateList, list_certificates
from intermediary.osci.write.foreign import foreign_certificates, foreign_package
from intermediary.osci.write.laufzettel import Laufzettel
from intermediary.osci.write.message import Control, Outgoing, Protection
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.orders import Handover
from intermediary.osci.write.writing import write
from intermediary.unseal import mime

PASSWORD = b"osci-vektor-dev"
_NOTES = {
    "transport padding": "Padding-Orakel-Familie Transport",
    "content padding": "Padding-Orakel-Familie Inhalt",
    "rsa 1.5": "Bleichenbacher-Familie",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a family; `request` gives the bytes of the next request."""

    name: str
    request: Callable[[], bytes]


def families(vectors: Path) -> dict[str, list[Member]]:
    """The members of each family, by the notes in their sidecars. What fails in the transport can be sent unchanged; what
    is taken and judged is wrapped anew for each request, so that it is not known from before.
    """
    signer = from_p12(vectors / "keys" / "intermediary-signature.p12", PASSWORD, "vectors")
    cipher = from_p12(vectors / "keys" / "intermediary-cipher.p12", PASSWORD, "vectors")
    found: dict[str, list[Member]] = {name: [] for name in _NOTES}
    for sidecar in sorted((vectors / "negative").glob("*.expected.json")):
        note = json.loads(sidecar.read_text(encoding="utf-8"))["expected"].get("policyNote") or ""
        for family, words in _NOTES.items():
            if words in note:
                name = sidecar.name.removesuffix(".expected.json")
                found[family].append(
                    _member(name, (vectors / "negative" / f"{name}.osci").read_bytes(), signer, cipher)
                )
    return found


def _member(name: str, raw: bytes, signer: SignatureKey, cipher: SignatureKey) -> Member:
    if b"<osci:ContentPackage" not in raw:
        return Member(name, lambda: raw)
    package = foreign_package(
        _between(raw, b"<osci:ContentPackage", b"</osci:ContentPackage>"),
        [WirePart(part.content_id, part.media_type, part.data) for part in mime.read(raw).others],
    )
    others = foreign_certificates(
        _between(raw, b"<osci:NonIntermediaryCertificates", b"</osci:NonIntermediaryCertificates>")
    )
    own = list_certificates(intermediary_cipher=cipher.certificate, intermediary_signature=signer.certificate)
    certificates = CertificateList(own.intermediary, others)

    def request() -> bytes:
        now = datetime.now(UTC)
        card = Laufzettel(
            message_id=f"bench/{secrets.token_hex(12)}", created=now - timedelta(seconds=2), forwarded=now
        )
        message = Outgoing(
            kind="AcceptDelivery",
            control=Control(challenge=secrets.token_bytes(10)),
            order=Handover(card=card),
            certificates=certificates,
            package=package,
        )
        return write(message, Protection(signer=signer), random=secrets.token_bytes)

    return Member(name, request)


def _between(raw: bytes, start: bytes, end: bytes) -> bytes:
    begin = raw.index(start)
    return raw[begin : raw.index(end, begin) + len(end)]
