"""Attacks on the passive endpoint: certificates made to break the answer, questions in many names, costly clients."""

from __future__ import annotations

import http.client
import random
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from intermediary.core.states import NachrichtState
from intermediary.ingress.https.bounds import Bounds
from intermediary.osci.write import Letter, Parties, seal
from intermediary.osci.write.letter import Identity
from intermediary.testing.pki import Pki, make_pki
from tests.unit.osci.passive.conftest import (  # noqa: F401  # the same cast
    NOW,
    FakeHouse,
    Serve,
    fake,
    keyring,
    pki,
    sealed,
    serve,
)
from tests.unit.osci.passive.test_answers import post

LETTER = Letter(message_id="portal/1", contents=(b"<a/>",))


def written(letter: Letter, parties: Parties) -> bytes:
    return seal(letter, parties=parties, random=random.Random(3).randbytes, now=NOW)


def certificate(key: rsa.RSAPublicKey, pki: Pki) -> x509.Certificate:  # noqa: F811
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fremd")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key)
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(pki.members["intermediary-signature"].private, hashes.SHA256())
    )


@pytest.mark.parametrize("kind", ["AcceptDelivery", "ProcessDelivery"])
@pytest.mark.parametrize(("bits", "exponent"), [(20_000, 65537), (4096, (1 << 100) + 1)])
def test_a_key_nothing_can_be_sealed_for_is_told(
    serve: Serve,  # noqa: F811
    pki: Pki,  # noqa: F811
    kind: Any,
    bits: int,
    exponent: int,
) -> None:
    """A monstrous key in the request is as none: 9500 before anything is taken, never an error of ours."""
    monster = certificate(rsa.RSAPublicNumbers(exponent, (1 << bits - 1) + 1).public_key(), pki)
    parties = replace(pki.parties, intermediary_cipher=Identity(monster))
    status, body = post(serve().port, written(replace(LETTER, message_type=kind), parties))

    assert (200, True) == (status, b"<osci:Code>9500</osci:Code>" in body)


def test_a_stranger_in_many_names_is_one_asker(serve: Serve, pki: Pki, fake: FakeHouse) -> None:  # noqa: F811
    """Who signs as an intermediary nobody trusts cannot spread failed decryptions over originators (rule R3)."""
    stranger = make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365)).parties
    fake.verdict = lambda one: replace(
        one, state=NachrichtState.REJECTED, verdict_code="osci.content.undecryptable", own_due_at=None
    )
    served = serve(tick_seconds=0.01, failures_per_hour=3)
    statuses = []
    for number in range(5):
        key = rsa.RSAPublicNumbers(65537, (1 << 3071) + 2 * number + 1).public_key()
        parties = replace(
            pki.parties,
            intermediary_signature=stranger.intermediary_signature,
            originator_cipher=Identity(certificate(key, pki)),
        )
        letter = replace(LETTER, message_id=f"portal/{number}", transport_cipher=None)
        statuses.append(post(served.port, written(letter, parties))[0])

    assert [200, 200, 200, 503, 503] == statuses
    assert "intake.decrypt.alarm" == served.door.status.code


def test_nothing_is_redirected_to_a_host_of_the_clients_choice(serve: Serve) -> None:  # noqa: F811
    """A path with a slash too many is not there; no answer repeats the Host header (T19)."""
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=20)
    connection.request("POST", "/osci/", b"x", {"Host": "boese.example"})
    response = connection.getresponse()

    assert (404, None) == (response.status, response.getheader("location"))
    connection.close()


def test_one_client_does_not_hold_all_places(serve: Serve, pki: Pki) -> None:  # noqa: F811
    """Bodies that never end, from one address, leave room for somebody else's delivery (T28)."""
    served = serve(bounds=Bounds(requests=4))
    head = b"POST /osci HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"
    slow = [socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in range(4)]
    for one in slow:
        one.sendall(head)
    somebody = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20, source_address=("127.0.0.2", 0))
    somebody.request("POST", "/osci", sealed(LETTER, pki))

    assert 200 == somebody.getresponse().status
    somebody.close()
    for one in slow:
        one.close()


def test_two_lengths_of_one_request_are_none(serve: Serve) -> None:  # noqa: F811
    """Content-Length beside chunks: what a proxy takes for a body is no second request here (RFC 9112 §6.1)."""
    head = b"POST /osci HTTP/1.1\r\nHost: x\r\n"
    hidden = head + b"Content-Length: 1\r\n\r\nx"
    chunked = head + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(hidden))
    with socket.create_connection(("127.0.0.1", serve().port), timeout=20) as client:
        client.sendall(chunked + hidden)
        said = b"".join(iter(lambda: client.recv(65536), b""))

    assert said.startswith(b"HTTP/1.1 400 ")
    assert 1 == said.count(b"HTTP/1.1 ")
