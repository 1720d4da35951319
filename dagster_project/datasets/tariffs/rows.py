"""One row of a tariff table: the header layouts, and how a row becomes landed values, a rule's name or a rejection.

Not here: single values (see `values`), containers (see `landing.sheets`), and what spans rows: duplicates, accounting,
files (see `tariffs.landing`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

from dagster_project.datasets.tariffs.values import (
    Hts,
    code_in_text,
    list_of_file,
    list_of_request,
    parse_date,
    parse_flags,
    parse_hts,
    parse_list,
    parse_status,
    term_of_exclusion,
    terms_of_codes,
)
from dagster_project.errors import SourceError
from dagster_project.landing.sheets import Row, Sheet

_LIST_SOURCES = {
    "final_lists": ("ustr_final_lists", "USTR's final lists, 2018-2019"),
    "annex_lists": ("ustr_annexes", "annexes of USTR's notices, 2018-2019"),
    "list_mapping": ("usitc_china_tariffs", "later edition of the tariff schedule than the annexes, not stated which"),
}


IMPORT_YEARS = (2015, 2016, 2017, 2018)
# What rows of the lists and of exclusions may hold besides what they must.
_OPTIONAL = ("ch99_code", "vintage", "hts8_mentioned", "source_url", "fr_all", *(f"imports_{y}" for y in IMPORT_YEARS))


class Layout(NamedTuple):
    """A header of the request tables: canonical name -> folded column names, any one of which must be there."""

    name: str
    required: Mapping[str, Sequence[str]]
    optional: Mapping[str, Sequence[str]]


REQUEST_LAYOUTS = (
    Layout(
        "lists_1_2",
        {
            "request_id": ("request doc-id",),
            "requester": ("organization name",),
            "hts": ("10-digit hts",),
            "status": ("stages",),
            "date_posted": ("date posted",),
        },
        {
            "doc_type": ("doc type",),
            "product": ("product",),
            "response_close": ("response closes",),
            "reply_close": ("reply closes",),
        },
    ),
    Layout(
        "lists_3_4a",
        {
            "request_id": ("request", "request_id"),
            "requester": ("org",),
            "hts": ("htsus",),
            "status": ("status",),
            "date_posted": ("post date",),
        },
        {"product": ("product", "product_name"), "response_close": ("close date",)},
    ),
    Layout(
        "portal",
        {
            "request_id": ("submission id",),
            "requester": ("organization name",),
            "hts": ("htsus code",),
            "status": ("stage",),
            "date_posted": ("date posted",),
        },
        {"product": ("product",), "response_close": ("response closes",)},
    ),
    Layout(
        "scrape",
        {
            "request_id": ("subid",),
            "requester": ("orgname",),
            "hts": ("hts",),
            "status": ("status",),
            "date_posted": ("posted",),
        },
        {"product": ("productdesc",), "response_close": ("respclose",)},
    ),
    Layout(
        "research",
        {
            "request_id": ("id",),
            "requester": ("company_name",),
            "hts": ("hts",),
            "approved": ("approved",),
            "denied": ("denied",),
            "pending": ("pending",),
            "list": ("list_id",),
            "date_posted": ("posteddate",),
        },
        {"product": ("producttitle",), "response_close": ("responseclosed",)},
    ),
)
REQUEST_COLUMNS = frozenset(
    name
    for layout in REQUEST_LAYOUTS
    for part in (layout.required, layout.optional)
    for names in part.values()
    for name in names
)


class Rejected(NamedTuple):
    """Why a row is quarantined, and what exactly was found."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Context:
    """What a row's reader may know of its file: kind, name and sheet, and the counter of repairs (`noted:<what>`)."""

    kind: str
    file_name: str
    notes: Counter[str]


# A row gives the values of its landed rows, the name of the rule that sets it aside, or a rejection.
Outcome = list[dict[str, Any]] | str | Rejected
Reader = Callable[[Row, Context], Outcome]


