"""Is a file what its name says, and whole? Checked before anything is archived.

What belongs here: container checks (gzip, zip, first bytes), and the only way in which a zip is opened. Not here: what
the columns mean (see `landing`).
"""

from __future__ import annotations

import gzip
import html
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from dagster_project.errors import SourceError
from dagster_project.sources.text import start_of_text

# BACI's largest archive (HS92, 30 years) expands to about 12 GB; a bomb expands to far more.
MAX_EXPANDED_BYTES = 40 * 1024**3
MAX_EXPANSION_RATIO = 200

# So much of a file is looked at: an error page or error message is seldom longer.
_START = 1 << 14
# Under which names services say why they refuse, and under which they give rows.
_REFUSALS = ("error", "errors", "errorObject", "message", "detail", "fault")

_MAGIC = {"gzip": b"\x1f\x8b", "zip": b"PK\x03\x04", "parquet": b"PAR1"}


class BrokenZip(SourceError):
    """A zip that is damaged or cut off."""


def check_file(path: Path, shown_as: str) -> None:
    """Raise SourceError unless the file is what its suffix says: whole gzip, safe zip, JSON, delimited text, Parquet.

    `shown_as` is the name that the message uses, normally the path inside the drop folder.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-1] if suffixes else ""
    with path.open("rb") as file:
        first = file.read(_START)
    if not first:
        raise _not_what_it_says(shown_as, "an empty file", "a table with at least a header")
    if last == ".gz":
        first = _check_gzip(path, first, shown_as)
        last = suffixes[-2] if len(suffixes) > 1 else ""
    elif last in (".zip", ".xlsx"):
        check_zip(path, shown_as)
        return
    _check_text(first, last, shown_as)


def check_start(first: bytes, name: str, shown_as: str) -> None:
    """Raise SourceError unless a file that begins so may be what its name says."""
    last = PurePosixPath(name).suffix.lower()
    magic = {".gz": "gzip", ".zip": "zip", ".xlsx": "zip"}.get(last)
    if magic is None:
        _check_text(first, last, shown_as)
    elif not first.startswith(_MAGIC[magic]):
        raise _not_what_it_says(shown_as, f"a file that begins with {first[:8]!r}", f"{magic}, as the name says")


def check_fetched(path: Path, shown_as: str) -> None:
    """`check_file` for a file that came over the wire: the remedy is another."""
    try:
        check_file(path, shown_as)
    except SourceError as error:
        raise SourceError(
            error.where,
            found=error.found,
            expected=error.expected,
            remedy="Nothing of it was used. Run again later; if it stays so, place it in the drop folder by hand.",
        ) from error


def check_zip(path: Path, shown_as: str) -> None:
    """Raise SourceError unless the zip may be opened (see `open_zip`) and every member is whole."""
    with open_zip(path, shown_as) as archive:
        broken = archive.testzip()
    if broken is not None:
        raise _not_what_it_says(shown_as, f"a zip whose member {broken} fails its checksum", "a whole zip")


@contextmanager
def open_zip(path: Path, shown_as: str) -> Iterator[zipfile.ZipFile]:
    """A zip (or workbook) to read from, its directory checked first.

    SourceError for member names that lead outside, encrypted members, members that expand beyond a limit, and for a zip
    that turns out to be broken, also while it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _check_member(member, shown_as)
            _check_expansion(sum(member.file_size for member in archive.infolist()), path, "zip", shown_as)
            yield archive
    except NotImplementedError as error:
        raise _not_what_it_says(shown_as, f"an unknown kind of zip ({error})", "a plain zip") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error) as error:
        raise BrokenZip(
            shown_as,
            found=f"a broken or truncated zip ({error})",
            expected="a whole zip",
            remedy="Fetch the file again, or take it out of the drop folder.",
        ) from error


def _check_member(member: zipfile.ZipInfo, shown_as: str) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in "".join(name.parts[:1]):
        raise SourceError(
            f"{shown_as}, member {member.filename!r}",
            found="a member name that points outside the zip's own folder",
            expected="plain relative member names",
            remedy="Do not trust this file: fetch the publisher's zip again.",
        )
    if member.flag_bits & 1:
        raise _not_what_it_says(shown_as, f"an encrypted zip (member {member.filename})", "a plain zip")


