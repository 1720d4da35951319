"""Small PatentsView tables and BigQuery rows for tests, archived as a source would archive them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.payload import Payload
from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.patents.files import BIGQUERY, BIGQUERY_KIND, NCSES, PATENTSVIEW, WIPO_CONCORDANCE

COLUMNS = {
    "g_pct_data": (
        "patent_id published_or_filed_date pct_371_date pct_102_date filed_country application_kind pct_doc_number "
        "pct_doc_type"
    ),
    "g_patent": "patent_id patent_type patent_date patent_title wipo_kind num_claims withdrawn filename",
    "g_application": "application_id patent_id patent_application_type filing_date series_code rule_47_flag",
    "g_wipo_technology": "patent_id wipo_field_sequence wipo_field_id wipo_sector_title wipo_field_title",
    "g_assignee_disambiguated": (
        "patent_id assignee_sequence assignee_id disambig_assignee_individual_name_first "
        "disambig_assignee_individual_name_last disambig_assignee_organization assignee_type location_id"
    ),
    "g_location_disambiguated": (
        "location_id disambig_city disambig_state disambig_country latitude longitude county state_fips county_fips"
    ),
    "g_us_patent_citation": (
        "patent_id citation_sequence citation_patent_id citation_date record_name wipo_kind citation_category"
    ),
}
Rows = Sequence[Mapping[str, str]]


def tsv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """A table in PatentsView's dialect: tabs, everything quoted, doubled quotes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, method)
    return body.getvalue()


class Drop:
    """An archive filled by hand, and the landing directory beside it."""

    def __init__(self, root: Path) -> None:
        self.archive = Archive(root / "archive")
        self.landing = root / "landing"
        self.entries: list[Entry] = []

    def put(self, kind: str, name: str, body: bytes, provenance: Any = PATENTSVIEW) -> None:
        payload = Payload(provenance, "patents", name, f"drop:patents/{name}", body, {"kind": kind})
        self.entries.append(self.archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)))

    def patentsview(self, tables: Mapping[str, Rows], form: str = ".tsv.zip") -> None:
        for name, columns in COLUMNS.items():
            if name in tables:
                content = tsv(columns.split(), tables[name])
                packed = {
                    ".tsv.zip": lambda n=name, c=content: zipped(f"{n}.tsv", c),
                    ".tsv.gz": lambda c=content: gzip.compress(c),
                    ".tsv": lambda c=content: c,
                }[form]
                self.put(name, name + form, packed())

    def export(self, rows: Iterable[Mapping[str, Any]], name: str = "wo_publications.jsonl") -> None:
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        self.put(BIGQUERY_KIND, name, gzip.compress(body) if name.endswith(".gz") else body, BIGQUERY)

    def concordance(self, patterns: Iterable[tuple[str, str]] = (("4", "H04L%"), ("6", "G06F%"))) -> None:
        lines = "".join(f'{field},Electrical engineering,"Field {field}, named",{p}\n' for field, p in patterns)
        body = f"Field_number,Sector_en,Field_en,IPC_code\n{lines}".encode()
        self.put("wipo_concordance", "wipo_ipc_technology_concordance.csv", body, WIPO_CONCORDANCE)

    def totals(self, lines: str) -> None:
        self.put("ncses_totals", "ncses.csv", f"family,field,economy,year,value\n{lines}".encode(), NCSES)

    def read(self, table: str, columns: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a landed table, sorted."""
        path = self.landing / table
        with duckdb.connect() as connection:
            return connection.execute(f"select {columns} from '{path}' where {where} order by all").fetchall()


def pct_row(patent: str, kind: str, number: str, date: str) -> dict[str, str]:
    return {"patent_id": patent, "pct_doc_type": kind, "pct_doc_number": number, "published_or_filed_date": date}


def patent(number: str, date: str, title: str = "A thing", withdrawn: str = "0") -> dict[str, str]:
    return {"patent_id": number, "patent_date": date, "patent_title": title, "withdrawn": withdrawn}


def assignee(patent: str, who: str, location: str = "l-cn", seq: str = "0", kind: str = "3") -> dict[str, str]:
    return {
        "patent_id": patent,
        "assignee_sequence": seq,
        "assignee_id": who,
        "disambig_assignee_organization": who.upper(),
        "assignee_type": kind,
        "location_id": location,
    }


def field(patent: str, number: str, seq: str = "0") -> dict[str, str]:
    return {
        "patent_id": patent,
        "wipo_field_id": number,
        "wipo_field_sequence": seq,
        "wipo_field_title": f"Field {number}",
        "wipo_sector_title": "Electrical engineering",
    }


def citation(citing: str, cited: str, category: str = "cited by examiner") -> dict[str, str]:
    return {"patent_id": citing, "citation_patent_id": cited, "citation_category": category}


LOCATIONS: Rows = [
    {"location_id": f"l-{country.lower()}", "disambig_country": country} for country in ("CN", "US", "DE", "JP")
]


def small_world(**changes: Rows) -> dict[str, Rows]:
    """One PCT publication of two applicants and two fields, cited by two later patents; tables can be replaced."""
    return {
        "g_pct_data": [
            pct_row("9000001", "pct_application", "PCT/CN2012/072345", "2012-03-15"),
            pct_row("9000001", "wo_grant", "WO2012/130123", "2012-10-04"),
        ],
        "g_patent": [
            patent("9000001", "2015-01-06"),
            patent("9100000", "2016-05-03"),
            patent("9200000", "2017-05-02"),
        ],
        "g_application": [{"patent_id": "9000001", "filing_date": "2012-03-15"}],
        "g_wipo_technology": [field("9000001", "4"), field("9000001", "6", "1")],
        "g_assignee_disambiguated": [assignee("9000001", "huawei"), assignee("9000001", "siemens", "l-de", "1")],
        "g_location_disambiguated": LOCATIONS,
        "g_us_patent_citation": [citation("9100000", "9000001"), citation("9200000", "9000001")],
        **changes,
    }
