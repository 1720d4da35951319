"""A made-up file of the sample, and bytes that are the same on every machine. Not here: what the files hold."""

from __future__ import annotations

import struct
import zlib

# One file of the sample: its path below the drop folder, its content, and its number of records.
SampleFile = tuple[str, bytes, int]


def stored_gzip(body: bytes) -> bytes:
    """A gzip member with the content as it is.

    Compressed bytes differ between the zlib builds of different machines, and the sample's must not.
    """
    blocks = [body[start : start + 65535] for start in range(0, len(body), 65535)] or [b""]
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # no name, no time, unknown system
    stored = b"".join(
        struct.pack("<BHH", number == len(blocks) - 1, len(block), 65535 - len(block)) + block
        for number, block in enumerate(blocks)
    )
    return header + stored + struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)
