"""Answers as the intermediary reads them: protected as the request was, in the right roles, with the right codes."""

from __future__ import annotations

import http.client
import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.states import NachrichtState as N
from intermediary.osci.write import Attachment, Cipher, KeyTransport, Letter, SignatureMethod, Symmetric
from intermediary.osci.write.certificates import list_certificates
from intermediary.osci.write.contents import Contents, pack_contents
from intermediary.osci.write.message import Control, Outgoing, Protection
from intermediary.osci.write.orders import Handover
from intermediary.osci.write.writing import write
from intermediary.store.records import NachrichtRecord
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import OsciMessage
from tests.unit.osci.passive.conftest import FakeHouse, Serve, answered, keyring_of, sealed

LETTER = Letter(
    message_id="portal/4711",
    subject="Bewohnerparkausweis für Ömer & Käthe <Müller>",
    contents=("<antrag>Straße</antrag>".encode(),),
    attachments=(Attachment("plan.pdf", "application/pdf", b"%PDF-1.4"),),
)
PROCESS = replace(LETTER, message_type="ProcessDelivery", message_id_response="antwort/4711")
FORMS = {
    "signed and encrypted": {},
    "signed": {"transport_cipher": None},
    "encrypted": {"transport_signature": None},
    "plain": {"transport_cipher": None, "transport_signature": None},
}


def post(port: int, body: bytes, path: str = "/osci") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def ask(serve: Serve, pki: Pki, letter: Letter) -> OsciMessage:
    status, body = post(serve().port, sealed(letter, pki))
    assert 200 == status
    return answered(body, pki)


def signers(message: OsciMessage) -> list[tuple[str, str, bool, bool | None]]:
    return [(s.layer, s.algorithm.rpartition("#")[2], s.valid, s.trusted) for s in message.opened.signatures]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("letter", [LETTER, PROCESS], ids=["accept", "process"])
def test_all_kinds_of_protection(serve: Serve, pki: Pki, letter: Letter, form: str) -> None:
    """A signed request has a signed answer, an encrypted one an encrypted answer, and 0800 is executed."""
    form_of: dict[str, Any] = FORMS[form]
    request = replace(letter, **form_of)

    answer = ask(serve, pki, request)

    assert f"ResponseTo{letter.message_type}" == answer.opened.message_type
    assert ("0800",) == answer.order.feedback
    assert (request.transport_cipher is not None) == answer.encrypted
    transport = [one for one in signers(answer) if one[0] == "transport"]
    assert ([("transport", "rsa-sha256", True, True)] if request.transport_signature else []) == transport


