"""USTR Section 301 (China): exclusion requests, tariff lists, granted exclusions. Which files they are, on what terms.

USTR publishes no machine-readable file of the requests on lists 3 and 4A, so every table here was compiled
from USTR's dockets, notices or annexes, or from the tariff schedule: the provenance names publisher and compiler. Not
here: the columns (see `rows`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Provenance
from dagster_project.sources.files import FileKind

_GOVERNMENT_WORK = "United States government work (no copyright in the United States)"

DOCKETS = Provenance(
    source="ustr",
    publisher="Office of the United States Trade Representative",
    citation="USTR, Section 301 exclusion requests, dockets USTR-2018-0025, USTR-2018-0032, USTR-2019-0005, "
    "USTR-2019-0017, as compiled in the file",
    licence=f"{_GOVERNMENT_WORK}; terms of the compiler, where there is one, apply to the compilation",
)
QUANTGOV = Provenance(
    source="quantgov",
    publisher="USTR; compiled by QuantGov, Mercatus Center at George Mason University",
    citation="QuantGov, Section 301 tariff data, https://www.quantgov.org/tariffs, from USTR's workbooks of "
    "November 2021",
    licence=f"{_GOVERNMENT_WORK}; compilation: terms of QuantGov",
)
MITSUO = Provenance(
    source="mitsuo",
    publisher="USTR; compiled by Mitsuo Shiota",
    citation="mitsuoxv/us-tariffs-on-china: HTS codes extracted from USTR's annexes and notices of product exclusions",
    licence=f"{_GOVERNMENT_WORK}; compilation: no licence stated",
)
BUDGET_LAB = Provenance(
    source="budget_lab",
    publisher="USITC; compiled by The Budget Lab at Yale",
    citation="Budget-Lab-Yale/tariff-rate-tracker, s301_product_lists.csv, from USITC's document China Tariffs",
    licence=f"{_GOVERNMENT_WORK}; compilation: MIT",
)
FEDERAL_REGISTER = Provenance(
    source="federal_register",
    publisher="Office of the Federal Register; USTR",
    citation="USTR, notices of product exclusions, Federal Register, https://www.federalregister.gov",
    licence=_GOVERNMENT_WORK,
)
REGULATIONS = Provenance(
    source="regulations_gov",
    publisher="USTR; eRulemaking Program, regulations.gov",
    citation="Regulations.gov, documents of dockets USTR-2018-0025 and USTR-2018-0032",
    licence=_GOVERNMENT_WORK,
)
SCHEDULE_EXPORT = Provenance(
    source="usitc",
    publisher="United States International Trade Commission",
    citation="Harmonized Tariff Schedule of the United States, https://hts.usitc.gov, the edition that the file is "
    "named after",
    licence=_GOVERNMENT_WORK,
)
TARIFF_SCHEDULE = Provenance(
    source="usitc",
    publisher="United States International Trade Commission",
    citation="Harmonized Tariff Schedule of the United States, chapter 99, subchapter III, U.S. note 20, as parsed in "
    "the file",
    licence=_GOVERNMENT_WORK,
)


def _kind(kind: str, pattern: str, looked_for: str, provenance: Provenance) -> FileKind:
    return FileKind(kind, "ustr", rf"(.*/)?{pattern}", looked_for, "tariffs", provenance)


# The first kind that matches a name wins: the named tables come before the open patterns at the end.
FILE_KINDS = (
    _kind(
        "register_notice",
        r"federal_register_(?P<published>\d{4}-\d\d-\d\d)_(?P<document>[A-Za-z0-9-]+)\.xml",
        "federal_register_<publication date>_<document number>.xml",
        FEDERAL_REGISTER,
    ),
    _kind(
        "regulations_page",
        r"regulations_(?P<docket>USTR-\d{4}-\d{4})_(?P<page>[^/]+)\.json",
        "regulations_<docket>_<page>.json (a page of regulations.gov's documents)",
        REGULATIONS,
    ),
    _kind(
        "hts_export",
        r"hts_(?P<release>\d{4}[^/]*)\.json(\.gz)?",
        "hts_<edition>.json(.gz): the whole schedule as USITC exports it, such as hts_2026_revision_5_json.json",
        SCHEDULE_EXPORT,
    ),
    _kind(
        "note_items",
        r"[^/]*note20[^/]*granted_exclusions[^/]*\.csv(\.gz)?",
        "htsus_ch99_note20_granted_exclusions.csv.gz",
        TARIFF_SCHEDULE,
    ),
    _kind(
        "note_tranches",
        r"[^/]*note20[^/]*tranches[^/]*\.csv(\.gz)?",
        "htsus_ch99_note20_exclusion_tranches.csv",
        TARIFF_SCHEDULE,
    ),
    _kind(
        "notice_items",
        r"[^/]*granted_exclusions[^/]*by_notice[^/]*\.csv(\.gz)?",
        "mitsuo_granted_exclusions_hts10_by_notice.csv",
        MITSUO,
    ),
    _kind(
        "final_lists",
        r"quantgov[^/]*lists[^/]*\.csv(\.gz)?",
        "quantgov_section301_lists_raw.csv.gz with the columns hts, list_id, imports_2017 …",
        QUANTGOV,
    ),
    _kind("annex_lists", r"mitsuo[^/]*lists[^/]*\.csv(\.gz)?", "mitsuo_section301_lists_hts8.csv", MITSUO),
    _kind(
        "list_mapping",
        r"[^/]*product_lists[^/]*\.csv(\.gz)?",
        "s301_product_lists.csv with the columns hts8, list, ch99_code (and, if you know it, vintage)",
        BUDGET_LAB,
    ),
    _kind(
        "requests",
        r"quantgov[^/]*requests[^/]*\.csv(\.gz)?",
        "quantgov_section301_exclusion_requests_raw.csv.gz",
        QUANTGOV,
    ),
    _kind(
        "requests",
        r"(requests/[^/]+|[^/]*(request|status|portal|scrape|docket)[^/]*)\.(csv(\.gz)?|xlsx)",
        "exclusion request status tables (.csv, .csv.gz or .xlsx with request, status, portal, scrape or docket in "
        "the name, or any name in ustr/requests/)",
        DOCKETS,
    ),
)
