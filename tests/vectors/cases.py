"""Runs one OSCI vector through unseal and compares everything its sidecar states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys import private
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.formats import OSCI_TYPE, Role

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
OWN_KEYS = (
    "recipient-cipher",
    "reader-cipher",
    "reader2-cipher",
    "originator-cipher",
    "intermediary-cipher",
    "expired-reader-cipher",
)
PASSWORD = b"osci-vektor-dev"

REASONS = {
    "transport signature invalid": ("osci.transport-signature.invalid", "mime.malformed"),
    "not all relevant parts signed": ("osci.transport-signature.incomplete",),
    "transport signature missing": ("osci.transport-signature.missing",),
    "unsigned attachment": ("osci.transport-signature.incomplete",),
    "unreferenced attachment": ("osci.attachment.unreferenced",),
    "attachment missing": ("osci.attachment.missing", "osci.transport-signature.invalid"),
    "content-id must be treated as opaque": ("osci.content-signature.invalid",),
    "content signature invalid": ("osci.content-signature.invalid",),
    "content signature invalid: unsigned part in signed container": ("osci.content.unsigned-part",),
    "content signature missing": ("signature.required",),
    "attachment decryption failed": ("osci.content.undecryptable",),
    "content decryption failed": ("osci.content.undecryptable", "osci.structure"),
    "content decryption failed or signature invalid": ("osci.content.undecryptable",),
    "content not decryptable: no matching key": ("osci.content.no-key",),
    "content not decryptable with the keys given": ("osci.content.no-key",),
    "content malformed": ("osci.content.malformed",),
    "transport decryption failed": ("osci.transport.undecryptable",),
    "transport decryption failed or signature invalid": ("osci.transport.undecryptable",),
    "no private key for transport envelope": ("osci.transport.no-key",),
    "unsupported algorithm": ("policy.algorithm",),
    "unsupported algorithm parameter": ("policy.parameter",),
    "security: DTD forbidden": ("xml.dtd-forbidden",),
    "resource limit": ("xml.limit", "mime.limit"),
    "control block invalid": ("osci.control-block",),
    "malformed: missing header": ("osci.control-block",),
    "malformed: header without Id": ("osci.structure",),
    "malformed: missing process card": ("osci.structure",),
    "malformed: message type mismatch": ("osci.structure",),
    "malformed: duplicate element": ("osci.structure", "osci.duplicate-id"),
    "malformed: schema": ("osci.structure",),
    "malformed: reference": ("osci.reference",),
    "malformed: unresolved certificate reference": ("osci.reference",),
    "malformed: unknown message type": ("osci.type.unknown",),
    "malformed: MIME": ("mime.malformed", "mime.limit"),
    "malformed: truncated MIME": ("mime.malformed",),
    "malformed: charset": ("xml.encoding",),
    "malformed: encoding": ("xml.encoding",),
    "malformed: XML": ("xml.malformed",),
    "malformed: PI forbidden by SOAP 1.1": ("xml.malformed",),
    "signature wrapping": ("osci.structure", "osci.duplicate-id"),
    "signature wrapping / duplicate Id": ("osci.structure", "osci.duplicate-id"),
    "signature wrapping / duplicate element": ("osci.structure", "osci.duplicate-id"),
    "signature wrapping / duplicate reference": ("osci.signature.duplicate-reference",),
}
"""Which of our codes is the right reason for a sidecar's category: refused for another reason is a failure."""


@dataclass(frozen=True)
class Case:
    """One vector: its message and its sidecar."""

    kind: str
    name: str
    folder: Path

    @property
    def sidecar(self) -> dict[str, Any]:
        return json.loads((self.folder / self.kind / f"{self.name}.expected.json").read_text("utf-8"))

    @property
    def message(self) -> bytes:
        return (self.folder / self.kind / f"{self.name}.osci").read_bytes()


def cases(folder: Path, kind: str) -> list[Case]:
    """All vectors of one kind in a folder laid out like the shared one."""
    names = sorted(path.name.removesuffix(".expected.json") for path in (folder / kind).glob("*.expected.json"))
    return [Case(kind, name, folder) for name in names]


def keyring_of(folder: Path, names: tuple[str, ...] = OWN_KEYS, require: tuple[str, ...] = ()) -> Keyring:
    """The vectors' keys of these names, with the test CA as anchor."""
    return Keyring([_key(folder, name) for name in names], [_anchor(folder)], require=require)


def open_case(
    case: Case,
    policy: str = "legacy",
    require: tuple[str, ...] = (),
    role: Role = "any",
    spool: Spool | None = None,
) -> Opened:
    """The vector through unseal, with the keys its sidecar grants and the test CA as anchor."""
    available = case.sidecar.get("keysAvailable", "all")
    names = OWN_KEYS if available == "all" else tuple(available)
    keyring = keyring_of(case.folder, names, require)
    content = MemoryContent(case.message) if spool is None else spool.keep(case.message)
    kind, rules = OSCI_TYPE, profile(policy)
    return unseal(content, content_type=kind, keyring=keyring, policy=rules, at=AT, role=role, spool=spool)


