"""XML Encryption as OSCI 1.2 profiles it: symmetric formats, wrapped keys, their elements (§5, §9)."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from intermediary.osci.write.algorithms import RSA_1_5, RSA_OAEP, Cipher, Digest, KeyTransport, Symmetric
from intermediary.osci.write.letter import Random
from intermediary.osci.write.markup import base64_lines, element

_BASE64_TRANSFORM = element(
    "xenc:Transforms", '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>'
)
_WRAPS: dict[KeyTransport, padding.AsymmetricPadding] = {
    KeyTransport.OAEP_SHA256: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
    KeyTransport.OAEP_SHA512: padding.OAEP(padding.MGF1(hashes.SHA512()), hashes.SHA512(), None),
    KeyTransport.RSA_1_5: padding.PKCS1v15(),
}


def encrypt(data: bytes, *, key: bytes, cipher: Cipher, random: Random) -> bytes:
    """`IV‖ciphertext‖tag` for GCM, `IV‖ciphertext` with PKCS#7 padding for CBC."""
    if cipher.symmetric.is_gcm:
        iv = random(cipher.iv_bytes)
        return iv + AESGCM(key).encrypt(iv, data, None)
    algorithm = TripleDES(key) if cipher.symmetric is Symmetric.TRIPLEDES_CBC else AES(key)
    iv = random(algorithm.block_size // 8)
    padder, encryptor = PKCS7(algorithm.block_size).padder(), BlockCipher(algorithm, modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


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
