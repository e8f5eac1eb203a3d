"""Told the same, the writer writes what the reference library wrote: every vector, of every type, byte by byte."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from intermediary.osci.write import Random, write, write_fault
from intermediary.unseal.osci.names import KINDS
from tests.unit.osci.write import plain
from tests.unit.osci.write.reference import Reference, references


@pytest.fixture(scope="module")
def vectors(shared_or_none: Path | None) -> dict[str, Reference]:
    """The reference library's messages by name; none without the shared material (every test asks for that itself)."""
    return {} if shared_or_none is None else references(shared_or_none / "vectors" / "osci")


def test_the_vectors_have_every_type(shared, vectors):
    """No type of message goes without a comparison."""
    written = {reference.outgoing().kind for reference in vectors.values()}

    assert set(KINDS) == written


def test_faults_are_the_same_bytes(shared):
    """A SOAP fault is the reference's to the byte, with the text of its code or one of ours."""
    folder = shared / "vectors" / "osci"
    fault = write_fault("9400", server=False)

    assert (folder / "positive" / "soapfault-01-9400.osci").read_bytes() == fault
    assert (folder / "positive" / "soapfault-02-9000.osci").read_bytes() == write_fault("9000", server=True)
    assert b"<faultstring>a &lt; b</faultstring>" in write_fault("9000", "a < b", server=True)


def test_unsigned_they_are_the_same_bytes(shared, vectors, randomness: Random):
    """Header, body and parts are the reference's, but for its signature block and boundary."""
    for name, reference in vectors.items():
        written = write(reference.outgoing(), random=randomness)

        assert _unsigned(reference.message) == _bare(written), name


def test_signed_they_have_the_same_references(shared, vectors, randomness: Random):
    """Every digest and its algorithm are those the reference library made, for the certificate it named."""
    weak = []
    for name, reference in vectors.items():
        protection = replace(reference.protection(), recipient=None)
        written = write(reference.outgoing(), protection, random=randomness)
        if protection.signer is None and b"Signature Id=" in reference.root:
            weak.append(name)
            continue

        assert _references(reference.message) == _references(written), name
        assert _frame(reference.message) == _frame(written), name
    assert {"accept-19-weak-sha1"} >= set(weak)


def test_encrypted_they_have_the_same_envelope(shared, vectors, randomness: Random):
    """The transport envelope is the reference's but for key, ciphertext and boundary, and opens to the message."""
    sealed = {name: reference for name, reference in vectors.items() if reference.envelope is not None}
    for name, reference in sealed.items():
        protection = replace(reference.protection(), signer=None)
        written = write(reference.outgoing(), protection, random=randomness)
        private = reference.keys.private(reference.keys.owner(protection.recipient.public_bytes(Encoding.DER)))

        assert _envelope(reference.envelope) == _envelope(written), name
        assert _unsigned(reference.message) == _bare(plain.open_transport(written, private)), name
    assert len(sealed) > 5


def _bare(message: bytes) -> bytes:
    """Without the boundary's own letters."""
    return re.sub(rb"MIME_boundary_[A-Za-z0-9+/]{32}", b"MIME_boundary_", message)


def _unsigned(message: bytes) -> bytes:
    return re.sub(rb"<osci:(Client|Supplier)Signature .*?</osci:\1Signature>", b"", _bare(message), flags=re.DOTALL)


def _references(message: bytes) -> list[bytes]:
    found = plain.envelope(message).iterfind("soap:Header/*/ds:Signature/ds:SignedInfo/ds:Reference", plain.NS)
    return sorted(etree.tostring(one, method="c14n") for one in found)


def _frame(message: bytes) -> bytes:
    """The signature block without references and value."""
    block = re.search(rb"<osci:(?:Client|Supplier)Signature .*?</osci:\w+Signature>", message, re.DOTALL)
    if block is None:
        return b""
    return re.sub(rb"<ds:Reference .*</ds:Reference>\n|(?<=<ds:SignatureValue>)[^<]*", b"", block[0], flags=re.DOTALL)


def _envelope(message: bytes) -> bytes:
    """Everything before the ciphertext, with the wrapped key left out; and the end."""
    head = re.sub(rb"(?<=<xenc:CipherValue>)[^<]*", b"", _bare(message).split(b"<osci_enc>")[0])
    return head + message[-4:]
