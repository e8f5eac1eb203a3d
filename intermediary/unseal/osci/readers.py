"""Whom a message is encrypted for, layer by layer: what `keys forecast` asks; nothing is verified and nothing is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import mime, xmlenc
from intermediary.unseal.cipher import Undecryptable
from intermediary.unseal.documents import read_xml
from intermediary.unseal.nodes import single
from intermediary.unseal.osci import container as c
from intermediary.unseal.osci.certificates import Certificates
from intermediary.unseal.osci.names import ENCRYPTED_ENVELOPE, SOAP
from intermediary.unseal.osci.progress import Progress
from intermediary.unseal.osci.structure import message_type, read_structure
from intermediary.unseal.osci.transport import open_envelope
from intermediary.unseal.policy import profile
from intermediary.unseal.xmlenc import CertificateLookup
from intermediary.xml.long import Document
from intermediary.xml.parser import Element

Block = frozenset[bytes]
"""The certificates (DER) that one encrypted block was made for: a key to any one of them opens it."""

Path = tuple[Block, ...]
"""The blocks around a piece of content, from the outside in; empty for one that is not encrypted."""

_POLICY = profile("legacy")
_WHERE = "content"


@dataclass(frozen=True, slots=True)
class Readers:
    """What has to be opened to get at each piece of a message's content.

    `transport` is None where the transport is not encrypted. `paths` is None where no key here opens the transport; a path
    that ends in a block no key here opens may go on inside.
    """

    transport: Block | None
    paths: tuple[Path, ...] | None

    def opens(self, keys: Collection[bytes]) -> bool:
        """Whether a holder of the keys to these certificates (DER) gets at something (at all, where nothing is sealed)."""
        if self.transport is not None and self.transport.isdisjoint(keys):
            return False
        return not self.paths or bool(self._readable(keys))

    def loses(self, before: Collection[bytes], after: Collection[bytes]) -> bool:
        """Whether something that `before` gets at is shut with `after`: the whole message, or a part of it."""
        if not self.opens(before):
            return False
        return not self.opens(after) or not self._readable(before) <= self._readable(after)

    def names(self, certificate_der: bytes) -> bool:
        """Whether any block was made for this certificate."""
        return any(certificate_der in block for block in (self.transport or (), *chain.from_iterable(self.paths or ())))

    def _readable(self, keys: Collection[bytes]) -> frozenset[Path]:
        return frozenset(path for path in self.paths or () if not any(block.isdisjoint(keys) for block in path))


def readers(raw: Content, *, keyring: Keyring, spool: Spool) -> Readers:
    """Whom an OSCI message is for. The keys at hand open layer after layer, attachments aside; no policy is asked.

    Raises `Rejected` for what is no OSCI message or whose transport does not open with its key, and as
    `Keyring.decrypt_key`.
    """
    message = mime.read(raw, spool=spool)
    envelope = read_xml(message.root.content, spool)
    kind = message_type(envelope.root)
    if kind != ENCRYPTED_ENVELOPE:
        return Readers(None, tuple(_package(envelope, kind, keyring, spool)))
    body = single(envelope.root, SOAP + "Body")
    keys = xmlenc.read_keys(single(body, xmlenc.ENCRYPTED_DATA), _nothing, _POLICY, envelope.texts)
    transport = frozenset(key.certificate_der for key in keys)
    if not any(keyring.has_key(der) for der in transport):
        return Readers(transport, None)
    inner, _ = open_envelope(envelope, message, keyring, _POLICY, Progress(_POLICY), spool)
    document = read_xml(mime.read(inner, spool=spool).root.content, spool)
    return Readers(transport, tuple(_package(document, message_type(document.root), keyring, spool)))


def _package(document: Document, kind: str, keyring: Keyring, spool: Spool) -> Iterator[Path]:
    structure = read_structure(document.root, kind, document.texts)
    if structure.package is not None:
        lookup = Certificates(structure).resolve
        yield from _paths(structure.package, document, lookup, keyring, spool, ())


def _paths(
    element: Element, document: Document, lookup: CertificateLookup, keyring: Keyring, spool: Spool, around: Path
) -> Iterator[Path]:
    """The path to what stands open in this element, and those through the blocks in it."""
    if any(content.get("href") or len(content.findall(c.BASE64_CONTENT)) for content in element.iter(c.CONTENT)):
        yield around
    for encrypted in element.iter(xmlenc.ENCRYPTED_DATA):
        if xmlenc.cipher_reference(encrypted) is not None:
            continue  # an attachment's entry: its key lies open in it
        keys = xmlenc.read_keys(encrypted, lookup, _POLICY, document.texts)
        path = (*around, frozenset(key.certificate_der for key in keys))
        inner = _opened(encrypted, keys, document, keyring, spool) if len(path) <= _POLICY.max_layers else None
        if inner is None:
            yield path
        else:
            yield from _paths(inner.root, inner, lookup, keyring, spool, path)


def _opened(
    encrypted: Element, keys: tuple[xmlenc.WrappedKey, ...], document: Document, keyring: Keyring, spool: Spool
) -> Document | None:
    """The document in a block, if a key here opens it."""
    try:
        own = xmlenc.own_key(keys, keyring, _POLICY, _WHERE)
        if own is None:
            return None
        octets = xmlenc.cipher_value(encrypted, document.texts, spool)
        method = xmlenc.read_method(encrypted, _POLICY, _WHERE)
        return read_xml(xmlenc.decrypt(octets, own, method, keyring, spool), spool)
    except (Undecryptable, Rejected):
        return None


def _nothing(_uri: str) -> bytes:
    raise Rejected("osci.reference", where="RetrievalMethod")
