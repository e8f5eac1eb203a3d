"""Sample applications are what they claim: valid, or broken in several places, and the same for the same seed."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from lxml import etree

from intermediary.osci.write import seal
from intermediary.testing.samples import broken_application, sample_application, sample_letter, sample_pdf, sample_png
from tests.unit.osci.write import plain

SEEDS = range(200)


@pytest.fixture
def published(shared: Path) -> etree._ElementTree:
    """The published schema of the form, as a document."""
    folder = shared / "schemas" / "fim-xfall" / "xdf3-1.01" / "xsd"
    return etree.parse(folder / "bewohnerparken_S05000058_xfall.xsd")


@pytest.fixture
def schema(published: etree._ElementTree) -> etree.XMLSchema:
    """The published schema, ready to validate."""
    return etree.XMLSchema(published)


def test_samples_are_valid(schema, published):
    """Every sample is valid against the published schema, with every optional group somewhere among them."""
    seen = set()
    for seed in SEEDS:
        tree = etree.fromstring(sample_application(seed))
        schema.assertValid(tree)
        seen |= {etree.QName(node).localname for node in tree.iter()}
    declared = {element.get("name") for element in published.iter("{http://www.w3.org/2001/XMLSchema}element")}

    # the Hausnummerzusatz stands in the Hausnummer, as its published pattern admits hardly a letter
    assert {"F00000000084V1.1.0", None} == declared - seen


def test_broken_samples_have_several_findings(schema):
    """Every broken sample has four errors in four places and remains well-formed."""
    for seed in SEEDS:
        tree = etree.fromstring(broken_application(seed))
        assert not schema.validate(tree)

        assert 4 == len({error.line for error in schema.error_log}), seed


def test_a_seed_decides_everything():
    """The same seed gives the same bytes, and many seeds give many applications."""
    assert sample_application(7) == sample_application(7)
    assert broken_application(7) == broken_application(7)
    assert len(SEEDS) == len({sample_application(seed) for seed in SEEDS})


def test_a_pdf_points_to_its_objects():
    """The cross-reference table of a sample PDF leads to its objects, and its stream has the announced length."""
    pdf = sample_pdf("Straße (klein)\nzweite Zeile \\ Ende")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", pdf)[1])
    offsets = [int(offset) for offset in re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])]
    length, stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf, re.DOTALL).groups()

    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf[start:].startswith(b"xref\n0 6\n")
    assert [b"%d 0 obj" % number for number in range(1, 6)] == [pdf[offset : offset + 7] for offset in offsets]
    assert int(length) == len(stream)
    assert b"(Stra\xdfe \\(klein\\)) Tj" in stream


def test_a_png_holds_its_pixels():
    """The chunks of a sample PNG have good checksums, and the pixels fill the announced size."""
    png, chunks = sample_png(width=10, height=4, shade=3), {}
    position = 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        kind, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        checksum = int.from_bytes(png[position + 8 + length : position + 12 + length], "big")
        assert zlib.crc32(kind + data) == checksum
        chunks[kind] = data
        position += 12 + length

    assert [b"IHDR", b"IDAT", b"IEND"] == list(chunks)
    assert 4 * (1 + 10 * 3) == len(zlib.decompress(chunks[b"IDAT"]))


def test_pictures_show_something():
    """A sample picture has shapes in several colours, and another shade is another picture."""
    one, other = sample_png(shade=3), sample_png(shade=200)
    pixels = zlib.decompress(one[one.index(b"IDAT") + 4 : one.index(b"IEND") - 8])
    rows = [pixels[1 + row * (1 + 240 * 3) :][: 240 * 3] for row in range(160)]

    assert 5 < len({row[x : x + 3] for row in rows for x in range(0, len(row), 3)})
    assert one != other


def test_letters_travel_sealed(pki, randomness, now):
    """A sample letter opens to its application; sound and broken letters of one seed have ids of their own."""
    sound, broken = sample_letter(3, now=now), sample_letter(3, now=now, is_broken=True)
    inner = plain.open_transport(
        seal(broken, parties=pki.parties, random=randomness, now=now), pki.members["recipient-cipher"].private
    )

    assert [broken_application(3)] == plain.contents(plain.container(inner, pki.members["reader-cipher"].private))
    assert sound.message_id != broken.message_id
    assert sound == sample_letter(3, now=now)