def reader_of(kind: str, sheet: Sheet) -> Reader:
    """The reader for a table's rows; SourceError when the table lacks a column that it needs, or has it twice."""
    if kind == "requests":
        return partial(_request, _layout_of(sheet))
    reader, required = _READERS[kind]
    _require(sheet, required)
    sheet.require_once({*required, *_OPTIONAL})
    return reader


def columns_looked_for(kind: str) -> Collection[str]:
    """The folded column names by which the header of such a table is known."""
    return REQUEST_COLUMNS if kind == "requests" else _READERS[kind][1]


def _layout_of(sheet: Sheet) -> Layout:
    """The layout whose required columns are all there; SourceError naming what the nearest one lacks."""

    def missing(layout: Layout) -> list[str]:
        return [" or ".join(names) for names in layout.required.values() if not any(n in sheet.columns for n in names)]

    nearest = min(REQUEST_LAYOUTS, key=lambda layout: len(missing(layout)))
    if not missing(nearest):
        for part in (nearest.required, nearest.optional):
            sheet.require_once(name for names in part.values() for name in names)
        return nearest
    raise SourceError(
        f"{sheet.shown_as}, column {', '.join(missing(nearest))}",
        found=f"only the columns {', '.join(sheet.columns.values())}",
        expected=f"the header of a table of exclusion requests, the nearest being the layout {nearest.name}",
        remedy="Is this the table its name says? Mend its header, or take the file out of the drop folder.",
    )


def _require(sheet: Sheet, required: Sequence[str]) -> None:
    missing = [name for name in required if name not in sheet.columns]
    if missing:
        raise SourceError(
            f"{sheet.shown_as}, column {', '.join(missing)}",
            found=f"only the columns {', '.join(sheet.columns.values())}",
            expected=f"the columns {', '.join(required)}",
            remedy="Is this the table its name says, in its compiler's layout? Fetch it again or rename it.",
        )


def _request(layout: Layout, row: Row, context: Context) -> Outcome:
    """One exclusion request, or why it is none."""

    def cell(name: str) -> str | None:
        names = layout.required.get(name) or layout.optional.get(name) or ()
        return next((value for column in names if (value := row.cells.get(column)) is not None), None)

    def day(name: str) -> Any:
        text = cell(name)
        parsed = parse_date(text)
        if text is not None and parsed is None:
            context.notes["noted:date_unreadable"] += 1
        return parsed

    doc_type = cell("doc_type")
    if doc_type is not None and doc_type.upper() != "REQUEST":
        return "not_a_request"
    request_id = (cell("request_id") or "").upper()
    if not request_id:
        return Rejected("request_id_missing", "no request id")
    list_id = _list_of(request_id, cell("list"), context.file_name)
    if isinstance(list_id, Rejected):
        return list_id
    hts = parse_hts(cell("hts"), {8: 8, 9: 10, 10: 10})
    if isinstance(hts, str):
        return Rejected(hts, f"HTS number {cell('hts')!r}")
    if layout.name == "research":
        status_raw, status = parse_flags(cell("approved"), cell("denied"), cell("pending"))
    else:
        status_raw, status = cell("status") or "", parse_status(cell("status"))
    context.notes["noted:hts_zero_padded"] += hts.padded
    context.notes["noted:status_unknown"] += status == "unknown"
    context.notes["noted:requester_missing"] += cell("requester") is None
    return [
        {
            "request_id": request_id,
            "list_id": list_id,
            "requester": cell("requester"),
            **_levels(hts),
            "hts8": hts.code[:8],
            "product": cell("product"),
            "status_raw": status_raw,
            "status": status,
            "date_posted": day("date_posted"),
            "response_close": day("response_close"),
            "reply_close": day("reply_close"),
            "layout": layout.name,
        }
    ]


def _list_of(request_id: str, stated: str | None, file_name: str) -> str | Rejected:
    """The list of a request: its docket's, the file's own column, or the list that the file is named after."""
    of_docket, of_column = list_of_request(request_id), parse_list(stated)
    if of_docket is not None and of_column not in (None, of_docket, of_docket.rstrip("A")):
        return Rejected("list_contradicts_docket", f"{request_id} in list {stated!r}")
    found = of_docket or of_column or list_of_file(file_name)
    return found or Rejected("list_unknown", f"{request_id}, list {stated!r}")


