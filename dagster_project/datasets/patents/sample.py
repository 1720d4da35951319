"""The sample's patents as PatentsView's tables, a BigQuery export, WIPO's concordance and a table of reference totals.

Every trap that real files have is in them: tabs, line ends and quotes inside titles, all spellings of WO and PCT
numbers (years of two and four digits, both eras), patents that know only one of their two international documents, two
patents of one application, withdrawn patents, unreadable and torn rows, applicants without identity, place or country,
part interests, more than three fields, citations before publication, on the fifth anniversary and the day before it,
twice, by unknown and by withdrawn patents; in the export search reports published later, dates missing or impossible
and a torn line. Not here: what was invented (see `sample_inventions`).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from dagster_project.datasets.patents.sample_inventions import (
    COUNTRIES,
    FIELDS,
    FILING_YEARS,
    Invention,
    citations,
    inventions,
)
from dagster_project.datasets.patents.sample_inventions import patents as us_patents
from dagster_project.sample.files import SampleFile, stored_gzip

Row = Sequence[str | int]

# Numbers of the inventions that carry a trap of their own.
WITHDRAWN = 40
ONLY_PUBLICATION, ONLY_PUBLICATION_LATE, ONLY_APPLICATION = 50, 51, 52
TWO_PATENTS = 60
NO_FIELD, NO_APPLICANT, NO_LOCATION, UNKNOWN_COUNTRY = 70, 71, 72, 73
ANNIVERSARY = 80
OLD_PATENT = "6600001"  # of an application filed in 2001, when years had two digits and serials five
SECOND_PATENT = "9900001"
ON_ANNIVERSARY, DAY_BEFORE, BEFORE_PUBLICATION = "9900002", "9900003", "9900004"
WITHDRAWN_CITING = "9900005"
NCSES_FAMILY = "Patent Cooperation Treaty applications"

_COLUMNS = {
    "g_pct_data": "patent_id published_or_filed_date pct_371_date pct_102_date filed_country application_kind "
    "pct_doc_number pct_doc_type",
    "g_patent": "patent_id patent_type patent_date patent_title wipo_kind num_claims withdrawn filename",
    "g_application": "application_id patent_id patent_application_type filing_date series_code rule_47_flag",
    "g_wipo_technology": "patent_id wipo_field_sequence wipo_field_id wipo_sector_title wipo_field_title",
    "g_assignee_disambiguated": "patent_id assignee_sequence assignee_id disambig_assignee_individual_name_first "
    "disambig_assignee_individual_name_last disambig_assignee_organization assignee_type location_id",
    "g_location_disambiguated": "location_id disambig_city disambig_state disambig_country latitude longitude county "
    "state_fips county_fips",
    "g_us_patent_citation": "patent_id citation_sequence citation_patent_id citation_date record_name wipo_kind "
    "citation_category",
}


def patent_files() -> Iterator[SampleFile]:
    """Every patent file, sorted by path."""
    tables: Mapping[str, list[Row]] = {
        "g_application": _applications(),
        "g_assignee_disambiguated": _assignees(),
        "g_location_disambiguated": _locations(),
        "g_patent": _patents(),
        "g_pct_data": _pct_data(),
        "g_us_patent_citation": _citations(),
        "g_wipo_technology": _fields(),
    }
    torn = b'"9000001"\t"a row that ends here"\n'
    for name, rows in tables.items():
        body = _tsv(_COLUMNS[name].split(), rows)
        if name == "g_pct_data":
            yield f"patents/{name}.tsv", body + torn, len(rows) + 1
        elif name in ("g_patent", "g_us_patent_citation"):
            yield f"patents/{name}.tsv.zip", _stored_zip(f"{name}.tsv", body), len(rows)
        else:
            yield f"patents/{name}.tsv.gz", stored_gzip(body), len(rows)
    totals = _totals()
    yield "patents/ncses_reference_totals.csv", _csv("family field economy year value", totals), len(totals)
    concordance = [(field.number, field.sector, field.name, f"{field.ipc}%") for field in FIELDS]
    yield (
        "patents/wipo_ipc_technology_concordance.csv",
        _csv("Field_number Sector_en Field_en IPC_code", concordance),
        len(concordance),
    )
    export = _export()
    lines = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in export)
    yield "patents/wo_publications.jsonl.gz", stored_gzip(lines + b'{"publication_number": "WO-20\n'), len(export) + 1


def _pct_data() -> list[Row]:
    rows: list[Row] = []
    for invention in inventions():
        number = invention.number
        if number != ONLY_PUBLICATION and number != ONLY_PUBLICATION_LATE:
            rows.append(_pct_row(invention.patent_id, "pct_application", _application_number(invention), invention))
        if number != ONLY_APPLICATION:
            rows.append(_pct_row(invention.patent_id, "wo_grant", _wo_number(invention), invention))
    twin = inventions()[TWO_PATENTS - 1]
    first = inventions()[0]
    rows += [
        _pct_row(SECOND_PATENT, "pct_application", twin.application_number, twin),
        (OLD_PATENT, "2001-07-30", "2003-01-14", "", "WO", "00", "PCT/EP01/08765", "pct_application"),
        (OLD_PATENT, "2002-02-07", "", "", "WO", "A", "WO02/11111", "wo_grant"),
        _pct_row(first.patent_id, "wo_grant", _wo_number(first), first),  # the same row again
        (first.patent_id, "2009-01-01", "", "", "WO", "A", "a number nobody can read", "wo_grant"),
        (first.patent_id, "2009-01-01", "", "", "WO", "A", "WO2009/000001", "something_else"),
        ("1234567", "2009-01-01", "", "", "WO", "A", "WO2009/999999", "wo_grant"),  # no such patent
    ]
    return rows


def _pct_row(patent_id: str, kind: str, number: str, invention: Invention) -> Row:
    filed = kind == "pct_application"
    day = invention.filed if filed else invention.published
    entered = (invention.filed + timedelta(days=540)).isoformat() if filed else ""
    return (patent_id, day.isoformat(), entered, "", "WO", "00" if filed else "A", number, kind)


def _wo_number(invention: Invention) -> str:
    """The publication number in one of its spellings, turn by turn."""
    year, serial = invention.published.year, f"{invention.serial:06d}"
    spellings = (f"WO{year}/{serial}", f"WO {year}/{serial}", f"WO{year % 100:02d}/{serial}", f"WO-{year}{serial}-A1")
    return spellings[invention.number % len(spellings)]


def _application_number(invention: Invention) -> str:
    office, year, serial = invention.office, invention.filed.year, f"{invention.number:06d}"
    spellings = (
        f"PCT/{office}{year}/{serial}",
        f"PCT/{office} {year}/{invention.number}",
        f"pct/{office}{year}/{serial}",
    )
    return spellings[invention.number % len(spellings)]


def _patents() -> list[Row]:
    rows: list[Row] = []
    for number, patent in enumerate(us_patents()):
        withdrawn = "1" if patent.invention == WITHDRAWN else ("0", "false", "")[number % 3]
        rows.append((patent.patent_id, "utility", patent.granted.isoformat(), _title(number), "B2", 20, withdrawn, ""))
    anniversary = inventions()[ANNIVERSARY - 1].published.replace(year=inventions()[ANNIVERSARY - 1].published.year + 5)
    extra: Mapping[str, tuple[date, str]] = {
        OLD_PATENT: (date(2005, 5, 3), "0"),
        SECOND_PATENT: (date(2016, 5, 3), "0"),
        ON_ANNIVERSARY: (anniversary, "0"),
        DAY_BEFORE: (anniversary - timedelta(days=1), "0"),
        BEFORE_PUBLICATION: (inventions()[ANNIVERSARY - 1].published - timedelta(days=30), "0"),
        WITHDRAWN_CITING: (date(2012, 5, 1), "TRUE"),
        "9900006": (date(2012, 5, 8), "perhaps"),
    }
    rows += [
        (patent_id, "utility", granted.isoformat(), "Extra", "B1", 1, withdrawn, "")
        for patent_id, (granted, withdrawn) in extra.items()
    ]
    return rows


def _title(number: int) -> str:
    if number % 50 == 0:
        return 'Device with a "quoted"\tpart\nand a second line'
    return f"Example device {number}"


def _applications() -> list[Row]:
    """US filing dates: the international filing date, but for one that entered after publication."""
    rows: list[Row] = []
    for invention in inventions():
        filed = invention.filed
        if invention.number == ONLY_PUBLICATION_LATE:
            filed = invention.published + timedelta(days=200)
        rows.append((f"14/{invention.number:06d}", invention.patent_id, "utility", filed.isoformat(), "14", ""))
    return rows


def _fields() -> list[Row]:
    rows: list[Row] = []
    for invention in inventions():
        if invention.number != NO_FIELD:
            rows += _fields_of(invention.patent_id, invention.fields)
    return [*rows, *_fields_of(OLD_PATENT, (4,)), (inventions()[0].patent_id, 9, "D5", "Designs", "Furnishings")]


def _fields_of(patent_id: str, numbers: Sequence[int]) -> list[Row]:
    return [
        (patent_id, sequence, number, FIELDS[number - 1].sector, FIELDS[number - 1].name)
        for sequence, number in enumerate(numbers)
    ]


def _assignees() -> list[Row]:
    rows: list[Row] = []
    for invention in inventions():
        if invention.number == NO_APPLICANT:
            continue
        for sequence, applicant in enumerate(invention.applicants):
            place = f"loc_{applicant.country.lower()}"
            if invention.number == NO_LOCATION:
                place = ""
            elif invention.number == UNKNOWN_COUNTRY:
                place = "loc_unknown"
            company = "2" if applicant.country == "US" else "3"
            kind = f"1{company}" if invention.number % 30 == 0 else company  # a leading 1 is a part interest
            rows.append((invention.patent_id, sequence, applicant.identifier, "", "", applicant.name, kind, place))
    own = inventions()[0]
    rows += [
        (own.patent_id, 5, own.applicants[0].identifier, "", "", own.applicants[0].name, "3", ""),  # named twice
        (OLD_PATENT, 0, "person_1", "Erika", "Muster", "", "5", "loc_de"),
        (SECOND_PATENT, 0, "org_us_1", "", "", "US Example Works 1", "2", "loc_us"),
    ]
    rows += [
        (p.patent_id, 0, p.holder.identifier, "", "", p.holder.name, "3", f"loc_{p.holder.country.lower()}")
        for p in us_patents()
        if p.invention is None
    ]
    return rows


def _locations() -> list[Row]:
    known: list[Row] = [
        (f"loc_{country.lower()}", f"{country} City", "", country, "0.0", "0.0", "", "", "") for country in COUNTRIES
    ]
    return [*known, ("loc_unknown", "Nowhere", "", "", "", "", "", "", "")]


def _citations() -> list[Row]:
    rows: list[Row] = []
    for number, citation in enumerate(citations()):
        # citation_date is the month of the cited document's publication and must not be taken for the citing date.
        rows.append((citation.citing, number % 9, citation.cited, "1999-01-01", "Example", "B2", citation.category))
    cited = inventions()[ANNIVERSARY - 1].patent_id
    return [
        *rows,
        rows[0],  # twice
        *((citing, 0, cited, "1999-01-01", "Example", "B2", "cited by examiner")
          for citing in (ON_ANNIVERSARY, DAY_BEFORE, BEFORE_PUBLICATION, WITHDRAWN_CITING, "1111111")),
        (DAY_BEFORE, 1, "5000000", "1991-03-01", "Old", "A", ""),  # cites a patent without international application
    ]  # fmt: skip


def _export() -> list[Mapping[str, Any]]:
    """One row per publication, as BigQuery writes JSON: whole numbers as text, 0 for a missing date."""
    rows: list[Mapping[str, Any]] = []
    for invention in inventions():
        if invention.number in (ONLY_PUBLICATION, ONLY_PUBLICATION_LATE, ONLY_APPLICATION):
            continue  # else the export would supply what these patents must lack
        row = {
            "publication_number": f"WO-{invention.published.year}{invention.serial:06d}-A1",
            "application_number": f"{invention.office}-{invention.filed.year}{invention.number:06d}-W",
            "country_code": "WO",
            "kind_code": "A1",
            "family_id": str(40_000_000 + invention.number),
            "family_size": str(invention.family_size),
            "publication_date": invention.published.strftime("%Y%m%d"),
            "filing_date": "0" if invention.number % 97 == 0 else invention.filed.strftime("%Y%m%d"),
            "assignee_harmonized": [{"name": a.name.upper(), "country_code": a.country} for a in invention.applicants],
            "ipc": [{"code": _ipc(number)} for number in invention.fields],
        }
        rows.append(row)
        if invention.number % 40 == 0:  # the search report, published four months later under the same number
            later = (invention.published + timedelta(days=120)).strftime("%Y%m%d")
            number = str(row["publication_number"]).replace("-A1", "-A3")
            rows.append({**row, "publication_number": number, "kind_code": "A3", "publication_date": later})
    unknown = {**rows[0], "application_number": "XX-2015999999-W", "publication_number": "WO-2015999999-A1"}
    rows += [
        {**unknown, "publication_date": "20151345"},  # not granted in the United States, and a date that never was
        {**unknown, "publication_number": "US-9000001-B2", "country_code": "US"},
    ]
    return rows


def _ipc(field: int) -> str:
    code = FIELDS[field - 1].ipc.replace(" ", "")
    return f"{code}50" if code.endswith("/") else f"{code}1/00"


def _totals() -> list[Row]:
    """Reference totals in NCSES's shape, larger than ours: they count applications not granted in the United States."""
    rows: list[Row] = []
    sectors = dict.fromkeys(field.sector for field in FIELDS)
    for year in FILING_YEARS:
        filed = [invention for invention in inventions() if invention.filed.year == year]
        for technology in ("ALL", *sectors):
            counted: dict[str, float] = dict.fromkeys(_ECONOMY_NAMES, 0.0)
            for invention in filed:
                of_sector = [n for n in invention.fields if technology in ("ALL", FIELDS[n - 1].sector)]
                counted[invention.country] += len(of_sector) / len(invention.fields)
            # China's applications are granted in the United States less often than others'.
            values = {c: round(n * (4 if c == "CN" else 2.5)) for c, n in counted.items()}
            name = technology if technology == "ALL" else technology.lower()
            rows += [(NCSES_FAMILY, name, _ECONOMY_NAMES[c], year, f"{value}.0") for c, value in values.items()]
            rows.append((NCSES_FAMILY, name, "World", year, f"{sum(values.values())}.0"))
            europe = sum(values[c] for c in ("DE", "FR", "IT", "NL", "SE", "ES", "AT", "BE"))
            rows.append((NCSES_FAMILY, name, "EU-27<sup>b</sup>", year, f"{europe}.0"))
    return rows


_ECONOMY_NAMES = {
    "CN": "China",
    "US": "United States",
    "JP": "Japan",
    "DE": "Germany",
    "KR": "South Korea",
    "FR": "France",
    "GB": "United Kingdom",
    "IT": "Italy",
    "NL": "Netherlands",
    "CH": "Switzerland",
    "SE": "Sweden",
    "CA": "Canada",
    "AU": "Australia",
    "IN": "India",
    "TW": "Taiwan",
    "SG": "Singapore",
    "ES": "Spain",
    "BR": "Brazil",
    "AT": "Austria",
    "BE": "Belgium",
}


def _tsv(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows([columns, *rows])
    return text.getvalue().encode()


def _csv(columns: str, rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([columns.split(), *rows])
    return text.getvalue().encode()


def _stored_zip(name: str, content: bytes) -> bytes:
    """A zip that holds the content as it is: compressed bytes differ between zlib builds, and the sample's must not."""
    body = io.BytesIO()
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.create_system = 3  # else the byte differs between operating systems
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(member, content)
    return body.getvalue()