def test_the_control_block_answers_the_challenge(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Response is the request's Challenge, and nothing else stands there (digest §7)."""
    control = ask(serve, pki, LETTER).control

    assert control.response
    assert (None, None, None) == (control.challenge, control.conversation_id, control.sequence_number)
    assert control.response in sealed(replace(LETTER, transport_cipher=None), pki).decode(errors="replace")


def test_a_process_delivery_brings_the_quittung_home(serve: Serve, pki: Pki) -> None:
    """The business reply is sealed for the originator, signed by us; the roles are swapped, id and subject carried."""
    answer = ask(serve, pki, PROCESS)

    assert ("antwort/4711", LETTER.subject) == (answer.order.message_id, answer.order.subject)
    (content,) = answer.opened.contents
    assert b'{"messageId": "portal/4711", "route": "r"}' == content.content.read()
    assert content.encrypted
    assert [("transport", "rsa-sha256", True, True), ("content", "rsa-sha256", True, True)] == signers(answer)
    own = pki.members["recipient-signature"].certificate.public_bytes(Encoding.DER)
    assert (own,) == answer.certificates["SignatureCertificateOriginator"]


def test_a_process_delivery_without_card_has_no_id(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Nothing of it is on record at the intermediary; here it is known by its content, and so is its repetition."""
    served = serve()
    bodies = [post(served.port, without_card(pki))[1] for _ in range(2)]
    answer = answered(bodies[0], pki)

    assert (("0800",), "", "") == (answer.order.feedback, answer.order.message_id, answer.order.subject)
    assert 1 == len(answer.opened.contents)
    assert 1 == len(fake.taken)


def without_card(pki: Pki, *roles: str) -> bytes:
    roles = roles or ("intermediary", "originator")
    ciphers = {f"{role}_cipher": pki.members[f"{role}-cipher"].certificate for role in roles}
    listed = list_certificates(**ciphers)
    return write(
        Outgoing(
            kind="ProcessDelivery",
            control=Control(challenge=secrets.token_bytes(10)),
            order=Handover(),
            certificates=listed,
            package=pack_contents(Contents(data=(b"<frage/>",)), certificates=listed, random=secrets.token_bytes),
        ),
        Protection(recipient=pki.members["recipient-cipher"].certificate),
        random=secrets.token_bytes,
    )


@pytest.mark.parametrize(
    ("asked", "is_modern", "given"),
    [
        (Cipher(Symmetric.AES128_GCM), True, "aes128-gcm"),
        (Cipher(Symmetric.AES128_CBC), True, "aes256-gcm"),
        (Cipher(Symmetric.AES128_CBC), False, "aes128-cbc"),
        (Cipher(Symmetric.AES256_GCM, key_transport=KeyTransport.RSA_1_5), True, "aes256-gcm rsa-oaep"),
        (Cipher(Symmetric.TRIPLEDES_CBC, key_transport=KeyTransport.RSA_1_5), False, "tripledes-cbc rsa-1_5"),
    ],
)
def test_ciphers_follow_the_request(serve: Serve, pki: Pki, asked: Cipher, *, is_modern: bool, given: str) -> None:
    """The same algorithms, better ones where the partner announces that it can read them (digest §5, §6)."""
    answer = ask(serve, pki, replace(LETTER, transport_cipher=asked, features=is_modern))

    names = [uri.rpartition("#")[2] for uri in answer.opened.algorithms[:2]]
    assert given.split() == names[: len(given.split())]


@pytest.mark.parametrize("method", [SignatureMethod.RSA_SHA512, SignatureMethod.PSS_SHA256])
def test_signatures_follow_the_request(serve: Serve, pki: Pki, method: SignatureMethod) -> None:
    """The partner gets the method that it uses itself."""
    answer = ask(serve, pki, replace(LETTER, transport_signature=method))

    assert [("transport", method.rpartition("#")[2], True, True)] == signers(answer)


def test_without_a_key_of_our_own_answers_are_unsigned(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """A keyring without [[sign]] still answers; the intermediary reports 3802."""
    fake.keyring = keyring_of(pki, "recipient-cipher")

    assert [] == signers(ask(serve, pki, LETTER))


@pytest.mark.parametrize("letter", [LETTER, PROCESS], ids=["accept", "process"])
def test_a_refusal_is_told_in_feedback(serve: Serve, pki: Pki, fake: FakeHouse, letter: Letter) -> None:
    """Not accepted: 9805 with our reason, protected like any answer."""
    fake.verdict = refused("validate.input.invalid")

    answer = ask(serve, pki, letter)

    assert ("9805",) == answer.order.feedback
    assert "validate.input.invalid" in answer.order.entries[0].text
    assert answer.encrypted


def test_a_repetition_is_told_the_same(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Another transport around the same package: one Nachricht, judged once, and the same answer (G13)."""
    letter = replace(LETTER, content_cipher=None)
    served = serve()
    first, second = (answered(post(served.port, sealed(letter, pki, seed))[1], pki) for seed in (1, 2))

    assert first.order.entries == second.order.entries
    assert first.control.response != second.control.response
    assert 1 == len(fake.taken) == len(fake.judged)


def test_another_content_under_a_used_id_is_refused(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """9801, for a conflict is the deliverer's to know as well (G13)."""
    served = serve()
    post(served.port, sealed(LETTER, pki))
    status, body = post(served.port, sealed(replace(LETTER, contents=(b"<other/>",)), pki))

    assert (200, ("9801",)) == (status, answered(body, pki).order.feedback)


@pytest.mark.parametrize(("message_id", "code"), [("", "9800"), ("x" * 300, "9801"), ("a\tb", "9801")])
def test_an_id_that_cannot_be_kept_is_refused(
    serve: Serve, pki: Pki, fake: FakeHouse, message_id: str, code: str
) -> None:
    """Without an id nothing can be found again; an unusable one is named."""
    answer = ask(serve, pki, replace(LETTER, message_id=message_id))

    assert (code,) == answer.order.feedback
    assert not fake.taken


def test_a_broken_transport_signature_is_answered_signed(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """9601 in the feedback, signed, and nothing is taken."""
    raw = sealed(replace(LETTER, transport_cipher=None, content_cipher=None, content_signatures=()), pki)
    _status, body = post(serve().port, raw.replace(b"%PDF-1.4", b"%PDF-1.5"))
    answer = answered(body, pki)

    assert ("9601",) == answer.order.feedback
    assert [("transport", "rsa-sha256", True, True)] == signers(answer)
    assert not fake.taken


def test_a_missing_signature_is_refused_where_it_is_required(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """9600 as the answer to an unsigned request: unsigned as well."""
    fake.keyring = keyring_of(pki, "recipient-cipher", signer="recipient-signature", require=("transport-signature",))
    answer = ask(serve, pki, replace(LETTER, transport_signature=None))

    assert (("9600",), []) == (answer.order.feedback, signers(answer))


@pytest.mark.parametrize("kind", ["StoreDelivery", "ForwardDelivery"])
def test_what_an_intermediary_is_for_is_refused(serve: Serve, pki: Pki, fake: FakeHouse, kind: Any) -> None:
    """9300 in a fault: the right message at the wrong door."""
    letter = replace(LETTER, message_type=kind, transport_cipher=None)
    status, body = post(serve().port, sealed(letter, pki))

    assert (200, True) == (status, b"<osci:Code>9300</osci:Code>" in body)
    assert b"<faultcode>soap:Client</faultcode>" in body
    assert not fake.taken


def test_an_answer_that_cannot_be_sealed_is_a_fault(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """9500: encrypted, but without the certificate that an answer would be encrypted for; nothing is taken."""
    status, body = post(serve().port, without_card(pki, "originator"))

    assert (200, True) == (status, b"<osci:Code>9500</osci:Code>" in body)
    assert not fake.taken


def refused(code: str) -> Any:
    def verdict(one: NachrichtRecord) -> NachrichtRecord:
        return replace(one, state=N.REJECTED, verdict="rejected", verdict_code=code)

    return verdict