def _levels(hts: Hts) -> dict[str, str]:
    return {"hts10": hts.code, "hs6": hts.code[:6]}


def _list_line(row: Row, context: Context) -> Outcome:
    """One tariff line of a list."""
    kind = context.kind
    written = row.cells.get("hts" if kind == "final_lists" else "hts8")
    hts = parse_hts(written, {7: 8, 8: 8})
    if isinstance(hts, str):
        return Rejected(hts, f"HTS number {written!r}")
    stated = row.cells.get("list_id" if kind == "final_lists" else "list")
    if stated is None:
        return Rejected("list_unknown", "no list")
    imports: dict[str, float | None] = {}
    for year in IMPORT_YEARS:
        text = row.cells.get(f"imports_{year}")
        try:
            imports[f"imports_{year}_usd"] = None if text is None else float(text)
        except ValueError:
            return Rejected("import_value", f"imports_{year} {text!r}")
    context.notes["noted:hts_zero_padded"] += hts.padded
    source, vintage = _LIST_SOURCES[kind]
    return [
        {
            "hts8": hts.code,
            # Lists of other actions (the 2024 review) keep the name that the file gives them.
            "list_id": parse_list(stated) or stated,
            "ch99_code": row.cells.get("ch99_code"),
            "vintage": row.cells.get("vintage") or vintage,
            "source": source,
            **imports,
        }
    ]


def _note_item(row: Row, context: Context) -> Outcome:
    """One numbered exclusion of a chapter 99 note, as one row per HTS code it names."""
    text = row.cells.get("text") or ""
    if text.startswith("[") and "deleted" in text.lower():
        return "deleted_exclusion"
    if text.startswith("heading 9903"):  # a cross-reference that the compiler's parser took for an item
        return Rejected("not_an_exclusion", text[:80])
    list_id = parse_list(row.cells.get("list"))
    if list_id is None:
        return Rejected("list_unknown", f"list {row.cells.get('list')!r}")
    codes = [code for code in (row.cells.get("hts10") or "").split(";") if code]
    if not codes and (recovered := code_in_text(text)):
        codes = [recovered]
        context.notes["noted:hts_from_text"] += 1
    codes = codes or [code for code in (row.cells.get("hts8_mentioned") or "").split(";") if code]
    if not codes:
        return Rejected("hts_missing", text[-80:])
    whole, terms = term_of_exclusion(text), terms_of_codes(text)
    landed = []
    for code in dict.fromkeys(codes):
        hts = parse_hts(code, {8: 8, 9: 10, 10: 10})
        if isinstance(hts, str):
            return Rejected(hts, f"HTS number {code!r}")
        term = terms.get(hts.code, whole)
        landed.append(
            {
                "source": "htsus_note_20",
                "document": row.cells.get("note"),
                "item": row.cells.get("item"),
                "list_id": list_id,
                **_levels(hts),
                "granted_date": None,
                "valid_from": term.first,
                "valid_to": term.last,
                "product": text,
                "n_codes": len(codes),
            }
        )
    context.notes["noted:dates_in_text"] += bool(terms) or whole.first is not None
    return landed


def _notice_item(row: Row, context: Context) -> Outcome:
    """One HTS code that a USTR notice of product exclusions names."""
    list_id = parse_list(row.cells.get("list"))
    if list_id is None:
        return Rejected("list_unknown", f"notice {row.cells.get('notice_no')}, list {row.cells.get('list')!r}")
    hts = parse_hts(row.cells.get("hts10"), {8: 8, 9: 10, 10: 10})
    if isinstance(hts, str):
        return Rejected(hts, f"HTS number {row.cells.get('hts10')!r}")
    granted = parse_date(row.cells.get("granted_date"))
    if granted is None:
        return Rejected("date_unreadable", f"granted_date {row.cells.get('granted_date')!r}")
    context.notes["noted:hts_zero_padded"] += hts.padded
    file_name = unquote((row.cells.get("source_url") or "").rsplit("/", 1)[-1])
    return [
        {
            "source": "ustr_notices",
            "document": f"USTR notice {row.cells.get('notice_no')}" + (f" ({file_name})" if file_name else ""),
            "item": str(row.number),
            "list_id": list_id,
            **_levels(hts),
            "granted_date": granted,
            "valid_from": None,
            "valid_to": None,
            "product": None,
            "n_codes": 1,
        }
    ]


