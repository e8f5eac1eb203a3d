"""XML Encryption as OSCI 1.2 profiles it: symmetric formats, wrapped keys, their elements (§5, §9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from intermediary.osci.write.algorithms import RSA_1_5, RSA_OAEP, Cipher, Digest, KeyTransport, Symmetric
from intermediary.osci.write.markup import base64_lines, element
from intermediary.osci.write.octets import Octets, Random, length, pieces

_TAG_BYTES = 16
_BASE64_TRANSFORM = element(
    "xenc:Transforms", '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>'
)
_WRAPS: dict[KeyTransport, padding.AsymmetricPadding] = {
    KeyTransport.OAEP_SHA256: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
    KeyTransport.OAEP_SHA512: padding.OAEP(padding.MGF1(hashes.SHA512()), hashes.SHA512(), None),
    KeyTransport.RSA_1_5: padding.PKCS1v15(),
}


@dataclass(frozen=True, slots=True)
class Enciphered:
    """Something under a key: `IV‖ciphertext‖tag` for GCM, `IV‖ciphertext` with PKCS#7 padding for CBC.

    Encrypted anew each time it is read, always to the same bytes, and never held as a whole.
    """

    plain: Octets = field(repr=False)
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    symmetric: Symmetric

    @property
    def length(self) -> int:
        count = length(self.plain)
        if self.symmetric.is_gcm:
            return len(self.iv) + count + _TAG_BYTES
        block = len(self.iv)
        return block + (count // block + 1) * block

    def pieces(self) -> Iterator[bytes]:
        return encrypted_pieces(pieces(self.plain), key=self.key, iv=self.iv, symmetric=self.symmetric)


def enciphered(plain: Octets, *, key: bytes, cipher: Cipher, random: Random) -> Octets:
    """The plaintext under the key with a fresh IV: at once if it is in memory, otherwise while it is read."""
    stream = Enciphered(plain, key, initialisation_vector(cipher, random), cipher.symmetric)
    return b"".join(stream.pieces()) if isinstance(plain, bytes) else stream


def encrypt(data: bytes, *, key: bytes, cipher: Cipher, random: Random) -> bytes:
    """The same for what is in memory anyway."""
    iv = initialisation_vector(cipher, random)
    return b"".join(encrypted_pieces((data,), key=key, iv=iv, symmetric=cipher.symmetric))


def initialisation_vector(cipher: Cipher, random: Random) -> bytes:
    """12 or 16 bytes for GCM as the cipher says, one block for CBC."""
    if cipher.symmetric.is_gcm:
        return random(cipher.iv_bytes)
    return random(8 if cipher.symmetric is Symmetric.TRIPLEDES_CBC else 16)


def encrypted_pieces(source: Iterable[bytes], *, key: bytes, iv: bytes, symmetric: Symmetric) -> Iterator[bytes]:
    """The encrypted form of §5, a piece at a time."""
    yield iv
    if symmetric.is_gcm:
        gcm = BlockCipher(AES(key), modes.GCM(iv)).encryptor()
        for piece in source:
            yield gcm.update(piece)
        yield gcm.finalize() + gcm.tag
        return
    algorithm = TripleDES(key) if symmetric is Symmetric.TRIPLEDES_CBC else AES(key)
    padder, cbc = PKCS7(algorithm.block_size).padder(), BlockCipher(algorithm, modes.CBC(iv)).encryptor()
    for piece in source:
        yield cbc.update(padder.update(piece))
    yield cbc.update(padder.finalize()) + cbc.finalize()


def wrap(key: bytes, *, certificate: x509.Certificate, transport: KeyTransport) -> bytes:
    """The symmetric key for one reader. The padding's randomness is the library's own, not the caller's."""
    public = certificate.public_key()
    if not isinstance(public, RSAPublicKey):
        raise ValueError("OSCI 1.2 encrypts for RSA keys only")
    return public.encrypt(key, _WRAPS[transport])


def encryption_method(cipher: Cipher) -> str:
    """The EncryptionMethod of an EncryptedData."""
    iv_length = (
        '<osci128:IvLength xmlns:osci128="http://xoev.de/transport/osci12/8" Value="12"></osci128:IvLength>'
        if cipher.iv_bytes == 12
        else ""
    )
    return element("xenc:EncryptionMethod", iv_length, f' Algorithm="{cipher.symmetric}"')


def encrypted_key(wrapped: bytes, *, key_info: str, transport: KeyTransport) -> str:
    """The EncryptedKey of one reader; `key_info` is the content of its ds:KeyInfo."""
    if transport is KeyTransport.RSA_1_5:
        method = element("xenc:EncryptionMethod", attributes=f' Algorithm="{RSA_1_5}"')
    else:
        digest = Digest[transport.value.upper()]
        mgf = f"http://www.w3.org/2009/xmlenc11#mgf1{transport.value}"
        method = element(
            "xenc:EncryptionMethod",
            f'<xenc11:MGF xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Algorithm="{mgf}"></xenc11:MGF>'
            f'<ds:DigestMethod Algorithm="{digest}"></ds:DigestMethod>',
            f' Algorithm="{RSA_OAEP}"',
        )
    return element("xenc:EncryptedKey", method + element("ds:KeyInfo", key_info) + cipher_value(wrapped))


def cipher_value(data: bytes) -> str:
    """CipherData with the bytes in place."""
    return element("xenc:CipherData", element("xenc:CipherValue", base64_lines(data)))


def cipher_reference(uri: str) -> str:
    """CipherData that points to a MIME part; the Base64 transform is constant and says nothing about the part."""
    return element("xenc:CipherData", element("xenc:CipherReference", _BASE64_TRANSFORM, f' URI="{uri}"'))
