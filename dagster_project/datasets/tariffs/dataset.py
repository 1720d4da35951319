"""Tariffs: USTR's Section 301 tariff lists, the requests to be excluded from them, and the exclusions granted."""

from __future__ import annotations

from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, StageChecks, Table
from dagster_project.datasets.tariffs import files, web
from dagster_project.datasets.tariffs.checks import TARIFF_LANDING, TARIFF_MARTS
from dagster_project.datasets.tariffs.figures import TARIFF_FIGURES, TARIFF_TABLES
from dagster_project.datasets.tariffs.landing import land
from dagster_project.datasets.tariffs.sample import tariff_files

TARIFFS = Dataset(
    name="tariffs",
    title="Section 301 tariff exclusions",
    description="USTR Section 301 exclusion requests, tariff lists and granted exclusions, archived as received.",
    setting="tariff_source",
    sources=(
        Sample(tariff_files),
        DropFolder("files", files.FILE_KINDS),
        LiveService(
            "ustr",
            web.tariffs,
            web.probes,
            changed=web.changed,
            schedule="weekly_tariffs",
            cron="30 5 * * 1",
            why="Section 301: Mondays, with a week of overlap.",
            stale=(30, 90),
        ),
    ),
    tables=(
        Table(
            "tariff_requests",
            "One row per exclusion request, whatever layout its file had.",
            "tariff_requests.parquet",
        ),
        Table(
            "tariff_lists",
            "One row per source of lists, tariff line (HTS8) and list.",
            "tariff_lists.parquet",
        ),
        Table(
            "tariff_exclusions",
            "One row per granted exclusion and HTS code it names, with the dates its text states.",
            "tariff_exclusions.parquet",
        ),
        Table(
            "tariff_exclusion_tranches",
            "One row per paragraph of the note that grants or extends exclusions.",
            "tariff_exclusion_tranches.parquet",
        ),
        Table(
            "tariff_headings",
            "One row per heading of chapter 99 about Section 301 and edition of the tariff schedule.",
            "tariff_headings.parquet",
        ),
        Table(
            "tariffs_rule_counts",
            "One row per (source, rule): rows read, landed, set aside by rule, quarantined by reason.",
            "tariffs_rule_counts.parquet",
        ),
        Table(
            "quarantine_tariffs",
            "Rows of tariff files that could not be used, with the reason and where they came from.",
            "quarantine/tariffs/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", TARIFF_LANDING), StageChecks("marts", TARIFF_MARTS)),
    figures=TARIFF_FIGURES,
    figures_with={"chains": TARIFF_TABLES},
    after=("reference", "trade", "chains"),
    shaping=("us_consumption",),
)
