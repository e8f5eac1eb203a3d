"""A writer of OSCI 1.2 messages for demo, tests and benchmarks: `seal(Letter(…), parties=…, random=…, now=…)`."""

from intermediary.testing.osci.algorithms import Cipher, Digest, KeyTransport, SignatureMethod, Symmetric
from intermediary.testing.osci.letter import (
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
from intermediary.testing.osci.seal import seal

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
