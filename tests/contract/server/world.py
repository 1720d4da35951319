"""What the contract server serves: the sample, as the live services would have it. Not here: HTTP."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dagster_project.datasets import samples as sample
from dagster_project.datasets.trade import sample as rendering
from dagster_project.sample.reporting import YEARS, RawRow, reports
from dagster_project.sample.truth import truth
from tests.contract.server import oecd_icio
from tests.contract.server.dataverse import Deposit, deposits
from tests.contract.server.notices import Notice, document, sample_notices

RELEASED = "2026-03-04T19:12:39.8333333"
NUMBERS = ("qty", "altQty", "netWgt", "grossWgt", "cifvalue", "fobvalue", "primaryValue")


@dataclass
class Resource:
    """A static file: bytes and what the server says of them."""

    body: bytes
    kind: str = "application/octet-stream"
    quoted: bool = True
    ranges: bool = True
    weak: bool = False
    validators: bool = True

    @property
    def etag(self) -> str:
        tag = "0x" + hashlib.sha256(self.body).hexdigest()[:15].upper()
        return f'W/"{tag}"' if self.weak else f'"{tag}"' if self.quoted else tag


@dataclass
class Batch:
    """A batch as submitted: what was asked for, its file (named after another number), and how often it was asked."""

    query: dict[str, str]
    file: str
    asked: int = 0


@dataclass
class World:
    """The state of all services; tests change it while the server runs."""

    years: tuple[int, ...] = YEARS
    keys: set[str] = field(default_factory=lambda: {"contract-key"})
    row_cap: int = 250_000
    versions: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    factors: dict[tuple[int, int], float] = field(default_factory=dict)
    only_reporters: frozenset[int] | None = None
    static: dict[str, Resource] = field(default_factory=dict)
    extra_fields: dict[str, Any] = field(default_factory=dict)
    dropped_fields: frozenset[str] = frozenset()
    reference: dict[str, Resource] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    batch_states: tuple[str, ...] = ("Submitted", "Running", "Completed")
    batch_cap: int = 2_500_000
    batch_delimiter: str = "\t"
    odp_released: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=sample_notices)
    register_page: int = 2
    documents: list[dict[str, Any]] = field(default_factory=list)
    documents_page: int = 250
    dotted_schedule: bool = False
    schedule: str = "2026HTSRev20"
    deposits: list[Deposit] = field(default_factory=deposits)
    ignores_format: bool = False  # Dataverse gives its own form of a table whatever is asked for

    def reporters(self, year: int) -> list[int]:
        """Who has published the year."""
        found = sorted(rows_of(year))
        return [code for code in found if self.only_reporters is None or code in self.only_reporters]

    def version(self, year: int, reporter: int) -> tuple[int, str]:
        """Checksum and time of release of a reporter's year."""
        default = int(hashlib.sha256(f"{year} {reporter}".encode()).hexdigest()[:7], 16) - (1 << 26)
        return self.versions.get((year, reporter), (default, RELEASED))

    def revise(self, year: int, reporter: int, factor: float = 1.0) -> None:
        """Make Comtrade offer another version of a reporter's rows, with values that are so many times the former."""
        checksum, _ = self.version(year, reporter)
        self.versions[year, reporter] = (checksum + 1, "2026-05-06T07:08:09.5")
        self.factors[year, reporter] = factor


@cache
def rows_of(year: int) -> dict[int, tuple[RawRow, ...]]:
    """Reporter -> its rows as Comtrade would serve them now: corrections applied, each row once."""
    delivered = reports(year)
    found: dict[int, dict[Any, RawRow]] = {}

    def key(row: RawRow) -> tuple[Any, ...]:
        return (row.flow, row.partner, row.code, row.partner2, row.customs, row.mot)

    for reporter, rows in delivered.by_reporter.items():
        found[reporter] = {key(row): row for row in rows}
    for row in delivered.corrections:
        found[row.reporter][key(row)] = row
    for row in delivered.broken:
        found.setdefault(row.reporter, {}).setdefault(key(row), row)
    return {reporter: tuple(rows.values()) for reporter, rows in found.items()}


@cache
def records_of(year: int, reporter: int) -> tuple[tuple[RawRow, dict[str, Any]], ...]:
    """The API's records of a reporter's year, without descriptions."""
    found = []
    for row in rows_of(year).get(reporter, ()):
        record = dict(rendering._record(row))
        for name in NUMBERS:
            text = str(record[name])
            try:
                record[name] = None if text == "" else float(text)
                assert record[name] is None or record[name] == record[name]
            except (ValueError, AssertionError):
                record[name] = text
        record |= dict.fromkeys(rendering.TEXT_FIELDS)
        found.append((row, record))
    return tuple(found)


