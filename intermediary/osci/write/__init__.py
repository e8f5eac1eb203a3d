"""Writes OSCI 1.2 messages of every type: `write(Outgoing(…), Protection(…), random=…)`; `seal` for a whole letter.

What is written is already canonical, so that digests cover the written bytes; prefixes, declarations and order are those
of the reference library (digest §2, §6). Private keys are used through `keys.identity.SignatureKey` only.
"""

from intermediary.osci.write.algorithms import Cipher, Digest, KeyTransport, SignatureMethod, Symmetric
from intermediary.osci.write.attachment import Attachment
from intermediary.osci.write.block import Block
from intermediary.osci.write.certificates import CertificateList, Listed, list_certificates
from intermediary.osci.write.content import Signer
from intermediary.osci.write.contents import Contents, chunk_package, pack_contents
from intermediary.osci.write.fault import write_fault
from intermediary.osci.write.feedback import entry
from intermediary.osci.write.foreign import foreign_certificates, foreign_package
from intermediary.osci.write.laufzettel import CryptographicStamp, Inspection, Laufzettel
from intermediary.osci.write.letter import Dialog, Identity, Letter, MessageType, Parties, ProcessCard
from intermediary.osci.write.message import OPEN, OWN_FEATURES, Control, Outgoing, Protection
from intermediary.osci.write.metadata import MetaData, custom_block, metadata_block
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.octets import Octets, Random
from intermediary.osci.write.orders import Answer, Chunk, Deposit, DialogRequest, Fetch, Handover, Order
from intermediary.osci.write.package import Package
from intermediary.osci.write.seal import seal, seal_to
from intermediary.osci.write.writing import write, write_stream

__all__ = [
    "OPEN",
    "OWN_FEATURES",
    "Answer",
    "Attachment",
    "Block",
    "CertificateList",
    "Chunk",
    "Cipher",
    "Contents",
    "Control",
    "CryptographicStamp",
    "Deposit",
    "Dialog",
    "DialogRequest",
    "Digest",
    "Fetch",
    "Handover",
    "Identity",
    "Inspection",
    "KeyTransport",
    "Laufzettel",
    "Letter",
    "Listed",
    "MessageType",
    "MetaData",
    "Octets",
    "Order",
    "Outgoing",
    "Package",
    "Parties",
    "ProcessCard",
    "Protection",
    "Random",
    "SignatureMethod",
    "Signer",
    "Symmetric",
    "WirePart",
    "chunk_package",
    "custom_block",
    "entry",
    "foreign_certificates",
    "foreign_package",
    "list_certificates",
    "metadata_block",
    "pack_contents",
    "seal",
    "seal_to",
    "write",
    "write_fault",
    "write_stream",
]
