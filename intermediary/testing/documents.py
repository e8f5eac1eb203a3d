"""Small valid documents made in code: what citizens attach, without a citizen."""

from __future__ import annotations

import struct
import zlib

_PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"


def sample_pdf(text: str) -> bytes:
    """A PDF of one A4 page with one line per line of `text`. Characters outside Windows-1252 become question marks."""
    lines = "".join(f"({_pdf_string(line)}) Tj T* " for line in text.splitlines())
    drawing = f"BT /F1 12 Tf 16 TL 72 770 Td {lines}ET".encode("cp1252", errors="replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE.encode("ascii"),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    written, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(written))
    )


def sample_png(*, width: int = 240, height: int = 160, shade: int = 128) -> bytes:
    """A PNG one recognises: a car on a street under a sun; `shade` (0 to 255) is its colour and tells pictures apart."""
    rows = b"".join(
        b"\0" + b"".join(_colour(x / width * 240, y / height * 160, shade) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _colour(x: float, y: float, shade: int) -> bytes:
    """The colour at a place of the picture, which is drawn on 240 by 160."""
    if any((x - middle) ** 2 + (y - 122) ** 2 < 15**2 for middle in (85, 160)):
        return b"\x20\x20\x20"
    if (45 < x < 200 and 88 < y < 122) or (75 < x < 165 and 60 < y <= 88):
        is_window = 66 < y < 86 and (82 < x < 116 or 124 < x < 158)
        return b"\xd8\xf0\xff" if is_window else bytes((shade, 64, 255 - shade))
    if (x - 210) ** 2 + (y - 28) ** 2 < 16**2:
        return b"\xff\xd8\x20"
    return b"\x80\x80\x80" if y > 128 else b"\xb0\xd8\xf8"


def _pdf_string(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
