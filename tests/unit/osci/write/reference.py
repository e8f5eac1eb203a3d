"""The reference library's messages, taken apart so that the writer can be asked to write the same again."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from intermediary.keys.identity import HeldKey
from intermediary.osci.write import (
    OPEN,
    Answer,
    CertificateList,
    Chunk,
    Cipher,
    Control,
    CryptographicStamp,
    Deposit,
    DialogRequest,
    Fetch,
    Handover,
    Inspection,
    KeyTransport,
    Laufzettel,
    Order,
    Outgoing,
    Protection,
    SignatureMethod,
    Symmetric,
    WirePart,
    custom_block,
    foreign_certificates,
    foreign_package,
)
from intermediary.unseal.osci import cards
from intermediary.unseal.osci.structure import Structure, message_type, read_structure
from intermediary.xml.parser import parse
from tests.unit.osci.write import plain

_OSCI = "{http://www.osci.de/2002/04/osci}"
_SIGNATURE = re.compile(
    rb'Signature><ds:SignedInfo>.*?SignatureMethod Algorithm="([^"]*)".*?URI="#([^"]*_signature_[0-9a-f]*)"', re.DOTALL
)


@dataclass(frozen=True)
class Keys:
    """The test keys of the vectors, by name."""

    folder: Path

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / f"{name}.cert.pem").read_bytes())

    def private(self, name: str) -> RSAPrivateKey:
        data = (self.folder / f"{name}.key.pem").read_bytes()
        return load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True)

    def all_certificates(self) -> list[x509.Certificate]:
        return [x509.load_pem_x509_certificate(path.read_bytes()) for path in self.folder.glob("*.cert.pem")]

    def owner(self, der: bytes) -> str:
        """The name of the key pair this certificate belongs to."""
        certificate = x509.load_der_x509_certificate(der)
        return next(
            path.name.removesuffix(".cert.pem")
            for path in self.folder.glob("*.cert.pem")
            if x509.load_pem_x509_certificate(path.read_bytes()) == certificate
        )


@dataclass(frozen=True)
class Reference:
    """One message of the reference library without its transport encryption, and with it (None: there was none)."""

    message: bytes
    envelope: bytes | None
    keys: Keys

    @property
    def root(self) -> bytes:
        """The SOAP envelope as it was written."""
        return plain.split(self.message)[0].body

    def outgoing(self) -> Outgoing:
        """What the writer must be told to write this again."""
        envelope = parse(self.root.partition(b"?>")[2].strip())
        kind = message_type(envelope)
        structure = read_structure(envelope, kind)
        said = cards.read_order(structure)
        blocks = {block.tag: block for block in structure.blocks}
        control = blocks[f"{_OSCI}ControlBlock"]
        package = re.search(rb"<osci:ContentPackage>.*</osci:ContentPackage>", self.root, re.DOTALL)
        languages = blocks.get(f"{_OSCI}DesiredLanguages")
        number = control.get("SequenceNumber")
        return Outgoing(
            kind=kind,
            control=Control(
                response=control.findtext(f"{_OSCI}Response"),
                challenge=control.findtext(f"{_OSCI}Challenge"),
                conversation_id=control.get("ConversationId"),
                sequence_number=None if number is None else int(number),
            ),
            order=self._order(kind, said, structure),
            certificates=CertificateList(
                self._certificates("IntermediaryCertificates"), self._certificates("NonIntermediaryCertificates")
            ),
            package=foreign_package(package[0], self._parts()) if package else None,
            features=said.features,
            custom=tuple(
                custom_block(etree.tostring(block)) for block in structure.blocks if block.get("Id") == "MetaData"
            ),
            languages="de" if languages is None else languages.get("LanguagesList"),
        )

    def protection(self) -> Protection:
        """The signer and method the reference used, recipient and cipher of its envelope; SHA-1 is not offered."""
        found = _SIGNATURE.search(self.root)
        sealed = OPEN if self.envelope is None else self._sealed(self.envelope)
        if found is None or found[1].endswith(b"#rsa-sha1"):
            return sealed
        written = re.search(rb'Id="%b"><ds:X509Data><ds:X509Certificate>([^<]*)<' % re.escape(found[2]), self.root)
        name = self.keys.owner(base64.b64decode(written[1]))
        key = HeldKey(self.keys.private(name), self.keys.certificate(name))
        return replace(sealed, signer=key, method=SignatureMethod(found[1].decode()))

    def _sealed(self, envelope: bytes) -> Protection:
        first, second = plain.split(envelope)
        encrypted = plain.first_xml(first).find(".//xenc:EncryptedData", plain.NS)
        methods = [one.get("Algorithm") for one in encrypted.iter(f"{{{plain.NS['xenc']}}}EncryptionMethod")]
        digest = encrypted.find(".//ds:DigestMethod", plain.NS)
        is_short = encrypted.find("xenc:EncryptionMethod/osci128:IvLength", plain.NS) is not None
        wrapped = KeyTransport("" if digest is None else digest.get("Algorithm").rpartition("#")[2])
        certificate = encrypted.findtext(".//ds:X509Certificate", namespaces=plain.NS)
        is_base64 = dict(second.headers)["Content-Type"] == "text/base64"
        return Protection(
            recipient=self.keys.certificate(self.keys.owner(base64.b64decode(certificate))),
            cipher=Cipher(Symmetric(methods[0]), 12 if is_short else 16, wrapped, is_base64),
        )

    def _certificates(self, name: str):
        block = re.search(rb"<osci:%b .*?</osci:%b>" % ((name.encode(),) * 2), self.root, re.DOTALL)
        return foreign_certificates(block[0]) if block else ()

    def _parts(self) -> list[WirePart]:
        return [
            WirePart(part.name, dict(part.headers)["Content-Type"], part.data, "base64" in part.headers[1][1])
            for part in plain.split(self.message)[1:]
        ]

    def _order(self, kind: str, said: cards.Order, structure: Structure) -> Order:
        quality = {
            block.get("Service"): block.get("Quality")
            for block in structure.blocks
            if block.tag == f"{_OSCI}QualityOfTimestamp"
        }
        bundles = [element for element in structure.order if str(element.tag).endswith("ProcessCardBundle")]
        slips = tuple(self._slip(card, bundle) for card, bundle in zip(said.cards, bundles, strict=True))
        recorded: Mapping[str, str] = {"message_id": said.message_id, "subject": said.subject}
        if kind.startswith("ResponseTo"):
            own = recorded if not slips else {}
            limit = {"selection": said.selection, "limit": said.limit, "chunk": said.chunk}
            return Answer(feedback=said.entries, cards=slips, inside=said.inside, **own, **limit)
        if kind in ("AcceptDelivery", "ProcessDelivery"):
            return Handover(card=slips[0] if slips else None, message_id_response=said.message_id_response)
        if "Fetch" in kind:
            return Fetch(selection=said.selection, limit=said.limit, chunk=said.chunk)
        if kind == "PartialStoreDelivery":
            return Chunk(chunk=said.chunk, creation=quality["creation"], **recorded)
        if kind.endswith("Delivery"):
            return Deposit(receiver=said.receiver, creation=quality["creation"], **recorded)
        return DialogRequest()

    def _slip(self, card: cards.ProcessCard, bundle: etree._Element) -> Laufzettel:
        token = bundle.find(f".//{_OSCI}Creation/{_OSCI}Cryptographic")
        created = card.creation
        if token is not None:
            created = CryptographicStamp(token.get("Algorithm"), base64.b64decode(token.text))
        return Laufzettel(
            message_id=card.message_id,
            created=created,
            forwarded=card.forwarding or None,
            received=card.reception or None,
            subject=card.subject,
            modified=card.modified,
            inspections=tuple(self._inspection(one) for one in bundle.iter(f"{_OSCI}Inspection")),
            name=card.kind,
        )

    def _inspection(self, element: etree._Element) -> Inspection:
        serial = int(element.findtext(f"{_OSCI}X509SerialNumber"))
        online = element.find(f"{_OSCI}OnlineResult")
        return Inspection(
            at=element.findtext(f"{_OSCI}Timestamp/{_OSCI}Plain"),
            certificate=next(one for one in self.keys.all_certificates() if one.serial_number == serial),
            cert_type=element.find(f"{_OSCI}CertType").get("Type"),
            math=element.find(f"{_OSCI}MathResult").get("Result"),
            offline=element.find(f"{_OSCI}OfflineResult").get("Result"),
            online=None
            if online is None
            else (online[0].tag.removeprefix(_OSCI), online.get("Result"), online[0].text or ""),
        )


def references(vectors: Path) -> dict[str, Reference]:
    """Every positive vector that is no SOAP fault, by name."""
    keys = Keys(vectors / "keys")
    own = [keys.private(f"{name}-cipher") for name in ("recipient", "intermediary", "originator")]
    found = {}
    for path in sorted((vectors / "positive").glob("*.osci")):
        message = path.read_bytes()
        if path.stem.startswith("soapfault"):
            continue
        envelope = message if b"soapMessageEncrypted" in message[:2000] else None
        found[path.stem] = Reference(_opened(message, own) if envelope else message, envelope, keys)
    return found


def _opened(message: bytes, keys: list[RSAPrivateKey]) -> bytes:
    for key in keys:
        try:
            return plain.open_transport(message, key)
        except (ValueError, LookupError):
            continue
    raise AssertionError("none of the keys opens this vector")
