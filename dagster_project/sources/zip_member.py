"""The one table inside a zip as a file that DuckDB reads. Not here: opening or parsing the table (see `landing`)."""

from __future__ import annotations

import shutil
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from dagster_project.errors import SourceError
from dagster_project.sources.integrity import open_zip

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
# No name, no time, unknown system: the same member always becomes the same bytes.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def extract_table(zip_path: Path, suffix: str, into: Path, shown_as: str) -> tuple[Path, bool]:
    """Copy the only member that ends with `suffix` out of a zip; return the file and whether it is gzipped.

    A deflated member is not decompressed: gzip is another frame around the same deflate stream, so its bytes are
    copied as they are between a gzip header and trailer. A copy of a few hundred megabytes takes less than a second,
    where decompressing costs minutes and ten times the disk. SourceError when there is not exactly one such member or
    it is compressed in another way.
    """
    with open_zip(zip_path, shown_as) as archive:
        members = [m for m in archive.infolist() if _is_table(m.filename, suffix)]
        if len(members) != 1:
            raise SourceError(
                shown_as,
                found=f"{len(members)} members that end with {suffix} ({', '.join(archive.namelist()[:5])})",
                expected="exactly one",
                remedy="Fetch the publisher's zip again, or place the unpacked table instead.",
            )
        member = members[0]
        if member.compress_type == zipfile.ZIP_DEFLATED:
            target = into / f"{zip_path.name}.gz"
            with zip_path.open("rb") as source, target.open("wb") as out:
                _copy_deflate_as_gzip(source, member, out)
            return target, True
        target = into / f"{zip_path.name}{suffix}"
        with archive.open(member) as table, target.open("wb") as out:
            shutil.copyfileobj(table, out, 1 << 20)
        return target, False


def _is_table(name: str, suffix: str) -> bool:
    return name.lower().endswith(suffix) and not name.startswith("__MACOSX/")


def _copy_deflate_as_gzip(source: BinaryIO, member: zipfile.ZipInfo, out: BinaryIO) -> None:
    source.seek(member.header_offset)
    header = _LOCAL_HEADER.unpack(source.read(_LOCAL_HEADER.size))
    source.seek(header[-2] + header[-1], 1)  # the lengths of name and extra field differ from the central directory's
    out.write(_GZIP_HEADER)
    left = member.compress_size
    while left:
        block = source.read(min(left, 1 << 20))
        if not block:
            raise EOFError(f"member {member.filename} ends {left} bytes early")
        out.write(block)
        left -= len(block)
    out.write(struct.pack("<LL", member.CRC, member.file_size & 0xFFFFFFFF))