def batch_zip(records: list[dict[str, Any]], delimiter: str) -> bytes:
    """A batch's file: one delimited table of the records."""
    text, body = io.StringIO(), io.BytesIO()
    writer = csv.DictWriter(text, records[0] if records else ("reporterCode",), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    with zipfile.ZipFile(body, "w") as archive:
        name = zipfile.ZipInfo(f"batch.{'csv' if delimiter == ',' else 'txt'}", (2026, 1, 22, 0, 0, 0))
        archive.writestr(name, text.getvalue(), zipfile.ZIP_DEFLATED)
    return body.getvalue()


OECD_DIMENSIONS = {
    "PATENT_AUTHORITIES": "Patent authorities", "FREQ": "Frequency of observation", "MEASURE": "Measure",
    "UNIT_MEASURE": "Unit of measure", "DATE_TYPE": "Reference date", "REF_AREA": "Reference area",
    "PARTNER_AREA": "Partner area", "AGENT_ROLE": "Applicant or inventor", "COOPERATION_TYPE": "Type of co-operation",
    "WIPO": "WIPO technology domains", "OECD_TECHNOLOGY_PATENT": "OECD technology domains",
}  # fmt: skip
_OECD_AREAS = {"CHN": "China (People’s Republic of)", "USA": "United States", "DEU": "Germany", "JPN": "Japan"}


def oecd_table(key: list[str], since: int) -> bytes:
    """OECD's labelled CSV of the series that a key asks for, more than the client wants; empty when there is none."""
    text, rows = io.StringIO(), []
    for year in range(max(since, 2008), 2016):
        for place, (area, label) in enumerate([*_OECD_AREAS.items(), ("OECD", "OECD")], 1):
            for role in ("APPLICANT", "INVENTOR"):
                for domain, name in (("_T", "Total"), ("1", "Electrical engineering")):
                    codes = ["9P50_1", "A", "AP", "PATN", "APPLICATION", area, "_Z", role, "_Z", domain, "_Z"]
                    if all(wanted in ("", code) for wanted, code in zip(key, codes, strict=True)):
                        labels = [*codes[:5], label, *codes[6:9], name, codes[10]]
                        pairs = [value for pair in zip(codes, labels, strict=True) for value in pair]
                        value = 40.25 * place if domain == "_T" else 10.125 * place
                        rows.append(
                            ["DATAFLOW", "OECD.STI.PIE:DSD_PATENTS@DF_PATENTS_WIPO(1.0)", "I", *pairs, year, value]
                        )
    if not rows:
        return b""
    header = ["STRUCTURE", "STRUCTURE_ID", "ACTION", *(name for pair in OECD_DIMENSIONS.items() for name in pair)]
    csv.writer(text).writerows([[*header, "TIME_PERIOD", "OBS_VALUE"], *rows])
    return text.getvalue().encode()


@cache
def sample_files() -> dict[str, bytes]:
    """Path below a drop folder -> bytes."""
    return {path: body for path, body, _ in sample.files()}


@cache
def baci_zip(release: str = "201901") -> bytes:
    """The sample's true flows as CEPII's zip of edition HS17; compressed members, names at the zip's root."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in baci_tables(release).items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 22, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return body.getvalue()


@cache
def baci_tables(release: str = "201901") -> dict[str, bytes]:
    """The members of that zip."""
    tables = {"Readme.txt": b"BACI, synthetic\n"}
    flows = truth().flows
    for year in YEARS:
        lines = ["t,i,j,k,v,q"]
        lines += [
            f"{year},{exporter},{importer},{hs6},{value / 1000:.3f},        NA"
            for (of_year, exporter, importer, hs6), (value, _) in sorted(flows.items())
            if of_year == year
        ]
        tables[f"BACI_HS17_Y{year}_V{release}.csv"] = ("\n".join(lines) + "\n").encode()
    tables[f"country_codes_V{release}.csv"] = b"country_code,country_name,country_iso2,country_iso3\n842,USA,US,USA\n"
    tables[f"product_codes_HS17_V{release}.csv"] = sample_files()["baci/product_codes_HS17_V201901.csv"]
    return tables


def make_world() -> World:
    """A fresh world: the sample behind every service."""
    world = World()
    for path, body in sample_files().items():
        world.static[f"/static/{path}"] = Resource(body)
        if path in ("reference/Reporters.json", "reference/partnerAreas.json"):
            name = path.rsplit("/", 1)[1]
            world.reference[name.lower()] = Resource(body, "application/json", quoted=False)
    world.documents = [document(number) for number in range(12)]
    page = b"<html><a href='../data/BACI_HS17_V201801b.zip'>V201801b</a> BACI V201901 is the newest</html>"
    world.static["/baci/doc/baci_webpage.html"] = Resource(page, "text/html")
    world.static["/baci/data/BACI_HS17_V201901.zip"] = Resource(baci_zip(), "application/zip")
    for name, body in oecd_icio.zips().items():
        world.static[f"{oecd_icio.PREFIX}/{name}"] = Resource(body, "application/zip")
    return world


def reference_list(base: str) -> str:
    """The reference list that leads to this server: Comtrade's lists, and the sample's own tables."""
    names = ("Reporters.json", "partnerAreas.json")
    files = [{"name": name, "address": f"{{comtrade}}/files/v1/app/reference/{name}", "sha256": None} for name in names]
    for path, body in sample_files().items():
        folder, name = path.split("/")
        if folder == "reference" and name not in names:
            pinned = hashlib.sha256(body).hexdigest()
            files.append({"name": name, "address": f"{base}/static/{path}", "sha256": pinned})
    return json.dumps({"files": files}, indent=1)
