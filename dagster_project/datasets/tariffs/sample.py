"""The sample's tariff tables as the files in which their compilers deliver them, with every trap those files have.

The traps: five header layouts, a workbook with serial dates and numeric codes, codes that lost a leading zero, rows
that are no request, the same request in two tables (equal and changed), unknown status words, unreadable codes and
dates, deleted exclusions, extended and overlapping ones, exclusions whose note says nothing of its term. Not here: who
asked for what (see `sample_requests`).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from xml.sax.saxutils import escape

from dagster_project.datasets.tariffs.sample_requests import DOCKETS, HEADINGS, Request, lines, pending, requests
from dagster_project.sample.files import SampleFile, stored_gzip
from dagster_project.sample.noise import chance

Cell = str | int
_EXCEL_DAY_ZERO = date(1899, 12, 30)
_SHEET_COLUMNS = (
    "Doc Type",
    "Request Doc-ID",
    "Organization Name",
    "10-Digit HTS",
    "Date Posted",
    "Response Closes",
    "Reply Closes",
    "Stages",
)
# Notes of the real tariff schedule, by list: paragraphs that granted, and a paragraph that extended some of those.
_GRANTING_NOTES = {"1": ("20(h)", "20(i)"), "2": ("20(o)",), "3": ("20(p)", "20(w)"), "4A": ("20(rr)",)}
_EXTENDING_NOTES = {
    "1": ("20(ccc)", "20(ttt(i))"),
    "2": ("20(ggg)",),
    "3": ("20(iii)", "20(vvv(iii))"),
    "4A": ("20(jjj)",),
}
# A paragraph that no table of terms has, so that it is unknown how long its exclusions are in force.
UNKNOWN_NOTE = "20(zzz)"
_PICK = 401


def tariff_files() -> Iterator[SampleFile]:
    """Every tariff file."""
    by_list = {list_id: [request for request in requests() if request.list_id == list_id] for list_id in DOCKETS}
    yield _file("List-1-Exclusion-Requests.csv", _lists_1_2(by_list["1"]), encoding="cp1252")
    sheet = _lists_1_2(by_list["2"])
    yield "ustr/List-2-Exclusion-Requests.xlsx", _workbook("Section 301 exclusion requests", sheet), len(sheet) - 1
    yield _file("List-3-Exclusion-Requests-status.csv", _lists_3_4a(by_list["3"]), encoding="utf-8-sig")
    yield _file("scrape_list-3.csv.gz", _scrape(by_list["3"]))
    half = len(by_list["4A"]) // 2
    yield _file("portal_status_list-4A.csv", _portal(by_list["4A"][:half]))
    yield _file("quantgov_section301_exclusion_requests_raw.csv.gz", _research(by_list["4A"][half:]))
    yield _file("quantgov_section301_lists_raw.csv.gz", _final_lists())
    yield _file("mitsuo_section301_lists_hts8.csv", [("hts8", "list"), *((x.hts8, x.list_id) for x in lines())])
    yield _file("s301_product_lists.csv", _list_mapping())
    yield _file("htsus_ch99_note20_granted_exclusions.csv.gz", _note_items())
    yield _file("htsus_ch99_note20_exclusion_tranches.csv", _tranches())
    yield _file("mitsuo_granted_exclusions_hts10_by_notice.csv", _notices())
    export = _schedule()
    yield "ustr/hts_2026HTSRev20.json", json.dumps(export, indent=0).encode(), len(export)


def _schedule() -> list[dict[str, object]]:
    """The schedule's export: the lists' headings, one of them suspended, between lines of other chapters."""
    duties = {"1": "25%", "2": "25%", "3": "25%", "4A": "7.5%", "4B": "15%"}
    suspended = {"4B": " [Compiler's note: provision suspended.]"}
    export = [_schedule_line("0101.30.00.00", "Asses", "6.8%")]
    for list_id, heading in HEADINGS.items():
        text = f"Articles the product of China, as provided for in U.S. note 20{suspended.get(list_id, '')}"
        general = f"The duty provided in the applicable subheading + {duties[list_id]}"
        export.append(_schedule_line(heading, text, general))
    export.append(_schedule_line("9903.88.05", "Excluded products", "The duty provided in the applicable subheading"))
    export.append({**_schedule_line("", "Other:", ""), "footnotes": None})
    del export[-1]["units"]
    return export


def _schedule_line(code: str, text: str, general: str) -> dict[str, object]:
    footnote = {"columns": ["general"], "value": "See 9903.88.15. ", "type": "endnote"}
    return {
        "htsno": code,
        "indent": "0",
        "description": text,
        "superior": None,
        "units": [] if code.startswith("99") else ["No."],
        "general": general,
        "footnotes": None if code.startswith("99") else [footnote],
        "quotaQuantity": None,
        "additionalDuties": None,
        "addiitionalDuties": None,
    }


def _file(name: str, table: Sequence[Sequence[Cell]], encoding: str = "utf-8") -> SampleFile:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    body = text.getvalue().encode(encoding)
    return f"ustr/{name}", stored_gzip(body) if name.endswith(".gz") else body, len(table) - 1


def _lists_1_2(filed: Sequence[Request]) -> list[Sequence[Cell]]:
    """The sheet of lists 1 and 2: dates as Excel serials, codes as numbers; responses among the requests."""
    table: list[Sequence[Cell]] = [_SHEET_COLUMNS]
    for request in filed:
        posted = _serial(request.posted)
        row = (request.request_id, request.requester, int(request.hts10), posted, posted + 14, posted + 21)
        table.append(("REQUEST", *row, request.status))
        if request.number % 40 == 0:
            answer = request.request_id + "-A"
            table.append(("RESPONSE", answer, "Somebody Else Ltd.", int(request.hts10), posted + 3, "", "", ""))
    last = filed[-1]
    table.append(
        ("REQUEST", f"{DOCKETS[last.list_id]}-9001", last.requester, "see attachment", "", "", "", last.status)
    )
    return table


def _lists_3_4a(filed: Sequence[Request]) -> list[Sequence[Cell]]:
    """The status sheet of lists 3 and 4A; codes of chapters 1 to 9 have lost their zero, the latest are pending."""
    table: list[Sequence[Cell]] = [("Request", "Org", "Status", "HTSUS", "Product", "Post Date", "Close Date")]
    for request in filed:
        shown = pending(request) if request.number % 25 == 0 else request
        day = f"{shown.posted.day}-{shown.posted:%b-%y}"
        table.append((shown.request_id, shown.requester, shown.status, int(shown.hts10), _product(shown), day, ""))
    table.append((f"{DOCKETS['3']}-9001", "Elm Street Tools Co.", "Denied", "8.41E+09", "rounded code", "1-Jul-19", ""))
    table.append((f"{DOCKETS['3']}-9002", "Elm Street Tools Co.", "Denied", "841391", "short code", "1-Jul-19", ""))
    return table


def _scrape(filed: Sequence[Request]) -> list[Sequence[Cell]]:
    """A later look at some of list 3: what was pending is decided by now, the rest stands in both tables alike."""
    table: list[Sequence[Cell]] = [("subid", "orgname", "hts", "productdesc", "status", "posted", "respclose")]
    for request in filed:
        if request.number % 25 in (0, 1):
            posted = f"{request.posted.isoformat()}T09:30"
            table.append(
                (request.request_id, request.requester, request.hts10, _product(request), request.status, posted, "")
            )
    return table


def _portal(filed: Sequence[Request]) -> list[Sequence[Cell]]:
    """The portal's own table: American dates, codes with points."""
    table: list[Sequence[Cell]] = [
        ("Submission ID", "Organization Name", "HTSUS code", "Product", "Stage", "Date Posted", "Response Closes")
    ]
    for request in filed:
        code = f"{request.hts10[:4]}.{request.hts10[4:6]}.{request.hts10[6:]}"
        day = "soon" if request.number == 7 else f"{request.posted:%m/%d/%Y}"
        table.append((request.request_id, request.requester, code, _product(request), request.status, day, ""))
    table.append((f"{DOCKETS['4A']}-9001", "", "", "too", "short"))
    return table