def _register_item(row: Row, context: Context) -> Outcome:
    """One HTS code of an exclusion in a Federal Register notice, with the days that the notice states."""
    list_id = parse_list(row.cells.get("list"))
    if list_id is None:
        return Rejected("list_unknown", f"notice {row.cells.get('notice_no')} names no action")
    hts = parse_hts(row.cells.get("hts10"), {10: 10})
    if isinstance(hts, str):
        return Rejected(hts, f"HTS number {row.cells.get('hts10')!r}")
    return [
        {
            "source": "ustr_notices",
            "document": f"Federal Register {row.cells.get('notice_no')}",
            "item": row.cells.get("item"),
            "list_id": list_id,
            **_levels(hts),
            "granted_date": parse_date(row.cells.get("granted_date")),
            "valid_from": parse_date(row.cells.get("valid_from")),
            "valid_to": parse_date(row.cells.get("valid_to")),
            "product": row.cells.get("text"),
            "n_codes": int(row.cells.get("n_codes") or 1),
        }
    ]


def _tranche(row: Row, context: Context) -> Outcome:
    """One paragraph of the note: the list, the heading to claim, and whether the compiler marks it as expired."""
    list_id = parse_list(row.cells.get("list"))
    if list_id is None or row.cells.get("note") is None:
        return Rejected("list_unknown", f"note {row.cells.get('note')!r}, list {row.cells.get('list')!r}")
    head = row.cells.get("head") or ""
    return [
        {
            "document": row.cells.get("note"),
            "list_id": list_id,
            "claim_heading": row.cells.get("claim_heading"),
            "citations": row.cells.get("fr_all"),
            "marked_expired": re.search(r"\[Compiler's note: ?expired", head) is not None,
        }
    ]


def _heading(row: Row, context: Context) -> Outcome:
    """One heading of chapter 99 that imposes or lifts an additional duty of Section 301; other lines are set aside."""
    code, general = row.cells.get("htsno") or "", row.cells.get("general") or ""
    if not re.fullmatch(r"9903\.(88|91|92)\.\d\d", code):
        return "other_line"
    numbers = [int(number) for number in re.findall(r"\d+", row.cells.get("release") or "")]
    added = re.search(r"\+\s*([\d.]+)\s*(?:%|percent)", general)
    text = f"{row.cells.get('description') or ''} {general}"
    return [
        {
            "heading": code,
            "description": row.cells.get("description"),
            "general_rate": general or None,
            "additional_duty": float(added[1]) / 100 if added else None,
            "is_suspended": re.search(r"\[Compiler.s note:[^\]]*suspended", text, re.IGNORECASE) is not None,
            "release": row.cells.get("release"),
            "edition": numbers[0] * 1000 + (numbers[1] if len(numbers) > 1 else 0),
        }
    ]


_READERS: Mapping[str, tuple[Reader, Sequence[str]]] = {
    "final_lists": (_list_line, ("hts", "list_id")),
    "annex_lists": (_list_line, ("hts8", "list")),
    "list_mapping": (_list_line, ("hts8", "list", "ch99_code")),
    "note_items": (_note_item, ("note", "item", "list", "hts10", "text")),
    "notice_items": (_notice_item, ("notice_no", "list", "granted_date", "hts10")),
    "register_notice": (_register_item, ("notice_no", "hts10", "text")),
    "hts_export": (_heading, ("htsno", "description", "general")),
    "note_tranches": (_tranche, ("note", "list", "claim_heading", "head")),
}
