"""Tariff documents that are no tables, as tables: Federal Register notices, regulations.gov lists, the HTS.

What belongs here: how a document's text becomes rows. Not here: what is made of the rows (see `rows`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dagster_project.errors import SourceError
from dagster_project.landing.sheets import Row, Sheet
from dagster_project.sources.text import read_text

NOTICE_COLUMNS = ("notice_no", "list", "granted_date", "valid_from", "valid_to", "hts10", "item", "text", "n_codes")
SCHEDULE_COLUMNS = ("htsno", "description", "general", "release")
_HTS10 = re.compile(r"\b\d{4}\.\d{2}\.\d{4}\b")
_ACTIONS = {"34": "1", "16": "2", "200": "3", "300": "4A"}
_ACTION = re.compile(r"\$ ?(34|16|200|300) billion", re.IGNORECASE)
_DATE = r"((?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}, \d{4})"
# "will apply as of the September 24, 2018 effective date" / "as of July 6, 2018, the effective date"
_FROM = re.compile(rf"appl(?:y|ies) (?:as of|retroactively to)(?: the)? {_DATE}", re.IGNORECASE)
_TO = re.compile(rf"(?:extend|remain in effect|continue)[^.;]{{0,60}}?(?:to|until|through) {_DATE}", re.IGNORECASE)
_ONE_YEAR = re.compile(r"extend for one year after the publication", re.IGNORECASE)
_BLOCKS = ("P", "FP", "ROW", "HD", "SUBJECT", "ENT", "LI", "DEPDOC")
# "Exclusion Granted - requester - product - HTSUS 8413919010", with whatever stands between the parts
_TITLE = re.compile(
    r"^\s*(?:Exclusion )?(?P<stage>Granted|Denied|Approved|Partially Approved|Request Withdrawn|Withdrawn)\b[\s:;,–-]*"
    r"(?P<rest>.*?)[\s:;,–-]*HTSUS\s*(?:No\.?\s*)?(?P<hts>[\d.]{8,13})",
    re.IGNORECASE | re.DOTALL,
)


def read_notice(path: Path, shown_as: str, parameters: Mapping[str, str]) -> Sheet:
    """A notice of product exclusions as one row per exclusion and HTS code. SourceError when it is no such notice.

    The notice's own words give the list (its action of so many billion dollars) and the first and last day.
    """
    content = path.read_bytes()
    try:
        if b"<!ENTITY" in content or b"<!DOCTYPE" in content:
            raise ElementTree.ParseError("a document type, which no notice has")
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise SourceError(
            shown_as,
            found=f"no readable XML ({error})",
            expected="a notice as the Federal Register gives it in full_text_xml_url",
            remedy="Fetch the notice again, or take the file out of the drop folder.",
        ) from error
    blocks = list(_blocks(root))
    text = " ".join(blocks)
    published = parameters["published"]
    actions = [_ACTIONS[amount] for amount in _ACTION.findall(text)]
    first, last = _day(_FROM.search(text)), _day(_TO.search(text))
    if last is None and _ONE_YEAR.search(text):
        day = datetime.strptime(published, "%Y-%m-%d").date()
        last = f"{day.year + 1}{published[4:]}"
    rows: list[Row] = []
    for block in blocks:
        codes = list(dict.fromkeys(_HTS10.findall(block)))
        for code in codes:
            cells: dict[str, str | None] = {
                "notice_no": parameters["document"],
                "list": actions[0] if actions else None,
                "granted_date": published,
                "valid_from": first,
                "valid_to": last,
                "hts10": code.replace(".", ""),
                "item": str(len(rows) + 1),
                "text": block,
                "n_codes": str(len(codes)),
            }
            rows.append(Row(len(rows) + 1, cells))
    return Sheet({name: name for name in NOTICE_COLUMNS}, rows, shown_as)


def read_schedule(path: Path, shown_as: str, parameters: Mapping[str, str]) -> Sheet:
    """The tariff schedule as USITC exports it, one row per line of any chapter; the file's name tells the edition."""
    text, _ = read_text(path.read_bytes(), shown_as)
    try:
        lines: list[dict[str, Any]] = json.loads(text)
        rows = [
            Row(number, {name: _text(line[name]) for name in SCHEDULE_COLUMNS[:3]} | {"release": parameters["release"]})
            for number, line in enumerate(lines, 1)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            shown_as,
            found=f"no list of tariff lines ({type(error).__name__}: {error})",
            expected=f"USITC's export, a list of records with {', '.join(SCHEDULE_COLUMNS[:3])}",
            remedy="Fetch it again, or take the file out of the drop folder.",
        ) from error
    return Sheet({name: name for name in SCHEDULE_COLUMNS}, rows, shown_as)


def _text(value: Any) -> str | None:
    return " ".join(str(value).split()) or None if value is not None else None


def read_documents(path: Path, shown_as: str) -> Sheet:
    """A page of regulations.gov's documents as the sheet of lists 1 and 2: decisions by the words of their title."""
    text, _ = read_text(path.read_bytes(), shown_as)
    try:
        records: list[dict[str, Any]] = json.loads(text)["data"]
        rows = [_document_row(number, record) for number, record in enumerate(records, 1)]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            shown_as,
            found=f"no list of documents ({type(error).__name__}: {error})",
            expected="an answer of regulations.gov's /v4/documents",
            remedy="Fetch it again, or take the file out of the drop folder.",
        ) from error
    columns = ("doc type", "request doc-id", "organization name", "10-digit hts", "stages", "date posted")
    return Sheet({name: name for name in columns}, rows, shown_as)


def _document_row(number: int, record: Mapping[str, Any]) -> Row:
    attributes = record["attributes"]
    match = _TITLE.match(attributes.get("title") or "")
    posted = attributes.get("postedDate")
    return Row(
        number,
        {
            "doc type": "REQUEST" if match and not attributes.get("withdrawn") else "OTHER",
            "request doc-id": record["id"],
            "organization name": re.split(r" [-–] |; ", match["rest"])[0].strip() or None if match else None,
            "10-digit hts": match["hts"] if match else None,
            "stages": f"Exclusion {match['stage']}" if match else None,
            "date posted": posted[:10] if posted else None,
        },
    )


def _blocks(root: ElementTree.Element) -> Iterator[str]:
    """The text of the outermost blocks, in order: a paragraph, a row of a table, a heading."""
    for element in root:
        if element.tag in _BLOCKS:
            yield " ".join("".join(element.itertext()).split())
        else:
            yield from _blocks(element)


def _day(match: re.Match[str] | None) -> str | None:
    return datetime.strptime(match[1], "%B %d, %Y").date().isoformat() if match else None