def _check_expansion(expanded: int, path: Path, kind: str, shown_as: str) -> None:
    limit = min(MAX_EXPANDED_BYTES, MAX_EXPANSION_RATIO * max(path.stat().st_size, 1 << 20))
    if expanded > limit:
        raise SourceError(
            shown_as,
            found=f"a {kind} that expands to {expanded:,} bytes or more",
            expected=f"at most {limit:,} bytes",
            remedy=f"Do not trust this file: fetch the publisher's {kind} again.",
        )


def _check_gzip(path: Path, first: bytes, shown_as: str) -> bytes:
    """Read the gzip to its end; return the first bytes of its content."""
    if not first.startswith(_MAGIC["gzip"]):
        raise _not_what_it_says(shown_as, f"a file that begins with {first[:8]!r}", "gzip, as the name says")
    try:
        with gzip.open(path) as file:
            content = file.read(_START)
            while file.read(1 << 22):
                _check_expansion(file.tell(), path, "gzip", shown_as)
    except (EOFError, OSError, zlib.error) as error:
        raise _not_what_it_says(shown_as, f"a truncated or damaged gzip ({error})", "a whole gzip file") from error
    if not content:
        raise _not_what_it_says(shown_as, "a gzip of nothing", "a table with at least a header")
    return content


def _check_text(first: bytes, suffix: str, shown_as: str) -> None:
    """Compare the first bytes of (uncompressed) content with what the suffix promises."""
    for kind, magic in _MAGIC.items():
        if first.startswith(magic) and suffix != f".{kind}":
            raise _not_what_it_says(shown_as, f"{kind} content", f"{suffix or 'text'} content")
    if suffix == ".parquet":
        if not first.startswith(_MAGIC["parquet"]):
            raise _not_what_it_says(shown_as, f"a file that begins with {first[:8]!r}", "Parquet, as the name says")
        return
    text = start_of_text(first).strip()
    if text[:1] == "<" and suffix != ".xml":
        raise _not_what_it_says(
            shown_as,
            f"an HTML or XML page (an error page saved as data?) that says {_words(text)!r}",
            f"{suffix} content",
        )
    if "\x00" in text:
        raise _not_what_it_says(shown_as, "binary content", f"{suffix} text")
    refusal = _refusal(text)
    if refusal is not None:
        raise _not_what_it_says(shown_as, f"an answer that reports the error {refusal!r}", "an answer with data")
    if suffix in (".json", ".jsonl", ".ndjson") and text[:1] not in ("{", "["):
        raise _not_what_it_says(shown_as, f"text that begins with {text[:60]!r}", "JSON")
    if suffix in (".csv", ".txt", ".tsv", ".tab") and text[:1] in ("{", "["):
        raise _not_what_it_says(shown_as, "JSON", f"{suffix} text: rename the file to .json")


def _words(page: str) -> str:
    """What a page says to its reader, without markup."""
    shown = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", " ", page)
    return " ".join(html.unescape(shown).split())[:300]


def _refusal(text: str) -> str | None:
    """What a service says in an object that reports an error and has no rows; None for anything else."""
    if not text.startswith("{"):
        return None
    try:
        content = json.loads(text)
    except ValueError:
        return None
    said = next((content[name] for name in _REFUSALS if content.get(name)), None)
    if said is None or any(isinstance(value, list) and value for name, value in content.items() if name != "errors"):
        return None
    # Columns with their values by row are data, whatever the columns are called; so is a record of many fields.
    if len(content) > 8 or (all(isinstance(value, dict) for value in content.values()) and len(content) > 1):
        return None
    return (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))[:300]


def _not_what_it_says(shown_as: str, found: str, expected: str) -> SourceError:
    return SourceError(
        shown_as, found=found, expected=expected, remedy="Fetch the file again, or take it out of the drop folder."
    )
