"""The content package: opens containers layer by layer for the keys at hand and verifies each (digest §8 to §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Content, Part
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import xmlenc
from intermediary.unseal.cipher import Undecryptable
from intermediary.unseal.documents import read_xml
from intermediary.unseal.nodes import children, only
from intermediary.unseal.osci import container as c
from intermediary.unseal.osci.attachments import AttachmentKey, Attachments, read_key
from intermediary.unseal.osci.certificates import Certificates
from intermediary.unseal.osci.container import Container, Data, Linked, Nested
from intermediary.unseal.osci.content_signature import ContentVerifier
from intermediary.unseal.osci.coverage import UNSIGNED, Cover, Coverage
from intermediary.unseal.osci.places import Places
from intermediary.unseal.osci.progress import Progress, Stage
from intermediary.unseal.osci.structure import check_ids
from intermediary.unseal.policy import Policy
from intermediary.xml.long import LongTexts
from intermediary.xml.parser import Element

_WHERE = "content"


@dataclass(frozen=True, slots=True)
class _Layer:
    """Where in the tree the reading is: long texts of the document, path, encryptions around it, known attachment keys."""

    texts: LongTexts = field(repr=False)
    place: str = ""
    depth: int = 0
    keys: Mapping[str, AttachmentKey] = field(default_factory=dict, repr=False)


class PackageReader:
    """Reads one ContentPackage into parts. Used once per message."""

    def __init__(
        self,
        certificates: Certificates,
        keyring: Keyring,
        policy: Policy,
        verifier: ContentVerifier,
        attachments: Attachments,
        progress: Progress,
        spool: Spool,
    ) -> None:
        self._certificates = certificates
        self._keyring = keyring
        self._policy = policy
        self._verifier = verifier
        self._attachments = attachments
        self._progress = progress
        self._spool = spool
        self._contents: list[Part] = []
        self._coverage = Coverage()
        self._places = Places()
        self._unopened = 0

    def read(self, package: Element, texts: LongTexts) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """Contents in the order of the tree and attachments in the order of their MIME parts.

        What was encrypted for others stays shut and is a finding; if nothing could be opened the message is refused.
        """
        only(package, xmlenc.ENCRYPTED_DATA, c.CONTAINER)
        top = _Layer(texts)
        for child in package:
            if child.tag == xmlenc.ENCRYPTED_DATA:
                self._open(child, top, UNSIGNED)
            else:
                self._verify(self._container(child, top), 0, UNSIGNED)
        contents, attachments = self._covered_contents(), self._opened_attachments()
        if self._unopened and not contents and not attachments:
            raise Rejected("osci.content.no-key")
        if not self._unopened:
            self._attachments.check_all_referenced()
        return contents, attachments

    def _container(self, element: Element, layer: _Layer) -> Container:
        """Reads a container and the containers inside its contents; encrypted parts are left for later."""
        c.check_container(element)
        place = self._places.below(layer.place, element.get("Id"), otherwise="contentcontainer")
        encrypted, entries = c.split_encrypted(element)
        keys = dict(layer.keys)
        for entry in entries:
            keys[xmlenc.cipher_reference(entry) or ""] = read_key(entry, self._policy, self._progress)
        inside = replace(layer, place=place, keys=keys)
        items = tuple(self._item(content, inside) for content in children(element, c.CONTENT))
        return Container(place, tuple(children(element, c.SIGNATURE)), items, encrypted, entries, layer.texts)

    def _item(self, content: Element, layer: _Layer) -> Data | Linked | Nested:
        name = c.href(content)
        if name is not None:
            identifier = content.get("Id") or ""
            key = layer.keys.get(name)
            if key is None and layer.depth:
                # In an encrypted container an attachment without a key would be ciphertext taken for content.
                raise Rejected("osci.content.undecryptable", where="attachment")
            place = self._places.below(layer.place, identifier, otherwise="content")
            return Linked(identifier, content, self._attachments.open(name, key, place))
        data = c.data(content, len(self._contents), layer.texts, self._spool)
        if data is not None:
            place = self._places.below(layer.place, data.identifier, otherwise="content")
            self._contents.append(Part(data.identifier, "", "data", data.content, place, bool(layer.depth)))
            return data
        identifier = content.get("Id") or ""
        inner = replace(layer, place=self._places.below(layer.place, identifier, otherwise="content"))
        return Nested(identifier, content, self._container(c.nested(content), inner))

    def _verify(self, container: Container, depth: int, around: Cover) -> None:
        """Signatures from the outside in, then what is encrypted inside; `around` is what covers the container."""
        cover = around.joined_by(self._verifier.verify(container))
        self._coverage.note(container, cover)
        for item in container.items:
            if isinstance(item, Nested):
                self._verify(item.container, depth, cover)
        for encrypted in container.encrypted:
            self._open(encrypted, _Layer(container.texts, container.place, depth), cover.sealed())

    def _open(self, encrypted: Element, layer: _Layer, around: Cover) -> None:
        """Decrypts one EncryptedData if it was made for us, and reads the container in it as a document of its own."""
        if layer.depth >= self._policy.max_layers:
            raise Rejected("osci.limit", where="layers")
        keys = xmlenc.read_keys(encrypted, self._certificates.resolve, self._policy, layer.texts)
        own = xmlenc.own_key(keys, self._keyring, self._policy, _WHERE)
        place = self._places.below(layer.place, encrypted.get("Id"), otherwise="encdata")
        if own is None:
            self._unopened += 1
            self._progress.findings.append(Befund("osci.content.unopened", path=place, rule="no-key"))
            return
        method = xmlenc.read_method(encrypted, self._policy, _WHERE)
        self._progress.saw(method.uri, own.uri)
        octets = xmlenc.cipher_value(encrypted, layer.texts, self._spool)
        self._progress.count_key_operation()
        before, self._progress.stage = self._progress.stage, Stage.SEALED
        try:
            plain = xmlenc.decrypt(octets, own, method, self._keyring, self._spool)
            self._read_inner(plain, place, layer.depth + 1, around)
        except Undecryptable:
            raise Rejected("osci.content.undecryptable") from None
        except Rejected:
            if method.cipher.authenticated:
                raise
            # Without authentication every later failure may be the attacker's question: one answer (rule R3).
            raise Rejected("osci.content.undecryptable") from None
        self._progress.stage = before

    def _read_inner(self, plain: Content, place: str, depth: int, around: Cover) -> None:
        document = read_xml(plain, self._spool)
        if document.root.tag != c.CONTAINER:
            raise Rejected("osci.content.malformed")
        check_ids(document.root)
        container = self._container(document.root, _Layer(document.texts, place, depth))
        self._verify(container, depth, around)

    def _covered_contents(self) -> tuple[Part, ...]:
        return tuple(
            replace(part, covered_by=self._coverage.of_content(position))
            for position, part in enumerate(self._contents)
        )

    def _opened_attachments(self) -> tuple[Part, ...]:
        return tuple(
            Part(
                one.name,
                one.media_type,
                "attachment",
                one.content,
                one.place,
                one.encrypted,
                self._coverage.of_attachment(one.name),
            )
            for one in self._attachments.opened()
        )
