"""Reference tables: countries, goods with their classifications, and the conversions between HS editions."""

from __future__ import annotations

from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, StageChecks, Table
from dagster_project.datasets.reference import files, web
from dagster_project.datasets.reference.checks import REFERENCE_LANDING
from dagster_project.datasets.reference.landing import land
from dagster_project.datasets.reference.mart_checks import REFERENCE_MARTS
from dagster_project.datasets.reference.sample import reference_files

REFERENCE = Dataset(
    name="reference",
    title="classifications, country lists and HS conversions",
    description="Classifications, country lists and HS conversion tables, archived as received.",
    setting="reference_source",
    sources=(
        Sample(reference_files),
        DropFolder("files", files.FILE_KINDS, choose=lambda payloads, _settings: files.lists_in_use(payloads)),
        LiveService("web", web.reference, web.probes, pin=web.pin),
    ),
    tables=(
        Table(
            "countries",
            "One row per area of the country lists, with whether it counts as a country.",
            "reference/countries.parquet",
        ),
        Table(
            "products",
            "One row per HS6 code of the base revision, with its BEC Rev.4 code and BEC Rev.5 end use.",
            "reference/products.parquet",
        ),
        Table(
            "hs_conversion",
            "One row per (HS revision, code, target code of the base revision) with its weight; weights of a "
            "source code sum to 1.",
            "reference/hs_conversion.parquet",
        ),
        Table(
            "reference_rule_counts",
            "One row per (source and kind of file, rule): rows read, rows that contributed to a landed row, rows set "
            "aside by a named rule. Files are used whole or not at all, so no row is quarantined.",
            "reference_rule_counts.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", REFERENCE_LANDING), StageChecks("marts", REFERENCE_MARTS)),
    shaping=("hs_revision", "product_scope"),
)
