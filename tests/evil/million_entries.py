"""A ZIP with very many empty entries, which the corpus only describes (ZB-006)."""

from __future__ import annotations

import struct


def zip_of_empty_entries(count: int) -> bytes:
    """`count` stored entries of no bytes, with the ZIP64 end that so many demand (APPNOTE 4.3.14)."""
    heads, records = bytearray(), bytearray()
    for number in range(count):
        name = f"{number:06}".encode()
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, 0, 0, 0, len(name), 0)
        records += b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(heads)) + name
        heads += b"PK\x03\x04" + fields + name
    start, size = len(heads), len(records)
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, start, 0)
    return bytes(heads + records) + end + locator + last