def _research(filed: Sequence[Request]) -> list[Sequence[Cell]]:
    """The merged research table: three flags instead of a status word, and submitters' names, which must go nowhere."""
    table: list[Sequence[Cell]] = [
        (
            *("id", "posteddate", "receiveddate", "hts", "hts_six_digit", "submitterlastname", "submitterfirstname"),
            *("company_name", "producttitle", "approved", "denied", "pending", "list_id", "responseclosed"),
        )
    ]
    for request in filed:
        flags = {"Granted": (1, 0, 0), "Partially Approved": (1, 0, 0), "Denied": (0, 1, 0)}.get(
            request.status, (0, 0, 1)
        )
        posted = f"{request.posted.isoformat()} 00:00:00"
        who = (request.requester, _product(request), *flags, request.list_id, "")
        code = request.hts10
        table.append((request.request_id, posted, "", code, code[:6], "Mustermann", "Erika", *who))
    return table


def _product(request: Request) -> str:
    return f"parts, kind {request.hts10[8:]}"


def _final_lists() -> list[Sequence[Cell]]:
    """The lists with imports, list 4 in one piece and without imports; zeros lost as in the publisher's workbook."""
    table: list[Sequence[Cell]] = [("hts", "hts_six_digit", "imports_2016", "imports_2017", "list_id")]
    for line in lines():
        values: tuple[Cell, Cell] = ("", "")
        if not line.list_id.startswith("4"):
            values = (line.imports_2017_usd * 9 // 10, line.imports_2017_usd)
        table.append((int(line.hts8), int(line.hts8[:6]), *values, line.list_id[0]))
    return table


def _list_mapping() -> list[Sequence[Cell]]:
    """A later edition: a few lines have moved, and lists of later actions stand beside the old ones."""
    table: list[Sequence[Cell]] = [("hts8", "list", "ch99_code")]
    for number, line in enumerate(lines()):
        if number % 30:
            table.append((line.hts8, line.list_id, HEADINGS[line.list_id]))
    table.append(("85414910", "biden_50", "9903.91.02"))
    return table


@cache
def _granted() -> dict[str, tuple[Request, ...]]:
    """Requests with a grant, by list; the codes of a few grants are missing from the notes."""
    words = ("Granted", "Exclusion Granted", "Partially Approved")
    kept = [request for request in requests() if request.status in words and chance(_PICK, request.number) > 0.05]
    return {list_id: tuple(request for request in kept if request.list_id == list_id) for list_id in DOCKETS}


def _note_items() -> list[Sequence[Cell]]:
    table: list[Sequence[Cell]] = [
        ("note", "item", "list_heading", "list", "n_hts10", "hts10", "hts8_mentioned", "text")
    ]
    for list_id, granted in _granted().items():
        for note in _GRANTING_NOTES[list_id]:
            # The second paragraph grants every third product once more: intervals that overlap.
            chosen = [request for request in granted if note == _GRANTING_NOTES[list_id][0] or request.number % 3 == 0]
            table += [_item(note, list_id, number, request.hts10) for number, request in enumerate(chosen, 1)]
        for note in _EXTENDING_NOTES[list_id]:
            chosen = [request for request in granted if request.number % 2 == 0]
            table += [_item(note, list_id, number, request.hts10) for number, request in enumerate(chosen, 1)]
    heading = HEADINGS["1"]
    first = _granted()["1"][0].hts10
    point = f"{first[:4]}.{first[4:6]}.{first[6:]}"
    moved = f"{first[:8]}99"
    text = (
        f"Goods (described in statistical reporting number {point} prior to January 1, 2019; described in statistical "
        f"reporting number {first[:4]}.{first[4:6]}.{first[6:8]}99 effective January 1, 2019)"
    )
    table.append(("20(h)", 901, heading, "1", 2, f"{first};{moved}", "", text))
    table.append(("20(h)", 902, heading, "1", 0, "", "", "[Deleted.]"))
    table.append(("20(h)", 903, heading, "1", 0, "", "", "Goods without a code"))
    table.append(("20(h)", 904, heading, "1", 0, "", first[:8], "A whole subheading"))
    table.append((UNKNOWN_NOTE, 1, heading, "1", 1, f"{first[:8]}98", "", "A paragraph of unknown term"))
    return table


def _item(note: str, list_id: str, number: int, hts10: str) -> tuple[Cell, ...]:
    text = f"Parts (described in statistical reporting number {hts10[:4]}.{hts10[4:6]}.{hts10[6:]})"
    return (note, number, HEADINGS[list_id], list_id, 1, hts10, "", text)


def _tranches() -> list[Sequence[Cell]]:
    table: list[Sequence[Cell]] = [("note", "list_heading", "list", "claim_heading", "fr", "fr_all", "n_items", "head")]
    for notes in (_GRANTING_NOTES, _EXTENDING_NOTES):
        for list_id, of_list in notes.items():
            for note in of_list:
                mark = "" if "vvv" in note else " [Compiler's note: expired.]"
                table.append((note, HEADINGS[list_id], list_id, "", "", "", 0, f"Synthetic paragraph {note}.{mark}"))
    return table


def _notices() -> list[Sequence[Cell]]:
    """Notices of grants; one whose list and day the compiler did not find, and one without codes."""
    table: list[Sequence[Cell]] = [("notice_no", "list", "granted_date", "hts10", "source_url")]
    url = "https://example.org/notices/{}.pdf"
    for number, (list_id, day) in enumerate((("1", "2018-12-21"), ("3", "2019-08-02"), ("4A", "2020-03-31")), 1):
        codes = sorted({request.hts10 for request in _granted()[list_id]})[:14]
        table += [(number, list_id, day, code, url.format(f"notice%20{number}")) for code in codes]
    table.append((4, "", "", "8413919010", ""))
    table.append((5, "2", "2019-07-31", "", url.format(5)))
    return table


def _serial(day: date) -> int:
    return (day - _EXCEL_DAY_ZERO).days


def _workbook(title: str, table: Sequence[Sequence[Cell]]) -> bytes:
    """An .xlsx file of one sheet with a title above the header; stored, with no clock time: the same bytes always."""
    rows = "".join(_sheet_row(number, cells) for number, cells in enumerate([(title,), *table], 1))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    mime = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{mime}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{mime}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="Requests" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else the byte differs between operating systems
            archive.writestr(member, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text)
    return body.getvalue()


def _sheet_row(number: int, cells: Iterable[Cell]) -> str:
    shown = []
    for column, cell in zip("ABCDEFGH", cells, strict=False):
        place = f"{column}{number}"
        if isinstance(cell, int):
            shown.append(f'<c r="{place}"><v>{cell}</v></c>')
        elif cell:
            shown.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
    return f'<row r="{number}">{"".join(shown)}</row>'
