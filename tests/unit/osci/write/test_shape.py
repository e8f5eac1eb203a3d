"""The writer's messages have the byte shape of the reference library's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from intermediary.keys.identity import HeldKey
from intermediary.osci.write import (
    Attachment,
    Cipher,
    Contents,
    Dialog,
    Identity,
    KeyTransport,
    Letter,
    MetaData,
    Parties,
    ProcessCard,
    Random,
    SignatureMethod,
    Signer,
    Symmetric,
    list_certificates,
    pack_contents,
    seal,
)
from intermediary.osci.write.markup import FIVE
from tests.unit.osci.write import plain

MOMENT = datetime.fromisoformat("2025-03-14T09:27:13+01:00")
CARD = ProcessCard(
    created_at=datetime.fromisoformat("2025-03-14T09:26:53+01:00"),
    forwarded_at=MOMENT,
    inspected_at=datetime.fromisoformat("2025-03-14T09:26:54+01:00"),
)
METADATA = MetaData(
    service="urn:example:musterland:hundesteuer:1.0",
    author="ags:05999000",
    reader="ags:05999044",
    origin=datetime.fromisoformat("2025-03-14T09:20:00+01:00"),
    message_id="urn:de:xta:messageid:beispiel-online-dienst:1",
    subject="Hundeanmeldung für Bürgerin Müller & Söhne",
)
PDF = Attachment("Antrag_Zusammenfassung.pdf", "application/pdf", b"%PDF-1.4")
DIALOG = Dialog("1394129600798189176273", 1, bytes(10))
USUAL = Letter(
    message_id="urn:osci:beispiel:dev:e8d64dec-0870-2cbe-b07d-9b4e4b64fbcb",
    subject="Hundeanmeldung",
    contents=(b"<antrag>beispiel</antrag>",),
    attachments=(PDF,),
    metadata=METADATA,
    process_card=CARD,
)
BARE = replace(USUAL, metadata=None)


def _ciphers(letter: Letter, transport: Cipher, content: Cipher) -> Letter:
    return replace(letter, transport_cipher=transport, content_cipher=content, attachment_cipher=content)


LETTERS = {
    "accept-01-efa-standard": USUAL,
    "accept-03-legacy-3des-rsa15": _ciphers(
        replace(BARE, subject="Altverfahren", attachments=(replace(PDF, base64=True),)),
        Cipher(Symmetric.AES256_CBC, 16, KeyTransport.RSA_1_5, base64=True),
        Cipher(Symmetric.TRIPLEDES_CBC, 16, KeyTransport.RSA_1_5),
    ),
    "accept-04-gcm-iv16": _ciphers(
        replace(BARE, subject="IV 16"), Cipher(iv_bytes=16), Cipher(Symmetric.AES128_GCM, 16)
    ),
    "accept-05-sha512": _ciphers(
        replace(
            BARE,
            subject="SHA-512",
            content_signatures=(SignatureMethod.RSA_SHA512,),
            transport_signature=SignatureMethod.RSA_SHA512,
        ),
        Cipher(key_transport=KeyTransport.OAEP_SHA512),
        Cipher(Symmetric.AES192_GCM, key_transport=KeyTransport.OAEP_SHA512),
    ),
    "accept-06-cbc-aes128-base64": _ciphers(
        replace(BARE, subject="CBC", attachments=(replace(PDF, base64=True),)),
        Cipher(Symmetric.AES128_CBC, base64=True),
        Cipher(Symmetric.AES128_CBC),
    ),
    "accept-09-xades-signing-time": replace(
        BARE,
        subject="Signaturzeit",
        attachments=(),
        signing_time=datetime.fromisoformat("2025-03-14T09:25:00+01:00"),
    ),
    "process-01-standard": replace(USUAL, message_type="ProcessDelivery", subject="Anfrage Führerscheinregister"),
    "store-01-standard": replace(USUAL, message_type="StoreDelivery"),
    "fetch-resp-01-standard": replace(USUAL, message_type="ResponseToFetchDelivery", dialog=DIALOG),
}


@pytest.fixture
def vectors(shared: Path) -> Path:
    """The folder of OSCI vectors."""
    return shared / "vectors" / "osci"


def _private(vectors: Path, name: str) -> PrivateKeyTypes:
    data = (vectors / "keys" / f"{name}.key.pem").read_bytes()
    return load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True)


def _identity(vectors: Path, name: str) -> Identity:
    certificate = x509.load_pem_x509_certificate((vectors / "keys" / f"{name}.cert.pem").read_bytes())
    return Identity(certificate, HeldKey(_private(vectors, name), certificate))


def _parties(vectors: Path) -> Parties:
    return Parties(
        originator_cipher=_identity(vectors, "originator-cipher"),
        originator_signature=_identity(vectors, "originator-signature"),
        intermediary_cipher=_identity(vectors, "intermediary-cipher"),
        intermediary_signature=_identity(vectors, "intermediary-signature"),
        addressee_cipher=_identity(vectors, "recipient-cipher"),
        authors=(_identity(vectors, "author-signature"),),
        readers=(_identity(vectors, "reader-cipher"),),
    )


def _shape(document: bytes) -> list[str]:
    """Tags and texts of a document, with what must differ (Base64, numbers of Ids, ids) blanked, references sorted."""
    text = document.decode("utf-8")
    text = re.sub(r">[A-Za-z0-9+/=\n]{14,}<", ">…<", text)
    text = re.sub(r'((?:Id|URI)="#?(?:contentcontainer|content|encdata_|author|reader))\d+', r"\1…", text)
    text = re.sub(r'(ConversationId|SequenceNumber)="\d+"', r'\1="…"', text)
    text = re.sub(r"<(wsa:MessageID|oscimeta:MsgSize)>[^<]*<", r"<\1>…<", text)
    signed = re.sub(r"(?:<ds:Reference URI=.*?</ds:Reference>\n)+", _sorted, text, flags=re.DOTALL)
    return re.split(r"(?=<)", signed)


def _sorted(references: re.Match[str]) -> str:
    return "".join(sorted(re.findall(r"<ds:Reference URI=.*?</ds:Reference>\n", references[0], re.DOTALL)))


def _headers(message: bytes) -> list[list[str]]:
    return [
        [f"{name}: {'…' if name == 'Content-Length' else value}" for name, value in part.headers]
        for part in plain.split(message)
    ]


def _frame(message: bytes) -> bytes:
    """Everything up to the first part's headers, the boundary blanked."""
    return re.sub(rb"MIME_boundary_[A-Za-z0-9+/]{32}", b"MIME_boundary_", message.partition(b"<soap:")[0][:300])


