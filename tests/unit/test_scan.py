"""The virus scan: what clamd says, what it must not be believed, and what becomes of it when it is away."""

from __future__ import annotations

import base64
import io
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.values import MemoryContent, Opened, Part
from intermediary.scan import Scanned, Scanner
from intermediary.testing.clamd import PATTERN, SIGNATURE, PrivateClamd


def _opened(*attachments: bytes, contents: tuple[bytes, ...] = (b"<antrag/>",)) -> Opened:
    parts = tuple(
        Part("Erika.pdf", "application/pdf", "attachment", MemoryContent(data), place=f"content{number}")
        for number, data in enumerate(attachments)
    )
    data = tuple(Part("antrag", "application/xml", "data", MemoryContent(one), place="daten") for one in contents)
    return Opened("osci-1.2", "", "1", "", data, parts, (), (), "osci")


def _scanner(address: str, *, max_bytes: int = 50_000_000, seconds: float = 30) -> Scanner:
    return Scanner(address, seconds, seconds, max_bytes)


@contextmanager
def _pretender(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that listens and is no clamd, or a clamd in trouble; serves one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def _until(connection: socket.socket, end: bytes) -> None:
    seen = b""
    while not seen.endswith(end):
        piece = connection.recv(65_536)
        if not piece:
            return
        seen += piece


@pytest.mark.parametrize("is_tcp", [False, True])
def test_what_is_clean_passes_with_the_engine_named(clamd: PrivateClamd, is_tcp: bool) -> None:
    """Contents and attachments are all looked at, over the socket and over TCP; an empty part too."""
    scanned = _scanner(clamd.tcp if is_tcp else clamd.address).scan(_opened(b"%PDF-1.7", b"", bytes(3_000_000)))

    assert 4 == scanned.parts
    assert scanned.engine.startswith("ClamAV 1.")


def _zipped(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("innen.txt", data)
    return target.getvalue()


@pytest.mark.parametrize("data", [PATTERN, b"x" * 300_000 + PATTERN, _zipped(PATTERN), _zipped(_zipped(PATTERN))])
def test_what_is_found_is_refused(clamd: PrivateClamd, data: bytes) -> None:
    """Also behind the first piece, and in archives; place and signature are told, name and content are not."""
    with pytest.raises(Rejected) as caught:
        _scanner(clamd.address).scan(_opened(b"%PDF-1.7", data, b"%PDF-1.4"))

    assert "scan.virus.found" == caught.value.code
    (finding,) = caught.value.findings
    assert ("content1", f"Gefunden wurde {SIGNATURE}.UNOFFICIAL.") == (finding.path, finding.hint)
    assert "Erika" not in repr(caught.value.findings)


def test_every_infected_part_is_a_finding(clamd: PrivateClamd) -> None:
    """The sender learns of all of them at once; data contents are scanned as well."""
    with pytest.raises(Rejected) as caught:
        _scanner(clamd.address).scan(_opened(PATTERN, b"ok", PATTERN, contents=(PATTERN,)))

    assert ["daten", "content0", "content2"] == [one.path for one in caught.value.findings]


def test_base64_inside_xml_is_not_seen(clamd: PrivateClamd) -> None:
    """The limit that the documentation states: what a document carries encoded, clamd does not decode."""
    document = b"<a>" + base64.b64encode(PATTERN) + b"</a>"

    assert 1 == _scanner(clamd.address).scan(_opened(contents=(document,))).parts


def test_a_file_larger_than_clamd_scans_waits_for_the_operator(clamd: PrivateClamd) -> None:
    """Known beforehand nothing is sent; told by clamd (StreamMaxLength) it is no pass and no virus."""
    large = _opened(bytes(11_000_000))

    for max_bytes in (10_000_000, 50_000_000):
        with pytest.raises((Misconfigured, Transient)) as caught:
            _scanner(clamd.address, max_bytes=max_bytes).scan(large)
        assert caught.value.code in ("scan.limit", "scan.unavailable")
    with pytest.raises(Misconfigured, match=r"scan\.limit"):
        _scanner(clamd.address, max_bytes=10_000_000).scan(large)


def test_a_limit_inside_clamd_is_no_virus(clamd_program: str) -> None:
    """`AlertExceedsMax` reports a file that was not scanned in full as a find: that is the operator's to heal."""
    with (
        PrivateClamd(options="MaxFiles 1") as small,
        pytest.raises(Misconfigured, match=r"scan\.limit .*Heuristics\.Limits\.Exceeded"),
    ):
        _scanner(small.address).scan(_opened(_many_files()))


def _many_files() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", b"text" * 100)
    return target.getvalue()


def test_a_clamd_that_died_is_away_and_comes_back(clamd_program: str) -> None:
    """Nothing passes while it is gone; afterwards all is as before."""
    with PrivateClamd() as mortal:
        scanner = _scanner(mortal.address)
        mortal.kill()
        with pytest.raises(Transient, match=r"scan\.unavailable"):
            scanner.scan(_opened(b"x"))
        mortal.start()

        assert 2 == scanner.scan(_opened(b"x")).parts


def _silent(connection: socket.socket) -> None:
    _until(connection, b"\0\0\0\0\0never")


def _says(*answers: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        _until(connection, b"zVERSION\0")
        connection.sendall(answers[0])
        for one in answers[1:]:
            _until(connection, bytes(4))
            connection.sendall(one)

    return answer


VERSION = b"1: ClamAV 1.4.6/27000/Sat\0"


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: None,
        _silent,
        _says(b"HTTP/1.1 400 Bad Request\0"),
        _says(b"x" * 10_000),
        _says(VERSION, b"2: stream: OK"),
        _says(VERSION, b"2: stream: OKAY\0"),
        _says(VERSION, b"2: COMMAND UNAVAILABLE\0"),
        _says(VERSION, b"7: stream: OK\0"),
        _says(VERSION, b""),
    ],
    ids=["closed", "silent", "no clamd", "endless", "cut", "nearly", "unavailable", "another answer", "closed later"],
)
def test_what_is_no_clean_answer_is_no_pass(answer: Callable[[socket.socket], None]) -> None:
    """Only a whole OK to this very question passes; everything else waits for a scanner that answers."""
    with _pretender(answer) as address, pytest.raises(Transient) as caught:
        _scanner(address, seconds=0.5).scan(_opened())

    assert "scan.unavailable" == caught.value.code


def test_a_signature_name_is_made_fit_for_people() -> None:
    """What the other side calls it goes into findings and logs: no control characters, and not for ever."""
    said = b"2: stream: \x1b[31mBad\xe2\x80\xae" + b"n" * 300 + b" FOUND\0"
    with _pretender(_says(VERSION, said)) as address, pytest.raises(Rejected) as caught:
        _scanner(address).scan(_opened())

    (finding,) = caught.value.findings
    assert finding.hint.startswith("Gefunden wurde ??31mBad???")
    assert len(finding.hint) < 130


def test_limits_of_the_stream_are_told(clamd_program: str) -> None:
    """clamd says so before it closes; it is the operator who has to raise StreamMaxLength."""
    said = _says(VERSION, b"INSTREAM size limit exceeded. ERROR\0")
    with _pretender(said) as address, pytest.raises(Misconfigured, match=r"StreamMaxLength"):
        _scanner(address).scan(_opened())


@pytest.mark.parametrize("address", ["unix:/nonexistent/clamd.ctl", "tcp://127.0.0.1:1"])
def test_a_place_where_nobody_listens_is_away(address: str) -> None:
    """The fault names the address, so that an operator knows where to look."""
    with pytest.raises(Transient) as caught:
        _scanner(address).version()

    assert caught.value.where.startswith(address)


def test_facts_name_engine_and_count() -> None:
    """What the plan of a Nachricht keeps of a scan."""
    assert {"engine": "ClamAV 1", "parts": 3} == Scanned("ClamAV 1", 3).facts()
