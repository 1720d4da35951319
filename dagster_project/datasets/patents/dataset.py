"""Patents: PCT publications with applicants, technology fields and citations, and published totals to compare with."""

from __future__ import annotations

from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, StageChecks, Table
from dagster_project.datasets.patents import files, uspto
from dagster_project.datasets.patents.checks import PATENT_LANDING, PATENT_MARTS
from dagster_project.datasets.patents.figures import PATENT_FIGURES
from dagster_project.datasets.patents.landing import land
from dagster_project.datasets.patents.sample import patent_files

PATENTS = Dataset(
    name="patents",
    title="PCT patents",
    description="PCT publications with applicants, fields and citations, archived as received.",
    setting="patent_source",
    sources=(
        Sample(patent_files),
        DropFolder("files", files.FILE_KINDS),
        LiveService(
            "uspto",
            uspto.patents,
            uspto.probes,
            changed=uspto.changed,
            schedule="monthly_patents",
            cron="45 6 3 * *",
            why="Patents: on the third of the month; the portal moves quarterly.",
            stale=(60, 120),
        ),
    ),
    tables=(
        Table("pct_publications", "One row per PCT publication.", "patents/pct_publications.parquet"),
        Table(
            "pct_applicants",
            "One row per PCT publication and applicant; weights of a publication sum to 1.",
            "patents/pct_applicants.parquet",
        ),
        Table(
            "pct_fields",
            "One row per PCT publication and WIPO field; weights of a publication sum to 1.",
            "patents/pct_fields.parquet",
        ),
        Table(
            "pct_citations",
            "One row per cited PCT publication and citing patent.",
            "patents/pct_citations.parquet",
        ),
        Table("wipo_fields", "One row per WIPO technology field, with its sector.", "patents/wipo_fields.parquet"),
        Table(
            "reference_totals",
            "Published totals by economy and year, of OECD (live or by hand) or NCSES (by hand).",
            "patents/reference_totals.parquet",
        ),
        Table(
            "patents_rule_counts",
            "One row per (source, rule): rows read, landed, set aside by rule, quarantined by reason.",
            "patents_rule_counts.parquet",
        ),
        Table(
            "quarantine_patents",
            "Rows of patent files that could not be used, with the reason and where they came from.",
            "quarantine/patents/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", PATENT_LANDING), StageChecks("marts", PATENT_MARTS)),
    figures=PATENT_FIGURES,
)
