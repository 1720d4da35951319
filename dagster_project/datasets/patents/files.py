"""PCT patents: which files of the drop folder are which table, and on what terms each publisher gives them.

Two patent-level sources (PatentsView's granted tables, a BigQuery export of WO publications) and three reference
tables (WIPO's IPC-technology concordance, totals by economy of OECD and of NCSES). Not here: their columns (see
`patentsview`, `bigquery`, `totals`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Provenance
from dagster_project.sources.files import FileKind

PATENTSVIEW = Provenance(
    source="patentsview",
    publisher="United States Patent and Trademark Office, PatentsView",
    citation="PatentsView, granted patent disambiguated data (USPTO Open Data Portal product PVGPATDIS)",
    licence="CC BY 4.0",
)
BIGQUERY = Provenance(
    source="google_patents",
    publisher="IFI CLAIMS Patent Services and Google",
    citation="Google Patents Public Data, table patents-public-data.patents.publications, provided by IFI CLAIMS",
    licence="CC BY 4.0",
)
NCSES = Provenance(
    source="ncses",
    publisher="National Science Foundation, National Center for Science and Engineering Statistics",
    citation="NCSES, Science and Engineering Indicators: Patent Cooperation Treaty applications and international "
    "patent families granted, by region, country, or economy",
    licence="United States government work, public domain",
)
OECD = Provenance(
    source="oecd",
    publisher="Organisation for Economic Co-operation and Development",
    citation="OECD, Patents by WIPO technology domain (DSD_PATENTS@DF_PATENTS_WIPO), https://sdmx.oecd.org",
    licence="CC BY 4.0",
)
WIPO_CONCORDANCE = Provenance(
    source="wipo",
    publisher="World Intellectual Property Organization",
    citation="WIPO IPC-Technology Concordance Table; Schmoch, U. (2008). Concept of a Technology Classification for "
    "Country Comparisons",
    licence="WIPO terms of use",
)

PATENTSVIEW_TABLES = (
    "g_pct_data",
    "g_patent",
    "g_application",
    "g_wipo_technology",
    "g_assignee_disambiguated",
    "g_location_disambiguated",
    "g_us_patent_citation",
)
BIGQUERY_KIND = "wo_publications"
NCSES_KIND = "ncses_totals"
OECD_KIND = "oecd_totals"
CONCORDANCE_KIND = "wipo_concordance"

FILE_KINDS = (
    *(
        FileKind(
            table,
            "patents",
            rf"(.*/)?{table}\.tsv(\.(?P<compression>zip|gz))?",
            f"{table}.tsv (also .tsv.zip or .tsv.gz)",
            "patents",
            PATENTSVIEW,
        )
        for table in PATENTSVIEW_TABLES
    ),
    FileKind(
        BIGQUERY_KIND,
        "patents",
        r"(bigquery/.*|(.*/)?(bq_|bigquery_)?(wo_)?publications[^/]*)"
        r"\.(?P<format>json|jsonl|ndjson|parquet)(\.(?P<compression>gz))?",
        "wo_publications*.json, .jsonl(.gz) or .parquet, or any such file in patents/bigquery/",
        "patents",
        BIGQUERY,
    ),
    FileKind(
        NCSES_KIND,
        "patents",
        r"(.*/)?ncses[^/]*\.csv(\.(?P<compression>gz))?",
        "ncses*.csv(.gz) with the columns family, field, economy, year, value",
        "patents",
        NCSES,
    ),
    FileKind(
        OECD_KIND,
        "patents",
        r"(.*/)?oecd[^/]*\.csv(\.(?P<compression>gz))?",
        "oecd*.csv(.gz), PCT applications of OECD's flow DF_PATENTS_WIPO as csvfilewithlabels",
        "patents",
        OECD,
    ),
    FileKind(
        CONCORDANCE_KIND,
        "patents",
        r"(.*/)?(wipo_)?ipc_technology[^/]*\.csv(\.(?P<compression>gz))?",
        "wipo_ipc_technology_concordance*.csv with the columns Field_number, Sector_en, Field_en, IPC_code",
        "patents",
        WIPO_CONCORDANCE,
    ),
)
