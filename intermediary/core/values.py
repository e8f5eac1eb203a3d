"""The values that travel through the pipeline: what is known after each step, and no more.

Everything is frozen. Times are aware datetimes. Content (`Content`, `Part`) is citizens' data: it never enters a log
line, an exception, a repr or a file in the clear.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import BinaryIO, Literal, Protocol, runtime_checkable

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Befund:
    """One finding of a check: where, and which rule; never the value that broke it.

    `path` is an element path of names and positions (`/A/B[2]`) or a dotted configuration path; `line` counts from 1;
    `rule` is the stable name of the rule (a libxml2 rule name, a Schematron id, one of ours).
    """

    code: str
    path: str = ""
    line: int | None = None
    rule: str = ""
    hint: str = ""


@runtime_checkable
class Content(Protocol):
    """Bytes that can be read more than once; `length` in bytes, `sha256` in lower-case hex, both of the plaintext.

    Who holds one may not assume that it fits into memory: `open()` gives a fresh binary stream, `read()` all of it.
    """

    @property
    def length(self) -> int: ...

    @property
    def sha256(self) -> str: ...

    def open(self) -> BinaryIO: ...

    def read(self) -> bytes: ...


class MemoryContent:
    """Content held in memory: for small parts, mapped output and tests. Hashed when it is asked for first."""

    __slots__ = ("_data", "_sha256")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._sha256 = ""

    @property
    def length(self) -> int:
        return len(self._data)

    @property
    def sha256(self) -> str:
        if not self._sha256:
            self._sha256 = hashlib.sha256(self._data).hexdigest()
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)

    def read(self) -> bytes:
        return self._data

    def __repr__(self) -> str:
        return f"<content of {len(self._data)} bytes>"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an opened submission: a data content or an attachment.

    `name` is the sender's name for it (refId): data for display, never a path. `place` is the path in the container
    tree (`encdata_0/contentcontainer0/content0`), for people; nothing is decided by it. `encrypted` says whether it was
    encrypted below the transport layer. `covered_by` has one entry for each place where the sender put the part: the
    positions in `Opened.signatures` of the content signatures that were verified over it there (empty: unsigned there).
    """

    name: str = field(repr=False)
    media_type: str
    kind: Literal["data", "attachment"]
    content: Content
    place: str = field(default="", repr=False)
    encrypted: bool = False
    covered_by: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """What verification found about one signature; the yes or no is derived last, by policy.

    `intact`: digests and signature value match (None = not determinable, e.g. an unsupported transform). `valid`: intact
    and the algorithm and key usage are acceptable. `complete`: everything that had to be covered is covered. `trusted`:
    the signer's certificate leads to an anchor (None = undetermined); `reason` is the code that says why not, or what was
    noted although it does; `revocation` names the material that was used (`crl:<sha256>`). `signer` is the subject in
    RFC 4514 form, `partner` the Behoerdenkennung of the partner who lists the certificate. `place` is the signed
    container's path in the container tree (as in `Part.place`), empty for the transport layer.
    """

    layer: Literal["transport", "content"]
    signer: str
    algorithm: str
    intact: bool | None
    valid: bool
    complete: bool
    trusted: bool | None
    covers: tuple[str, ...]
    weak: bool = False
    place: str = field(default="", repr=False)
    reason: str = ""
    revocation: tuple[str, ...] = ()
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A submission after unseal: decrypted, verified, not yet judged.

    `facts` are the sender's statements about it, flat and named (`service`, `origin`, `author`, `reader`,
    `dialect.…`); `policy` names the crypto profile that applied. Algorithms are URIs in order of appearance.
    """

    format: str
    message_type: str
    message_id: str = field(repr=False)
    subject: str = field(repr=False)
    contents: tuple[Part, ...]
    attachments: tuple[Part, ...]
    signatures: tuple[SignatureFact, ...]
    algorithms: tuple[str, ...]
    policy: str
    findings: tuple[Befund, ...] = ()
    facts: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)


@dataclass(frozen=True, slots=True)
class Eingang:
    """What a door received, before it is durable: the argument of `store.take`.

    `message_id` is the sender's id (1 to 256 characters), `channel` the door's configured name. `reply_to` and
    `correlation_id` say where the Quittung goes. `vorgang` is an order key known at intake. None of it rests readable.
    `same_sha256` is of what stays the same when the sender repeats a submission (OSCI: the content package, while the
    transport around it is new each time), and decides what is a repetition; empty means the body itself. `not_before`: the
    sender wants nothing done with it until then; its deadline counts from that moment. `account` is the partner (Kennung)
    whom the door has recognised: the message id is unique for it alone. Empty: for everybody who sends to the Mandant.
    """

    mandant: str
    channel: str
    message_id: str = field(repr=False)
    content_type: str
    received_at: datetime
    body: Content
    reply_to: str = ""
    correlation_id: str = field(default="", repr=False)
    vorgang: str = field(default="", repr=False)
    same_sha256: str = ""
    not_before: datetime | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Dokument:
    """One file of a Zustellauftrag; `file_name` is generated by us and safe on every file system."""

    file_name: str
    media_type: str
    content: Content


@dataclass(frozen=True, slots=True)
class Herkunft:
    """Provenance of one output element: which input field, rule or constant made it.

    `target` is the output path, `source` the input path (`/S…/F…`), the rule's name, or empty for a constant.
    """

    target: str
    kind: Literal["input", "rule", "constant", "codelist", "metadata", "derived"]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ausgabe:
    """What a mapping produced for one Nachricht: the target message and the files that travel with it.

    `nachricht` is the target XML as bytes; `standard` and `message` name what it is (`xdomea 3.1.0`,
    `Abgabe.Abgabe.0401`). `package` is the form in which it is handed over (a ZIP of both, or the bare message).
    `herkunft` has one entry per leaf element of `nachricht`; `unread` lists input paths nobody read. `vorgang` is the key of
    the Vorgang as the content names it, for routes that keep the order (`order = "vorgang"`); a key the door knew counts
    first. It rests only as a keyed hash.
    """

    standard: str
    message: str
    nachricht: bytes = field(repr=False)
    package: Dokument
    dokumente: tuple[Dokument, ...] = ()
    herkunft: tuple[Herkunft, ...] = field(default=(), repr=False)
    unread: tuple[str, ...] = field(default=(), repr=False)
    business_keys: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    vorgang: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Zustellauftrag:
    """What a connector is given: one Ausgabe for one target, under one idempotency key.

    `key` is the same for every attempt of this Zustellung, and no other Zustellung ever has it. `attempt` counts from 1.
    `business_keys` are those of the Ausgabe (Aktenzeichen and the like), for targets that file by them: content.
    `nachricht` is the target XML alone, for targets that take it without its package; `standard` and `message` name it.
    """

    nachricht_id: str
    target: str
    key: str
    attempt: int
    mandant: str
    package: Dokument
    dokumente: tuple[Dokument, ...] = ()
    is_test: bool = False
    business_keys: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    nachricht: Content | None = field(default=None, repr=False)
    standard: str = ""
    message: str = ""
