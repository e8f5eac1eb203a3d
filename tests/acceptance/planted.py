"""Applications full of canaries: one in every place where a sender can write something."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from random import Random

from intermediary.osci.write.letter import Attachment, Letter
from intermediary.testing.samples import SERVICE, sample_letter, sample_pdf, sample_png
from tests.acceptance.canaries import word

IN_LETTER = (
    "familienname", "strasse", "kommentar", "anweisung", "subject", "betreff", "osci-id", "xta-id", "pdf-name", "pdf-text",
    "png-name", "png-bytes",
)  # fmt: skip
"""Names of the canaries in every letter that is sealed here."""

IN_FAULTS = ("falscher-tag", "falsche-plz", "falsche-zahl", "falsches-attribut", "falsches-element")
"""Names of the canaries in what the schema refuses."""

BESIDE_LETTER = ("message-id", "reply-to", "correlation-id", "vorgang")
"""Names of the canaries in what a transport carries beside the letter."""


def planted(
    seed: int, *, now: datetime, service: str = SERVICE, is_broken: bool = False, large_bytes: int = 0
) -> Letter:
    """A usual letter with every canary of `IN_LETTER`, and of `IN_FAULTS` if it is broken.

    The canaries are the same in all letters; the seed tells their bytes apart. `large_bytes` makes the picture so large.
    """
    letter = sample_letter(seed, now=now, service=service)
    if letter.metadata is None:
        raise ValueError("a usual letter has metadata")
    picture = sample_png(shade=seed % 256) + f"\n{word('png-bytes')}\n".encode()
    picture += (Random(seed).randbytes(4096) + word("png-bytes").encode()) * (large_bytes // 4112)
    return replace(
        letter,
        message_id=f"{letter.message_id}:{word('osci-id')}",
        subject=f"Antrag von {word('subject')}",
        contents=(_document(letter.contents[0], is_broken=is_broken),),
        attachments=(
            Attachment(f"Nachweis {word('pdf-name')}.pdf", "application/pdf", sample_pdf(f"Akte {word('pdf-text')}")),
            Attachment(f"Foto {word('png-name')}.png", "image/png", picture),
        ),
        metadata=replace(
            letter.metadata,
            message_id=f"{letter.metadata.message_id}:{word('xta-id')}",
            subject=f"Antrag von {word('betreff')}",
        ),
    )


def opened_letter(letter: Letter) -> Letter:
    """The same without any encryption, as a careless sender has it: its canaries stand in what arrives."""
    return replace(letter, content_cipher=None, transport_cipher=None)


def slices(sealed: bytes) -> dict[str, str]:
    """Canaries out of what arrives: where they rest, the received bytes rest as they came instead of wrapped."""
    found = {"boundary": re.search(rb"boundary=MIME_boundary_([A-Za-z0-9+/]{24,})", sealed)}
    found |= {"wrapped key": re.search(rb"CipherValue>([A-Za-z0-9+/]{24,60})", sealed)}
    return {name: match[1].decode() for name, match in found.items() if match}


def _document(document: bytes, *, is_broken: bool) -> bytes:
    put = _put(document, "F05000000059V1.0.0", word("familienname"))
    put = _put(put, "F00000000053V1.1.0", word("strasse"))
    put = put.replace(b"?>\n", f"?>\n<!-- {word('kommentar')} -->\n<?druck {word('anweisung')}?>\n".encode(), 1)
    if is_broken:
        put = _put(put, "F05000000351V1.0.0", f"31. {word('falscher-tag')}")
        put = _put(put, "F00000000054V1.2.0", word("falsche-plz"))
        put = _put(put, "F05000001062V1.0.0", word("falsche-zahl"))
        put = put.replace(
            b"<G05000000477V1.0.0>", f'<G05000000477V1.0.0 art="{word("falsches-attribut")}">'.encode(), 1
        )
        put = put.replace(b"</S05000000058V1.0.0>", f"<{word('falsches-element')}/></S05000000058V1.0.0>".encode(), 1)
    return put


def _put(document: bytes, name: str, value: str) -> bytes:
    tag = name.encode()
    return re.sub(rb"<%b>[^<]*<" % re.escape(tag), b"<%b>%b<" % (tag, value.encode()), document, count=1)