@pytest.mark.parametrize("name", sorted(LETTERS))
def test_encrypted_messages_have_the_reference_shape(vectors, randomness: Random, name):
    """Transport envelope, inner envelope and content container are the reference's, tag by tag and header by header."""
    letter = LETTERS[name]
    recipient = "intermediary-cipher" if letter.message_type == "StoreDelivery" else "recipient-cipher"
    written = seal(letter, parties=_parties(vectors), random=randomness, now=MOMENT)
    reference = (vectors / "positive" / f"{name}.osci").read_bytes()
    key, reader = _private(vectors, recipient), _private(vectors, "reader-cipher")

    layers = []
    for message in (reference, written):
        inner = plain.open_transport(message, key)
        box = plain.decrypt(plain.envelope(inner).find(".//osci:ContentPackage/xenc:EncryptedData", plain.NS), reader)
        layers.append(
            {
                "frame": [_frame(message), _frame(inner)],
                "headers": [_headers(message), _headers(inner)],
                "transport": _shape(plain.split(message)[0].body),
                "envelope": _shape(plain.split(inner)[0].body),
                "container": _shape(box),
            }
        )
    for layer in layers[0]:
        assert layers[0][layer] == layers[1][layer], layer


def test_an_open_message_has_the_reference_digests(vectors, randomness: Random):
    """Header blocks written with the reference's own values have the very digests the reference signed."""
    reference = (vectors / "positive" / "accept-25-plain-signed-attach.osci").read_bytes()
    pdf = plain.split(reference)[1].data
    challenge = bytes.fromhex("09bfba04acb43e56716d")
    letter = Letter(
        message_id="urn:osci:beispiel:dev:b2fdeea4-b113-1b05-3de1-d5bddb9738d9",
        subject="Offen signiert",
        contents=tuple(plain.contents(plain.container(reference))),
        attachments=(Attachment("anlage.pdf", "application/pdf", pdf),),
        content_cipher=None,
        transport_cipher=None,
        process_card=CARD,
    )
    draws = iter([challenge])
    written = seal(letter, parties=_parties(vectors), random=lambda count: next(draws, randomness(count)), now=MOMENT)

    expected, found = (_digests(plain.envelope(message)) for message in (reference, written))
    numbered = {"#nonintermediarycertificates", "#body"}
    assert expected.keys() == found.keys()
    assert {} == {uri: value for uri, value in expected.items() if found[uri] != value and uri not in numbered}
    assert _shape(plain.split(reference)[0].body) == _shape(plain.split(written)[0].body)


