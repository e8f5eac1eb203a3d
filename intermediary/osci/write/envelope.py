"""The SOAP envelope: transport signature over header, body and parts; transport encryption around it (§5, §12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography import x509

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.algorithms import C14N, Cipher, SignatureMethod
from intermediary.osci.write.block import NEXT, Block
from intermediary.osci.write.certificates import certificate_lines, x509_data
from intermediary.osci.write.encryption import (
    cipher_reference,
    encrypted_key,
    encrypted_pieces,
    encryption_method,
    initialisation_vector,
    wrap,
)
from intermediary.osci.write.markup import FIVE, XMLNS_DS, XMLNS_SOAP, XMLNS_XENC, XMLNS_XSI, element
from intermediary.osci.write.mime import WirePart, encrypted_entity
from intermediary.osci.write.octets import Octets, Random
from intermediary.osci.write.signature import reference, signature

_ENCRYPTED = XMLNS_DS + XMLNS_SOAP + XMLNS_XENC + XMLNS_XSI


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message before it becomes bytes.

    `blocks` begin with the ControlBlock and lack the signature block. `body` is the body's content as written,
    `canonical_body` the same without repeated namespace declarations. `left_out` names URIs a broken signature omits.
    """

    message_type: str
    blocks: tuple[Block, ...]
    body: str = field(repr=False)
    canonical_body: str = field(repr=False)
    parts: tuple[WirePart, ...] = ()
    signature: Block | None = None
    left_out: frozenset[str] = frozenset()

    def xml(self) -> str:
        first, *rest = self.blocks
        ordered = [first, *([self.signature] if self.signature else []), *rest]
        header = element("soap:Header", "".join(block.xml for block in ordered))
        return _soap(self.message_type, header + _body(self.body), FIVE)


def sign_envelope(envelope: Envelope, *, method: SignatureMethod, signer: SignatureKey, retrieval_id: str) -> Block:
    """The signature block over every header block, the body and every attachment's wire bytes."""
    covered: list[tuple[str, Octets, str]] = [(f"#{block.id}", block.xml.encode(), C14N) for block in envelope.blocks]
    covered.append(("#body", _body(envelope.canonical_body).encode(), C14N))
    covered += [(f"cid:{part.name}", part.data, "") for part in envelope.parts]
    references = [
        reference(uri, data, digest=method.digest, transform=transform)
        for uri, data, transform in covered
        if uri not in envelope.left_out
    ]
    role = "Supplier" if envelope.message_type.startswith("ResponseTo") else "Client"
    block_id = f"{role.lower()}signature"
    inside = signature(references, method=method, signer=signer, retrieval_id=retrieval_id)
    attributes = f' Id="{block_id}" soap:actor="{NEXT}" soap:mustUnderstand="1"'
    return Block(block_id, element(f"osci:{role}Signature", inside, attributes))


def encrypt_entity(
    message: Iterable[bytes], *, recipient: x509.Certificate, cipher: Cipher, boundary: str, random: Random
) -> Iterator[bytes]:
    """The transport envelope around a written message, for the recipient's cipher certificate."""
    key, iv = random(cipher.symmetric.key_bytes), initialisation_vector(cipher, random)
    wrapped = wrap(key, certificate=recipient, transport=cipher.key_transport)
    encrypted_data = element(
        "xenc:EncryptedData",
        encryption_method(cipher)
        + element("ds:KeyInfo", encrypted_key(wrapped, key_info=x509_data(recipient), transport=cipher.key_transport))
        + cipher_reference("cid:osci_enc"),
        ' MimeType="Multipart/Related"',
    )
    return encrypted_entity(
        _soap("MessageEncrypted", element("soap:Body", encrypted_data), _ENCRYPTED),
        encrypted_pieces(message, key=key, iv=iv, symmetric=cipher.symmetric),
        boundary=boundary,
        base64=cipher.base64,
        forgotten=len(certificate_lines(recipient)),
    )


def _soap(message_type: str, inside: str, namespaces: str) -> str:
    location = (
        f"http://schemas.xmlsoap.org/soap/envelope/ soap{message_type}.xsd"
        " http://www.w3.org/2000/09/xmldsig# oscisig.xsd http://www.w3.org/2001/04/xmlenc# oscienc.xsd"
    )
    return element("soap:Envelope", inside, f'{namespaces} xsi:schemaLocation="{location}"')


def _body(inside: str) -> str:
    return element("soap:Body", inside, f'{FIVE} Id="body"')
