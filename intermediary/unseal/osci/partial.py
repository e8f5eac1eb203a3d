"""Transfer in chunks (OSCI 2017): chunk information, and what a partner announces of itself (digest §6, §16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from intermediary.unseal.nodes import attribute, broken, children, only, optional
from intermediary.unseal.osci.names import OSCI_2017
from intermediary.xml.parser import Element

KILOBYTE = 1024
MAX_CHUNKS = 100_000


@dataclass(frozen=True, slots=True)
class ChunkInformation:
    """What a partial message says of chunks; sizes in bytes, numbers from 1, None where not given.

    `received` are the numbers that have arrived, `none_received` (`-1` on the wire) says that the list was given and is
    empty.
    """

    number: int | None = None
    chunk_bytes: int | None = None
    total: int | None = None
    total_kilobytes: int | None = None
    received: tuple[int, ...] = ()
    none_received: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """What a partner announces: feature keys with their version, and limits in bytes (seconds for the timeout)."""

    versions: Mapping[str, str] = field(default_factory=dict)
    max_chunk_bytes: int | None = None
    min_chunk_bytes: int | None = None
    max_message_bytes: int | None = None
    chunk_timeout_seconds: int | None = None

    @property
    def takes_chunks(self) -> bool:
        """Whether PartialStoreDelivery and PartialFetchDelivery are understood."""
        return "PartialMessageTransmission" in self.versions


def read_chunk_information(order: Element) -> ChunkInformation | None:
    """The ChunkInformation of a partial request or answer, or None."""
    found = optional(order, OSCI_2017 + "ChunkInformation")
    if found is None:
        return None
    received, none_received = _received(found.get("ReceivedChunks"))
    return ChunkInformation(
        number=_count(found.get("ChunkNumber"), "ChunkNumber"),
        chunk_bytes=_kilobytes(found.get("ChunkSize"), "ChunkSize"),
        total=_count(found.get("TotalChunkNumbers"), "TotalChunkNumbers"),
        total_kilobytes=_count(found.get("TotalMessageSize"), "TotalMessageSize"),
        received=received,
        none_received=none_received,
    )


def is_info_only(order: Element) -> bool:
    """Whether a PartialStoreDelivery carries no chunk and only asks which have arrived."""
    return optional(order, OSCI_2017 + "InfoOnly") is not None


def read_features(block: Element | None) -> Features | None:
    """The FeatureDescription of a header, or None; unknown keys are kept, unknown attributes ignored."""
    if block is None:
        return None
    only(block, OSCI_2017 + "SupportedFeatures")
    supported = optional(block, OSCI_2017 + "SupportedFeatures")
    entries = () if supported is None else children(supported, OSCI_2017 + "Feature")
    return Features(
        versions={attribute(entry, "Key"): entry.get("Version") or "" for entry in entries},
        max_chunk_bytes=_kilobytes(block.get("MaxChunkSize"), "MaxChunkSize"),
        min_chunk_bytes=_kilobytes(block.get("MinChunkSize"), "MinChunkSize"),
        max_message_bytes=_kilobytes(block.get("MaxMessageSize"), "MaxMessageSize"),
        chunk_timeout_seconds=_count(
            block.get("ChunkMessageTimeOut") or block.get("ChunkMessageTimeout"), "ChunkMessageTimeOut"
        ),
    )


def _received(written: str | None) -> tuple[tuple[int, ...], bool]:
    words = (written or "").replace(",", " ").split()
    if words == ["-1"]:
        return (), True
    if len(words) > MAX_CHUNKS:
        raise broken("ReceivedChunks")
    numbers = tuple(_number(word, "ReceivedChunks") for word in words)
    return numbers, written is not None and not numbers


def _count(written: str | None, where: str) -> int | None:
    """`-1` is how some suppliers write that there is no number."""
    return None if written is None or written == "-1" else _number(written, where)


def _kilobytes(written: str | None, where: str) -> int | None:
    """Sizes on the wire are kilobytes of 1024 bytes."""
    return None if written is None else _number(written, where) * KILOBYTE


def _number(written: str, where: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        raise broken(where)
    return int(written)