def _digests(envelope) -> dict[str, str]:
    return {
        element.get("URI"): element.findtext("ds:DigestValue", namespaces=plain.NS)
        for element in envelope.iterfind("soap:Header/osci:ClientSignature//ds:Reference", plain.NS)
    }


def _nested(vectors: Path) -> dict[str, tuple[Contents, ...]]:
    """What the reference generator put into its packages of several layers and containers."""
    reader, addressee = _identity(vectors, "reader-cipher"), _identity(vectors, "recipient-cipher")
    author = Signer(_identity(vectors, "author-signature").key)
    originator = Signer(_identity(vectors, "originator-signature").key)
    data = b"<antrag>beispiel</antrag>"
    sealed = Contents(data=(data,), readers=(reader.certificate,), signers=(author,))
    inner = Contents(data=(data,), attachments=(Attachment("innen.bin", "application/octet-stream", b"i"),))
    return {
        "accept-13-many-containers": (
            Contents(data=(data,), attachments=(PDF,), readers=(reader.certificate,), signers=(author,)),
            Contents(data=(data,), inside=(inner,)),
            Contents(data=(data, b"", bytes.fromhex("000d0a0d0a2d2d4d494d45fffe7f")), signers=(originator,)),
        ),
        "accept-20-signed-encrypteddata": (
            Contents(inside=(sealed,), readers=(addressee.certificate,), signers=(originator,)),
        ),
    }


@pytest.mark.parametrize("name", ["accept-13-many-containers", "accept-20-signed-encrypteddata"])
def test_nested_packages_have_the_reference_shape(vectors, randomness: Random, name):
    """Containers beside, inside and encrypted inside one another are written as the reference writes them."""
    keys = [_private(vectors, one) for one in ("reader-cipher", "recipient-cipher")]
    listed = list_certificates(
        originator_signature=_identity(vectors, "originator-signature").certificate,
        addressee_cipher=_identity(vectors, "recipient-cipher").certificate,
        readers=[_identity(vectors, "reader-cipher").certificate],
        authors=[_identity(vectors, "author-signature").certificate],
    )
    package = pack_contents(*_nested(vectors)[name], certificates=listed, random=randomness)
    written = f"<body{FIVE}>{package.xml()}</body>".encode()
    reference = plain.open_transport((vectors / "positive" / f"{name}.osci").read_bytes(), keys[1])
    found = re.search(rb"<osci:ContentPackage>.*</osci:ContentPackage>", reference, re.DOTALL)[0]

    layers = [_layers(document, keys) for document in (f"<body{FIVE}>".encode() + found + b"</body>", written)]
    assert layers[0] == layers[1]


def _layers(document: bytes, keys: list[PrivateKeyTypes]) -> list[list[str]]:
    """The shape of a document, and of every container encrypted in it."""
    shapes = [_shape(document)]
    for encrypted in plain.etree.fromstring(document).iterfind(".//xenc:EncryptedData", plain.NS):
        if encrypted.find(".//xenc:EncryptedKey", plain.NS) is not None:
            shapes += _layers(plain.decrypt(encrypted, *keys), keys)
    return shapes
