"""How a text file is written, told from its bytes: encoding and line ends. The same for every source and dataset.

What belongs here: from bytes to plain text, UTF-8 with one kind of line end. Not here: delimiters, quotes and columns
(see `landing.records` and `landing.delimited`).
"""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import SourceError

# Who detects encodings by statistics takes "Côte d'Ivoire" in a table of codes for text from Central Europe or DOS:
# a table has too few letters. What a byte can and cannot be in each encoding is better evidence.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"  # ISO-8859-1 too: its letters are the same
_UTF8_CHARACTER = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|\xc2[\xa0-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# What Western text hardly has: three letters beyond ASCII in a row, or a sign such as ™ between two letters.
_NOT_WESTERN = re.compile(
    rb"[\x80-\xff]{3,}|(?<=[A-Za-z])[\x80-\x82\x84-\x89\x8b\x8d\x8f-\x91\x95\x98\x99\x9b\x9d](?=[A-Za-z])"
)
_NO_CHARACTER = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # in Windows-1252
_CHUNK = 1 << 22

Chunks = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class TextFile:
    """A file of plain text: UTF-8, its lines ended by LF or by CRLF throughout.

    encoding    that of the file as received
    lines       how many lines it has, blank ones included
    has_quotes  whether it has any quotation mark
    """

    path: Path
    gzipped: bool
    encoding: str
    lines: int
    has_quotes: bool

    def chunks(self) -> Iterator[bytes]:
        """Its content, piece by piece."""
        yield from _chunks_of(self.path, self.gzipped)()


def plain_text(path: Path, gzipped: bool, shown_as: str, scratch: Path) -> TextFile:
    """The file itself where it is plain text, else a copy of it in `scratch` that is.

    SourceError for a file whose encoding cannot be told.
    """
    received = _chunks_of(path, gzipped)
    survey = _survey(received())
    encoding = survey.encoding or _other_encoding(received, shown_as)
    if encoding.startswith("utf-8") and survey.is_plain:
        return TextFile(path, gzipped, encoding, survey.lines, survey.has_quotes)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"{path.name}.plain"
    try:
        lines_end_in_cr = not any("\n" in text for text in _decoded(received, encoding))
        with copy.open("wb") as file:
            for text in _with_line_feeds(_decoded(received, encoding), lines_end_in_cr):
                file.write(text.encode("utf-8", "surrogateescape"))
    except UnicodeError as error:
        raise SourceError(
            shown_as,
            found=f"text that begins as {encoding.upper()} and does not go on so ({error})",
            expected="one encoding throughout",
            remedy="Fetch the file again: it may have been cut off.",
        ) from error
    written = _survey(_chunks_of(copy, False)())
    return TextFile(copy, False, encoding, written.lines, written.has_quotes)


def read_text(content: bytes, shown_as: str) -> tuple[str, str]:
    """The text of a small file (gzipped or not), its lines ended by LF, and its encoding as received.

    SourceError when no encoding can be told.
    """
    body = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    encoding = _survey([body]).encoding or _other_encoding(lambda: [body], shown_as)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"{shown_as}, line {line}",
            found=f"the byte {body[error.start : error.start + 1]!r}, which is not {encoding.upper()} as the rest is",
            expected="one encoding throughout",
            remedy="Mend that line, or fetch the file again.",
        ) from error
    return "".join(_with_line_feeds([text], "\n" not in text)).removeprefix("\ufeff"), encoding


def encoding_note(encoding: str) -> str | None:
    """What a user should know of a text's encoding; None for UTF-8."""
    named = {_WESTERN: "Windows-1252 (or ISO-8859-1)"}.get(encoding, encoding.upper())
    return None if encoding.startswith("utf-8") else f"not UTF-8; read as {named}"


def start_of_text(first: bytes) -> str:
    """The first bytes of a file as text, as well as they can be read."""
    return first.decode(_marked(first) or "utf-8", "replace").lstrip("\ufeff")


@dataclass(frozen=True)
class _Survey:
    """What one look at all bytes gives; without `encoding` they are no UTF-8 and bear no mark of another."""

    encoding: str | None
    lines: int
    is_plain: bool
    has_quotes: bool


def _survey(chunks: Iterable[bytes]) -> _Survey:
    decoder = codecs.getincrementaldecoder("utf-8")()
    first, last = b"", b""
    feeds = carriages = pairs = 0
    has_quotes, is_utf8 = False, True
    for chunk in chunks:
        first = first or chunk
        feeds += chunk.count(b"\n")
        carriages += chunk.count(b"\r")
        pairs += chunk.count(b"\r\n") + (last.endswith(b"\r") and chunk.startswith(b"\n"))
        has_quotes = has_quotes or b'"' in chunk
        last = chunk or last
        is_utf8 = is_utf8 and _is_utf8(decoder, chunk)
    is_utf8 = is_utf8 and _is_utf8(decoder, b"", final=True)
    encoding = _marked(first) or ("utf-8" if is_utf8 else None)
    is_plain = carriages == pairs and pairs in (0, feeds)
    return _Survey(encoding, feeds + (not last.endswith(b"\n") and bool(last)), is_plain, has_quotes)


def _is_utf8(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _marked(first: bytes) -> str | None:
    """The encoding that a file's first bytes tell: by a mark, or UTF-16 by the zeros of its ASCII letters."""
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding
    start = first[: min(len(first), 1024) // 2 * 2]
    if start and start[1::2].count(0) > 0.4 * len(start) and not start[::2].count(0):
        return "utf-16-le"
    if start and start[::2].count(0) > 0.4 * len(start) and not start[1::2].count(0):
        return "utf-16-be"
    return None


def _other_encoding(chunks: Chunks, shown_as: str) -> str:
    """The encoding of a text that is no whole UTF-8. Where most of it is, UTF-8: its readers name the faulty lines."""
    utf8 = western = foreign = undefined = 0
    for chunk in chunks():
        characters = len(_UTF8_CHARACTER.findall(chunk))
        rest = _UTF8_CHARACTER.sub(b"", chunk)
        utf8 += characters
        western += len(_BEYOND_ASCII.findall(rest))
        foreign += sum(len(found) for found in _NOT_WESTERN.findall(rest))
        undefined += len(_NO_CHARACTER.findall(rest))
    if utf8 > western:
        return "utf-8"
    if undefined or 2 * foreign > western:
        raise SourceError(
            shown_as,
            found="text that is neither UTF-8 nor UTF-16, and that makes no sense in Windows-1252 or ISO-8859-1",
            expected="UTF-8 (best), UTF-16, Windows-1252 or ISO-8859-1",
            remedy='Save it again as UTF-8: in a spreadsheet program, as "CSV UTF-8".',
        )
    return _WESTERN


def _chunks_of(path: Path, gzipped: bool) -> Chunks:
    def chunks() -> Iterator[bytes]:
        with gzip.open(path) if gzipped else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    return chunks


def _decoded(chunks: Chunks, encoding: str) -> Iterator[str]:
    # Faulty bytes of a text that is mostly UTF-8 stay what they are.
    return codecs.iterdecode(chunks(), encoding, "surrogateescape" if encoding.startswith("utf-8") else "strict")


def _with_line_feeds(texts: Iterable[str], lines_end_in_cr: bool) -> Iterator[str]:
    """The texts with LF at the end of each line. A CR that ends no line is a blank."""
    lone = "\n" if lines_end_in_cr else " "
    held = ""
    for text in texts:
        text = held + text
        held = "\r" if text.endswith("\r") else ""
        yield text.removesuffix(held).replace("\r\n", "\n").replace("\r", lone)
    yield held.replace("\r", lone)
