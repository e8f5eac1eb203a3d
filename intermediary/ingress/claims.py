"""The claim check: a submission that is too large for the queue lies in a shared folder, and the message refers to it.

The reference is checked before it is followed, the file is opened once and without following links, and its bytes are
copied and verified before anything is promised (threat T27). The folder is the sender's: nothing is removed there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from intermediary.core.faults import Rejected, Transient
from intermediary.core.values import Content
from intermediary.ingress.doors import check_size
from intermediary.ingress.regular import IrregularFile, is_plain_name, open_regular
from intermediary.keys.spool import Spool, SpoolTooLarge

_FIELDS = frozenset({"store", "key", "size", "sha256"})
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ClaimMissing(Exception):
    """The store is there and the file is not."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A checked reference: a configured store, a plain file name in it, and what the file must be."""

    store: str
    key: str = field(repr=False)
    size: int
    sha256: str


class Claims:
    """The stores of one channel, by name."""

    def __init__(self, folders: Mapping[str, Path], *, spool: Spool, max_bytes: int) -> None:
        self._folders = dict(folders)
        self._spool = spool
        self._max_bytes = max_bytes

    def read(self, header: object) -> Claim:
        """The claim a sender stated in `x-claim`; raises `Rejected`."""
        if not isinstance(header, dict) or header.keys() != _FIELDS:
            raise Rejected("intake.claim.invalid")
        store, key, size, sha256 = (header[name] for name in ("store", "key", "size", "sha256"))
        if not isinstance(store, str) or store not in self._folders:
            raise Rejected("intake.claim.invalid")
        if not isinstance(key, str) or not is_plain_name(key):
            raise Rejected("intake.claim.invalid")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise Rejected("intake.claim.invalid")
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise Rejected("intake.claim.invalid")
        check_size(size, self._max_bytes)
        return Claim(store, key, size, sha256)

    def fetch(self, claim: Claim, should_stop: Callable[[], bool] = lambda: False) -> Content:
        """A verified copy of the claimed file.

        Raises `ClaimMissing`; `Rejected` when the file is not what the claim says; `Transient` when the store cannot be
        read now; `SpoolStopped` when asked to stop; OSError when there is no room for the copy.
        """
        with closing(self._open(claim)) as stream:
            try:
                content = self._spool.copy(stream, max_bytes=claim.size, should_stop=should_stop)
            except SpoolTooLarge as error:
                raise Rejected("intake.claim.invalid") from error
        if content.length != claim.size or content.sha256 != claim.sha256:
            raise Rejected("intake.claim.invalid")
        return content

    def _open(self, claim: Claim) -> BinaryIO:
        try:
            folder = os.open(self._folders[claim.store], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Transient("intake.claim.unreachable", where=claim.store) from error
        try:
            return open_regular(claim.key, folder)
        except FileNotFoundError as error:
            raise ClaimMissing from error
        except IrregularFile as error:
            raise Rejected("intake.claim.invalid") from error
        except OSError as error:
            raise Transient("intake.claim.unreachable", where=claim.store) from error
        finally:
            os.close(folder)


class VanishedContent:
    """Stands for a claimed file that is gone: it has the stated length and hash, and no bytes.

    A message that comes again after it was taken may refer to a file its owner has removed since. `take` recognises the
    repetition by the hash; if it asks for the bytes, the message is new after all, and refused.
    """

    __slots__ = ("_claim",)

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    @property
    def length(self) -> int:
        return self._claim.size

    @property
    def sha256(self) -> str:
        return self._claim.sha256

    def open(self) -> BinaryIO:
        raise Rejected("intake.claim.invalid")

    def read(self) -> bytes:
        raise Rejected("intake.claim.invalid")
