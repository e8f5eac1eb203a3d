"""The document a stylesheet reads: the form as it was sent, and beside it what else a mapping may know.

<k:eingang xmlns:k="urn:intermediary:kontext:1">
<k:kontext kennung="…" mandant="…" eingang="2026-05-04T10:15:30.250+02:00" fassung="0" test="false">
<k:einstellung name="aktenplan">112-06</k:einstellung>
<k:id pfad="/Vorgang">7f0c…</k:id>
</k:kontext>
<k:formulardaten id="…" datei="…_Formulardaten.xml"/>
<k:anlage nummer="1" id="…" datei="…_Anlage1.pdf" name="Foto.pdf" medientyp="application/pdf" laenge="1024"/>
<k:formular> the form </k:formular>
</k:eingang>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from intermediary.core.ports import Kontext
from intermediary.core.values import Content, Dokument, MemoryContent, Part
from intermediary.mapping.files import media_type_of, shown_name
from intermediary.mapping.german import local
from intermediary.mapping.xslt.marks import KONTEXT
from intermediary.xml.parser import Element

_ENDINGS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "text/csv": "csv",
    "text/plain": "txt",
    "text/xml": "xml",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment and the file it is in the package; `id` is for the object that describes it in a message."""

    number: int
    id: str
    part: Part = field(repr=False)
    dokument: Dokument


def attached(parts: Sequence[Part], kontext: Kontext) -> tuple[Attached, ...]:
    """Every attachment under the name it gets: `<uuid>_Anlage<n>.<ext>`, derived from the Nachricht."""
    return tuple(_attached(part, number, kontext) for number, part in enumerate(parts, 1))


def form_data(content: Content, kontext: Kontext) -> Dokument:
    """The form as it was received, byte by byte."""
    return Dokument(f"{kontext.id_for('/Formulardaten')}_Formulardaten.xml", "application/xml", content)


def entry(
    form: Element, files: Sequence[Attached], kontext: Kontext, settings: Mapping[str, str], ids: Sequence[str]
) -> bytes:
    """The document as UTF-8; `ids` are the paths of output objects that need a UUID of their own."""
    facts = {
        "kennung": kontext.key,
        "mandant": kontext.mandant,
        "eingang": local(kontext.received_at).isoformat(timespec="milliseconds"),
        "fassung": str(kontext.revision),
        "test": "true" if kontext.is_test else "false",
    }
    lines = [f'<k:eingang xmlns:k="{KONTEXT}"><k:kontext {_attributes(facts)}>']
    lines += [f"<k:einstellung name={_quoted(name)}>{escape(text)}</k:einstellung>" for name, text in settings.items()]
    lines += [f"<k:id pfad={_quoted(path)}>{kontext.id_for(path)}</k:id>" for path in ids]
    lines.append("</k:kontext>")
    data = {"id": kontext.id_for("/Formulardaten/Objekt"), "datei": form_data(MemoryContent(b""), kontext).file_name}
    lines.append(f"<k:formulardaten {_attributes(data)}/>")
    lines += [f"<k:anlage {_attributes(_facts_of(one))}/>" for one in files]
    lines += ["<k:formular>", etree.tostring(form, encoding="unicode", with_tail=False), "</k:formular></k:eingang>"]
    return "".join(lines).encode("utf-8")


def _attached(part: Part, number: int, kontext: Kontext) -> Attached:
    media_type = media_type_of(part)
    name = f"{kontext.id_for(f'/Anlage{number}')}_Anlage{number}.{_ENDINGS.get(media_type, 'bin')}"
    return Attached(number, kontext.id_for(f"/Anlage{number}/Objekt"), part, Dokument(name, media_type, part.content))


def _facts_of(one: Attached) -> dict[str, str]:
    return {
        "nummer": str(one.number),
        "id": one.id,
        "datei": one.dokument.file_name,
        "name": shown_name(one.part),
        "medientyp": one.dokument.media_type,
        "laenge": str(one.part.content.length),
    }


def _attributes(facts: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_quoted(text)}" for name, text in facts.items())


def _quoted(text: str) -> str:
    return quoteattr(text, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})
