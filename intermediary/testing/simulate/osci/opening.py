"""The bytes inside a transport envelope: what a strict reader has accepted before is opened once more, to be kept."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from intermediary.keys.private import KeyTransport
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Symmetric
from intermediary.osci.write.algorithms import RSA_1_5
from intermediary.unseal import algorithms as a
from intermediary.unseal import mime
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.mime import MimePart
from intermediary.unseal.nodes import attribute, single, text
from intermediary.unseal.osci.names import DS, ENCRYPTED_ENVELOPE, SOAP
from intermediary.unseal.osci.structure import message_type
from intermediary.xml.parser import Element, parse

_XENC = "{" + a.XMLENC + "}"
_XENC11 = "{" + a.XMLENC11 + "}"
_IV_LENGTH = "{http://xoev.de/transport/osci12/8}IvLength"


def without_envelope(raw: bytes, keyring: Keyring) -> tuple[bytes, tuple[str, ...]]:
    """The message inside the transport encryption, and the URIs of cipher and key transport; none in the open.

    Only for messages the reader of `unseal` has opened with the same keys: nothing is judged here.
    """
    message = mime.read(raw)
    envelope = parse(message.root.data)
    if message_type(envelope) != ENCRYPTED_ENVELOPE:
        return raw, ()
    encrypted = single(single(envelope, SOAP + "Body"), _XENC + "EncryptedData")
    symmetric = Symmetric(attribute(single(encrypted, _XENC + "EncryptionMethod"), "Algorithm"))
    wrapped = single(single(encrypted, DS + "KeyInfo"), _XENC + "EncryptedKey")
    method = single(wrapped, _XENC + "EncryptionMethod")
    data = single(single(wrapped, DS + "KeyInfo"), DS + "X509Data")
    key = keyring.decrypt_key(
        from_base64(text(single(data, DS + "X509Certificate")), where="X509Certificate"),
        from_base64(text(single(single(wrapped, _XENC + "CipherData"), _XENC + "CipherValue")), where="CipherValue"),
        _transport(method),
        key_bytes=symmetric.key_bytes,
    )
    plain = _decrypted(_octets(message.others[0]), key, symmetric, encrypted)
    return plain, (symmetric.value, attribute(method, "Algorithm"))


def _transport(method: Element) -> KeyTransport:
    if attribute(method, "Algorithm") == RSA_1_5:
        return KeyTransport("rsa-1_5")
    digest = a.DIGESTS[attribute(single(method, DS + "DigestMethod"), "Algorithm")]
    return KeyTransport("rsa-oaep", digest, a.MGFS[attribute(single(method, _XENC11 + "MGF"), "Algorithm")])


def _octets(part: MimePart) -> bytes:
    if part.media_type == "text/base64" and part.transfer_encoding != "base64":
        return from_base64(part.data, where="envelope")
    return part.data


def _decrypted(octets: bytes, key: bytes, symmetric: Symmetric, encrypted: Element) -> bytes:
    if symmetric.is_gcm:
        declared = single(encrypted, _XENC + "EncryptionMethod").find(_IV_LENGTH)
        length = 16 if declared is None else int(attribute(declared, "Value"))
        return AESGCM(key).decrypt(octets[:length], octets[length:], None)
    algorithm = TripleDES(key) if symmetric is Symmetric.TRIPLEDES_CBC else AES(key)
    length = algorithm.block_size // 8
    decryptor = BlockCipher(algorithm, modes.CBC(octets[:length])).decryptor()
    unpadder = PKCS7(algorithm.block_size).unpadder()
    return unpadder.update(decryptor.update(octets[length:]) + decryptor.finalize()) + unpadder.finalize()
