"""The xdomea package: one message and its primary documents, flat in a ZIP (xoev-digest §7).

The archive is never held in memory nor written to disk: attachments may be large and must not rest readable, so it is
headers and contents joined while they are read (`archive.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.core.values import Dokument, MemoryContent
from intermediary.mapping.archive import stored_archive


def package(process_id: str, message: str, xml: bytes, dokumente: Sequence[Dokument]) -> Dokument:
    """`<ProzessID>_<Nachricht>.zip` with the XML of the same stem first, then the documents in the given order.

    `message` is the full name with its number (`Abgabe.Abgabe.0401`). Raises `ValueError` when two files have the same
    name or a name contains a folder.
    """
    stem = f"{process_id}_{message}"
    entries = [(f"{stem}.xml", MemoryContent(xml)), *((one.file_name, one.content) for one in dokumente)]
    names = [name for name, _ in entries]
    if len({name.casefold() for name in names}) < len(names) or any("/" in name or "\\" in name for name in names):
        raise ValueError("file names in a package are flat and different")
    return Dokument(f"{stem}.zip", "application/zip", stored_archive(entries))
