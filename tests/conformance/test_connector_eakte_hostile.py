"""The answer folder of `eakte_ordner` is written by others: nothing that lies in it stops or deceives the connector."""

from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from connectors.eakte_xdomea import filing
from connectors.eakte_xdomea.container import MOST_BYTES, Unreadable
from connectors.eakte_xdomea.filing import SETTLING
from connectors.eakte_xdomea.message import Answer, read_answer
from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Delivered
from intermediary.testing.connectors import NOW
from tests.conformance.eakte_target import EakteTarget, Imported, confirmation, handed_over, receipt, zipped

PROCESS = "0b1ec7b8-0000-4000-8000-000000000001"
GOOD = confirmation(PROCESS, Imported(), Imported(False, ["E1"], "gesperrt"))
AS_TEXT = GOOD.decode()


def _bomb() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return AS_TEXT.replace("?>", f'?><!DOCTYPE x [<!ENTITY a0 "lol">{entities}]>', 1).encode()


def _zip_of(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def _encrypted() -> bytes:
    data = bytearray(_zip_of(("a.xml", GOOD)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "no XML": b"Akte angelegt",
    "truncated": GOOD[:-20],
    "DTD": AS_TEXT.replace("?>", "?><!DOCTYPE x>", 1).encode(),
    "external entity": AS_TEXT.replace("?>", '?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', 1).encode(),
    "billion laughs": _bomb(),
    "deep": b"<a>" * 100_000,
    "too large": GOOD.replace(b"</code>", b"</code>" + b" " * MOST_BYTES, 1),
    "large text": AS_TEXT.replace("gesperrt", "x" * 2_000_000).encode(),
    "many nodes": AS_TEXT.replace("<xdomea:Absender/>", "<xdomea:Absender/>" * 120_000).encode(),
    "UTF-16": AS_TEXT.replace("UTF-8", "UTF-16").encode("utf-16"),
    "latin-1": AS_TEXT.replace("UTF-8", "iso-8859-1").encode("latin-1"),
    "other root": AS_TEXT.replace("ImportBestaetigen.0402", "Abgabe.0401").encode(),
    "other standard": AS_TEXT.replace("urn:xoev-de:xdomea:schema:3.1.0", "urn:example:xdomea").encode(),
    "kind and root differ": AS_TEXT.replace("<code>0402</code>", "<code>0403</code>").encode(),
    "no ProzessID": AS_TEXT.replace(f"<xdomea:ProzessID>{PROCESS}</xdomea:ProzessID>", "").encode(),
    "two ProzessIDs": AS_TEXT.replace("<xdomea:Nachrichtentyp", f"<xdomea:ProzessID>{PROCESS}</xdomea:ProzessID>"
                                      "<xdomea:Nachrichtentyp", 1).encode(),
    "ProzessID with a path": AS_TEXT.replace(PROCESS, "../../../../etc/passwd").encode(),
    "no object": confirmation(PROCESS),
    "neither true nor false": confirmation(PROCESS, Imported("vielleicht")),
    "empty result": confirmation(PROCESS, Imported("")),
    "object without id": confirmation(PROCESS, Imported(id="")),
    "ZIP of nothing": _zip_of(),
    "ZIP without a message": _zip_of(("a.pdf", b"%PDF")),
    "ZIP with two messages": _zip_of(("a.xml", GOOD), ("b.xml", GOOD)),
    "ZIP in a ZIP": _zip_of(("a.zip", _zip_of(("a.xml", GOOD)))),
    "ZIP bomb": _zip_of(("a.xml", b" " * 200_000_000)),
    "ZIP of thousands": _zip_of(*((f"{number}.txt", b"") for number in range(5_000)), ("a.xml", GOOD)),
    "ZIP, bzip2": _zip_of(("a.xml", GOOD), method=zipfile.ZIP_BZIP2),
    "ZIP, encrypted": _encrypted(),
    "ZIP, truncated": _zip_of(("a.xml", GOOD))[:-10],
    "ZIP, damaged": _zip_of(("a.xml", GOOD)).replace(zlib.compress(GOOD)[2:20], b"\0" * 18),
}  # fmt: skip


@pytest.fixture
def target(tmp_path: Path) -> EakteTarget:
    return EakteTarget(tmp_path / "eakte")


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_answers_are_unreadable(kind: str) -> None:
    """Nothing but one well-formed, unambiguous 0402 or 0403 is an answer; everything else fails the same way."""
    with pytest.raises(Unreadable):
        read_answer(HOSTILE[kind])


def test_hostile_answers_are_set_aside_and_hold_nobody_back(target: EakteTarget) -> None:
    """All of them before the one good answer: it is found, they lie aside under their names, and probe counts them."""
    auftrag, correlation = handed_over(target)
    for number, data in enumerate(HOSTILE.values()):
        _aged(target.answer(data, f"{number:02}.xml"))
    _aged(target.answer(confirmation(PROCESS, Imported()), "unbekannt.xml"))
    target.answer(confirmation(auftrag.nachricht_id, Imported()))

    assert isinstance(target.connect().collect(auftrag.key, correlation, _now()), Delivered)
    assert [] == target.names("answers")
    assert [*(f"{number:02}.xml" for number in range(len(HOSTILE))), "unbekannt.xml"] == target.names("unmatched")
    with pytest.raises(Misconfigured) as raised:
        target.connect().probe()
    assert ("target.answer.unmatched", f"answers.unmatched: {len(HOSTILE) + 1}") == (
        raised.value.code,
        raised.value.where,
    )


def test_what_was_set_aside_can_be_put_back(target: EakteTarget) -> None:
    """A person who puts an answer back gets it looked at anew."""
    auftrag, correlation = handed_over(target)
    register = target["state"] / f"{auftrag.nachricht_id}.prozess"
    note = register.read_bytes()
    register.unlink()
    target.answer(confirmation(auftrag.nachricht_id, Imported()), "antwort.xml")
    assert target.connect().collect(auftrag.key, correlation, NOW) is None
    assert ["antwort.xml"] == target.names("unmatched")

    register.write_bytes(note)
    (target["unmatched"] / "antwort.xml").rename(target["answers"] / "antwort.xml")
    assert isinstance(target.connect().collect(auftrag.key, correlation, NOW), Delivered)


@pytest.mark.parametrize("cut", [0, 1, 100, -2])
def test_half_written_answer_is_left_alone(target: EakteTarget, cut: int) -> None:
    """An e-file that writes in place is waited for; an answer that stays incomplete is set aside after ten minutes."""
    auftrag, correlation = handed_over(target)
    answer = confirmation(auftrag.nachricht_id, Imported())
    path = target["answers"] / "antwort.xml"
    path.write_bytes(answer[:cut])
    moment = datetime.fromtimestamp(path.stat().st_mtime, NOW.tzinfo)
    connector = target.connect()

    assert connector.collect(auftrag.key, correlation, moment + SETTLING - timedelta(seconds=1)) is None
    assert ["antwort.xml"] == target.names("answers")
    path.write_bytes(answer)
    assert isinstance(connector.collect(auftrag.key, correlation, moment), Delivered)


@pytest.mark.parametrize("name", [".versteckt.xml", "antwort.xml.tmp", "ANTWORT.PART", "antwort.new"])
def test_unfinished_names_are_ignored(target: EakteTarget, name: str) -> None:
    """What is written under another name is not looked at before it is renamed."""
    auftrag, correlation = handed_over(target)
    (target["answers"] / name).write_bytes(confirmation(auftrag.nachricht_id, Imported()))

    assert target.connect().collect(auftrag.key, correlation, NOW) is None
    assert [name] == target.names("answers")


def test_links_pipes_and_folders_are_not_read(target: EakteTarget, tmp_path: Path) -> None:
    """A link leads nowhere, a pipe blocks nobody, a folder stays."""
    auftrag, correlation = handed_over(target)
    outside = tmp_path / "outside.xml"
    outside.write_bytes(confirmation(auftrag.nachricht_id, Imported()))
    (target["answers"] / "link.xml").symlink_to(outside)
    os.mkfifo(target["answers"] / "pipe.xml")
    (target["answers"] / "folder.xml").mkdir()

    assert target.connect().collect(auftrag.key, correlation, _now() + timedelta(hours=1)) is None
    assert ["folder.xml"] == target.names("answers")
    assert ["link.xml", "pipe.xml"] == target.names("unmatched")
    assert outside.exists()


def test_same_names_do_not_replace_each_other(target: EakteTarget) -> None:
    """An e-file that calls every answer the same loses none of them, aside or archived."""
    auftrag, correlation = handed_over(target)
    for _ in range(3):
        target.answer(confirmation(PROCESS, Imported()), "antwort.xml")
        target.answer(receipt(auftrag.nachricht_id), "empfang.xml")
        assert target.connect().collect(auftrag.key, correlation, NOW) is None

    assert ["2-antwort.xml", "3-antwort.xml", "antwort.xml"] == target.names("unmatched")
    assert [f"{auftrag.key}.answer.{number}" for number in (1, 2, 3)] == target.names("archive")


def test_odd_names_are_filed_like_any_other(target: EakteTarget) -> None:
    """Names that are too long to be numbered, or no text at all, stop nothing."""
    auftrag, correlation = handed_over(target)
    odd = [b"x" * 251 + b".xml", b"\xff\xfe.xml", b"a\nb.xml", "ü".encode() * 127]
    for name in odd * 2:
        for data in (b"<", confirmation(PROCESS, Imported())):
            path = os.fsencode(target["answers"]) + b"/" + name
            Path(os.fsdecode(path)).write_bytes(data)
            assert target.connect().collect(auftrag.key, correlation, _now() + timedelta(hours=1)) is None

    assert [] == target.names("answers")
    assert 4 * len(odd) == len(target.names("unmatched"))


def test_answer_replaced_between_look_and_rename_is_put_back(
    target: EakteTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An e-file that overwrites its 0403 with its 0402 at the worst moment: the 0402 is looked at anew."""
    auftrag, correlation = handed_over(target)
    target.answer(receipt(auftrag.nachricht_id), "antwort.xml")
    real = filing.rename_new

    def replacing(source: str, name: str, **folders: int) -> None:
        monkeypatch.setattr(filing, "rename_new", real)
        target.answer(confirmation(auftrag.nachricht_id, Imported()), "antwort.xml")
        real(source, name, **folders)

    monkeypatch.setattr(filing, "rename_new", replacing)

    assert target.connect().collect(auftrag.key, correlation, NOW) is None
    assert (["antwort.xml"], []) == (target.names("answers"), target.names("archive"))
    assert isinstance(target.connect().collect(auftrag.key, correlation, NOW), Delivered)


def test_file_that_cannot_be_moved_holds_no_other_back(target: EakteTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer in a place we may not touch does not stop the rest."""
    auftrag, correlation = handed_over(target)
    target.answer(confirmation(PROCESS, Imported()), "fremd.xml")
    target.answer(confirmation(auftrag.nachricht_id, Imported()))
    real = filing.rename_new

    def refusing(source: str, name: str, **folders: int) -> None:
        if source == "fremd.xml":
            raise PermissionError(1, "not ours")
        real(source, name, **folders)

    monkeypatch.setattr(filing, "rename_new", refusing)

    assert isinstance(target.connect().collect(auftrag.key, correlation, NOW), Delivered)
    assert ["fremd.xml"] == target.names("answers")


@pytest.mark.parametrize("note", [b"{", b'{"keys": 1}', b'{"keys": ["../x"]}', b"[]"])
def test_damaged_register_concerns_its_own_only(target: EakteTarget, note: bytes) -> None:
    """A note that cannot be read stops the answer it belongs to, and no other."""
    damaged, _ = handed_over(target, 2)
    auftrag, correlation = handed_over(target)
    (target["state"] / f"{damaged.nachricht_id}.prozess").write_bytes(note)
    target.answer(confirmation(damaged.nachricht_id, Imported()), "bleibt.xml")
    target.answer(confirmation(auftrag.nachricht_id, Imported()))

    assert isinstance(target.connect().collect(auftrag.key, correlation, NOW), Delivered)
    assert ["bleibt.xml"] == target.names("answers")


@pytest.mark.parametrize("pack", [bytes, zipped], ids=["xml", "zip"])
def test_random_damage_is_an_answer_or_unreadable(pack: Callable[[bytes], bytes]) -> None:
    """Two thousand damaged answers of each form: read or refused, never another exception."""
    dice, good, read = random.Random(20261121), pack(GOOD), 0
    for _ in range(2_000):
        data = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            match dice.randrange(3):
                case 0:
                    data[dice.randrange(len(data))] = dice.randrange(256)
                case 1:
                    at = dice.randrange(len(data))
                    del data[at : at + dice.randint(1, 50)]
                case _:
                    at = dice.randrange(len(data))
                    data[at:at] = data[at : at + dice.randint(1, 50)]
        try:
            read += isinstance(read_answer(bytes(data)), Answer)
        except Unreadable:
            continue

    assert read < 2_000


def test_probe_accepts_what_fits(target: EakteTarget) -> None:
    """Five folders, writable, on one mount, nothing aside: nothing to complain about."""
    assert target.connect().probe() is None


@pytest.mark.parametrize("name", ["answers", "archive", "unmatched"])
def test_probe_finds_missing_folders(target: EakteTarget, name: str) -> None:
    """A folder that is not there is found before the first answer."""
    target[name].rmdir()
    with pytest.raises(Misconfigured):
        target.connect().probe()


@pytest.mark.parametrize(("name", "twin"), [("archive", "answers"), ("unmatched", "archive"), ("answers", "drop")])
def test_probe_finds_one_folder_used_twice(target: EakteTarget, name: str, twin: str) -> None:
    """An answer would be filed over and over, or a package be taken for an answer."""
    target.folders[name] = target[twin]
    with pytest.raises(Misconfigured) as raised:
        target.connect().probe()

    assert str(raised.value.where).endswith("is used for something else, too")


def test_made_answers_are_what_the_standard_says(shared: Path) -> None:
    """The answers of these tests validate against the official xdomea 3.1.0, and its sample is read."""
    folder = shared / "schemas/xdomea/3.1.0"
    schema = etree.XMLSchema(etree.parse(folder / "xsd/xdomea-Nachrichten-AbgabeDurchfuehren.xsd"))
    for answer in (GOOD, receipt(PROCESS), confirmation(PROCESS, Imported(), Imported("0", ["A", "B"]))):
        assert schema.validate(etree.fromstring(answer)), schema.error_log
    sample = read_answer((folder / "konstruierte-beispiele/Abgabe.ImportBestaetigen.0402.xml").read_bytes())

    assert ("0402", "550e8400-e29b-41d4-a716-446655440000", False) == (
        sample.kind,
        sample.prozess_id,
        sample.is_refusal,
    )


def _aged(path: Path) -> None:
    os.utime(path, (1, 1))


def _now() -> datetime:
    """A moment at which what `_aged` touched has rested."""
    return datetime.now(NOW.tzinfo)
