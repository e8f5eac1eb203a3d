"""The strict MIME reader."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Rejected
from intermediary.unseal.mime import MimeLimits, MimeMessage, read

HEAD = "MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary={boundary}; type=text/xml\r\n\r\n"
ROOT = "--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-ID: <osci@message>\r\n\r\n<a/>\r\n"
BOUNDARY = "MIME_boundary_x+PN/cbL="


def message(*parts: str, head: str = HEAD, root: str = ROOT, boundary: str = BOUNDARY, end: str = "--\r\n") -> bytes:
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return (head.format(boundary=boundary) + root.format(boundary=boundary) + body + f"--{boundary}{end}").encode()


def refused(data: bytes, limits: MimeLimits | None = None) -> tuple[str, str]:
    with pytest.raises(Rejected) as refusal:
        read(data, limits or MimeLimits())
    return refusal.value.code, refusal.value.where


def test_parts() -> None:
    """Parts end before the CRLF of the next delimiter; names lose their angle brackets and nothing else."""
    found = read(message("Content-ID: <Größe & Maß/1.pdf>\r\n\r\nx\r\n\r\n", "Content-ID: <leer>\r\n\r\n"))

    assert found.root.data == b"<a/>"
    assert [(part.content_id, part.data) for part in found.others] == [
        ("Größe & Maß/1.pdf", b"x\r\n\r\n"),
        ("leer", b""),
    ]


@pytest.mark.parametrize(
    ("encoding", "sent", "meant"),
    [
        ("8-bit", "äöü\r\n", "äöü\r\n".encode()),
        ("binary", "\x00\n", b"\x00\n"),
        ("BASE64", "SGFs\r\nbG8=", b"Hallo"),
        ("quoted-printable", "a=3Db", b"a=b"),
    ],
)
def test_transfer_encodings(encoding: str, sent: str, meant: bytes) -> None:
    """The data of a part are what it was before its transfer encoding."""
    found = read(message(f"Content-ID: <a>\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{sent}"))

    assert found.others[0].data == meant


def test_content_length_is_ignored() -> None:
    """The reference library itself sends wrong lengths (digest §3)."""
    assert read(message("Content-ID: <a>\r\nContent-Length: 1\r\n\r\nxyz")).others[0].data == b"xyz"


def test_near_boundaries_are_content() -> None:
    """Only a whole line is a delimiter: longer lines and delimiters inside a line belong to the part."""
    inside = f"--{BOUNDARY}x\r\ntext --{BOUNDARY}\r\n--{BOUNDARY[:-1]}"

    assert read(message(f"Content-ID: <a>\r\n\r\n{inside}")).others[0].data == inside.encode()


@pytest.mark.parametrize("end", ["--", "--\r\n", "-- \t\r\nepilogue --B", "--\r\n\r\nepilogue"])
def test_ends(end: str) -> None:
    """The last delimiter may have padding, a line end, and text after it."""
    assert isinstance(read(message(end=end)), MimeMessage)


@pytest.mark.parametrize("lead", [b"\r\n", b"\r\n\r\n"])
def test_leading_empty_lines(lead: bytes) -> None:
    """SOAP faults begin with an extra line end (digest §3)."""
    assert read(lead + message()).root.data == b"<a/>"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no MIME at all",
        message(end=""),
        message()[:-20],
        message(head=HEAD.replace("1.0", "2.0")),
        message(head=HEAD.replace("Multipart/Related", "multipart/mixed")),
        message(head=HEAD.replace("; boundary={boundary}", "")),
        message(head=HEAD.replace("type=text/xml", "boundary=other")),
        message(head=HEAD.replace("type=text/xml", 'start="<other>"')),
        message(head=HEAD.replace("type=text/xml", 'start="<open')),
        message(boundary="x" * 71),
        message(root=ROOT.replace("Content-ID: <osci@message>\r\n", "")),
        message(root=ROOT.replace("<osci@message>", "osci@message")),
        message("Content-ID: <osci@message>\r\n\r\nx"),
        message("Content-ID: <a>\r\nContent-ID: <b>\r\n\r\nx"),
        message("Content-ID: <a>\r\nno colon\r\n\r\nx"),
        message("Content-ID: <a>\r\nX: bare \n newline\r\n\r\nx"),
        message("Content-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\nSGFsbG8=x"),
        message("Content-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\nSGFs!bG8="),
        message("Content-ID: <a>\r\nContent-Transfer-Encoding: uuencode\r\n\r\nx"),
        message('Content-ID: <a>\r\nContent-Disposition: attachment; filename="a\r\nX: 1"\r\n\r\nx'),
        message().replace(b"\r\n", b"\n"),
        message("Content-ID: <a\xff>\r\n\r\nx").replace("\xff".encode(), b"\xff"),
    ],
)  # fmt: skip
def test_malformed(data: bytes) -> None:
    """What could be read in two ways is not read at all."""
    assert refused(data)[0] == "mime.malformed"


@pytest.mark.parametrize(
    ("data", "limits", "where"),
    [
        (message("Content-ID: <a>\r\n\r\n", "Content-ID: <b>\r\n\r\n"), MimeLimits(max_parts=2), "parts"),
        (message(f"Content-ID: <a>\r\nX: {'x' * 20000}\r\n\r\n"), MimeLimits(), "header"),
        (message("Content-ID: <a>\r\n" + "".join(f"X{n}: y\r\n" for n in range(70)) + "\r\n"), MimeLimits(), "header lines"),
        (message(head=HEAD + "x" * 5000 + "\r\n"), MimeLimits(), "preamble"),
        (HEAD.format(boundary="B").encode() + b"-" * 10000, MimeLimits(), "preamble"),
        (message("Content-ID: <a>\r\n\r\n" + f"--{BOUNDARY} x" * 11), MimeLimits(max_false_delimiters=10), "delimiters"),
    ],
)  # fmt: skip
def test_limits(data: bytes, limits: MimeLimits, where: str) -> None:
    """The frame of a message is bounded in every direction."""
    assert refused(data, limits) == ("mime.limit", where)