def accepted(case: Case) -> None:
    """Asserts that a positive message or variant is opened with everything its sidecar states."""
    sidecar = case.sidecar
    opened = open_case(case)
    _compare(opened, sidecar | sidecar.get("parsed", {}))
    _compare_trust(opened, sidecar["expected"].get("trust", {}))


def known_but_rejected(case: Case) -> None:
    """Asserts the positives that must be reported as rejected: what was established is still told."""
    expected = case.sidecar["expected"]
    refusal = refused(case)
    known = refusal.known

    assert known is not None
    assert known.message_type == case.sidecar["messageType"]
    assert known.contents == ()
    if expected["outcome"] == "soap-fault":
        assert (refusal.code, refusal.osci_code) == ("osci.fault-received", expected["osciCode"])
    else:
        assert refusal.code in REASONS[expected["category"]]
        _compare_transport(known, case.sidecar["transportSignature"])


def refused(case: Case, require: tuple[str, ...] = ()) -> NotOpened:
    """The refusal of a vector; accepting it is a failure."""
    try:
        open_case(case, require=require)
    except NotOpened as refusal:
        return refusal
    raise AssertionError(f"{case.name} was accepted")


def rejected(case: Case) -> None:
    """Asserts that a negative vector is refused for the right reason and with an acceptable OSCI code."""
    expected = case.sidecar["expected"]
    refusal = refused(case, demands(expected))

    assert refusal.code in REASONS[expected["category"]]
    acceptable = {expected.get("osciCode"), *expected.get("acceptableAlternatives", ())}
    assert refusal.osci_code in acceptable


def demands(expected: dict[str, Any]) -> tuple[str, ...]:
    """What a receiver has to demand for a message that is formally fine but unsigned (README of the vectors)."""
    if not expected["category"].endswith("signature missing"):
        return ()
    return ("transport-signature",) if expected["category"].startswith("transport") else ("content-signature",)


@cache
def _key(folder: Path, name: str) -> DecryptionKey:
    return private.from_p12(folder / "keys" / f"{name}.p12", PASSWORD, name)


@cache
def _anchor(folder: Path) -> Anchor:
    pem = (folder / "keys" / "test-ca.cert.pem").read_bytes()
    return Anchor(x509.load_pem_x509_certificate(pem), frozenset({"transport", "content"}))


def _compare(opened: Opened, sidecar: dict[str, Any]) -> None:
    nodes = list(_tree(sidecar.get("contentPackage", [])))
    data = sorted((place, node["length"], node["sha256"]) for kind, place, node in nodes if kind == "data")
    files = sorted((a["refId"], a["length"], a["sha256"], a["encrypted"]) for a in sidecar.get("attachments", []))
    signatures = sorted(
        (place, s["signer"], s["algorithm"], sorted(s["references"]), s["valid"], s["weak"])
        for kind, place, s in nodes
        if kind == "signature"
    )

    assert opened.format == "osci-1.2"
    assert opened.message_type == sidecar["messageType"]
    assert opened.message_id == sidecar.get("messageId", "")
    assert opened.subject == sidecar.get("subject", "")
    assert sorted((p.place, p.content.length, p.content.sha256) for p in opened.contents) == data
    assert sorted((p.name, p.content.length, p.content.sha256, p.encrypted) for p in opened.attachments) == files
    assert (
        sorted(
            (s.place, s.signer, s.algorithm, sorted(s.covers), s.valid, s.weak)
            for s in opened.signatures
            if s.layer == "content"
        )
        == signatures
    )
    _compare_transport(opened, sidecar["transportSignature"])


def _compare_transport(opened: Opened, expected: dict[str, Any]) -> None:
    found = [s for s in opened.signatures if s.layer == "transport"]
    if not expected["present"]:
        assert found == []
        return

    assert [fact.valid for fact in found] == [expected["valid"]]
    if "references" in expected:  # for two requests the reference library has no parser that would tell more
        assert [(s.signer, s.algorithm, sorted(s.covers)) for s in found] == [
            (expected["signer"], expected["algorithm"], sorted(expected["references"]))
        ]


def _compare_trust(opened: Opened, expected: dict[str, str]) -> None:
    """Every signer leads to the test CA, unless the sidecar says that the author is expired or of another CA."""
    author = expected.get("authorCertificate", "")
    author_trusted = not (author == "expired" or author.startswith("issued by an untrusted CA"))

    assert {s.trusted for s in opened.signatures if s.layer == "transport"} <= {True}
    assert {s.trusted for s in opened.signatures if s.layer == "content"} <= {author_trusted}


def _tree(nodes: list[dict[str, Any]], above: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    for node in nodes:
        place = above + node["refId"]
        if node["kind"] == "encrypted":
            yield from _tree([node["container"]] if "container" in node else [], f"{place}/")
            continue
        for signature in node.get("signatures", []):
            yield "signature", place, signature
        for content in node["contents"]:
            below = f"{place}/{content['refId']}"
            if content["type"] == "data":
                yield "data", below, content
            elif content["type"] == "container":
                yield from _tree([content["container"]], f"{below}/")
        yield from _tree(node.get("encryptedData", []), f"{place}/")
