"""A writer of OSCI 1.2 messages for demo, tests and benchmarks: `seal(Letter(…), parties=…, random=…, now=…)`."""

from intermediary.osci.write.algorithms import Cipher, Digest, KeyTransport, SignatureMethod, Symmetric
from intermediary.osci.write.letter import (
    Attachment,
    Dialog,
    Identity,
    Letter,
    MessageType,
    MetaData,
    Parties,
    ProcessCard,
    Random,
)
from intermediary.osci.write.seal import seal

__all__ = [
    "Attachment",
    "Cipher",
    "Dialog",
    "Digest",
    "Identity",
    "KeyTransport",
    "Letter",
    "MessageType",
    "MetaData",
    "Parties",
    "ProcessCard",
    "Random",
    "SignatureMethod",
    "Symmetric",
    "seal",
]
