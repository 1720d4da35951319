"""Chains: which industry of which country uses whose products, from inter-country input-output tables."""

from __future__ import annotations

from datetime import UTC, datetime

from dagster_project.datasets.chains import sample, web
from dagster_project.datasets.chains.checks import CHAINS_LANDING
from dagster_project.datasets.chains.figures import CHAINS_FIGURES
from dagster_project.datasets.chains.files import FILE_KINDS
from dagster_project.datasets.chains.landing import identities, land
from dagster_project.datasets.chains.mart_checks import CHAINS_MARTS
from dagster_project.datasets.declaration import (
    Dataset,
    DropFolder,
    LiveService,
    Sample,
    StageChecks,
    Table,
    Yearly,
)
from dagster_project.sample.reporting import YEARS
from dagster_project.settings import FIRST_YEAR, Settings


def _possible_years(settings: Settings) -> range:
    if settings.chains_source == "sample":
        return range(min(YEARS), max(YEARS) + 1)
    return range(FIRST_YEAR, datetime.now(UTC).year)


CHAINS = Dataset(
    name="chains",
    title="inter-country input-output tables",
    description="Inter-country input-output tables (OECD ICIO, WIOD and others of their form), archived as received: "
    "what every sector of every country delivers to every other one and to final use, year by year.",
    setting="chains_source",
    sources=(
        Sample(sample.files),
        DropFolder("files", FILE_KINDS),
        LiveService(
            "oecd",
            web.fetch,
            web.probes,
            changed=web.changed,
            look_every=7 * 24 * 3600,
            schedule="monthly_chains",
            cron="45 7 6 * *",
            why="Chains: on the sixth of the month; the OECD releases and revises tables a few times a year.",
            stale=(60, 120),
        ),
    ),
    tables=(
        Table(
            "io_flows",
            "One row per edition, year, and pair of country and sector that delivers to another: intermediate use. "
            "Places are those of io_output.",
            "io_flows/year=*/*.parquet",
        ),
        Table(
            "io_final",
            "One row per edition, year, country and sector, and country of use: all final uses added up, changes of "
            "inventories too. No rows of a table that does not say where its products are used.",
            "io_final/year=*/*.parquet",
        ),
        Table(
            "io_output",
            "One row per edition, year, country and sector: output, and where the table has them value added and "
            "taxes; its place in the table.",
            "io_output/year=*/*.parquet",
        ),
        Table(
            "io_tables",
            "One row per edition and year: the size of the table, whether it covers the world, and the flows from and "
            "to sectors without output that were left out.",
            "io_tables/year=*/*.parquet",
        ),
        Table(
            "io_published",
            "Measures that others published of such tables, to hold ours against: one row per measure, country and "
            "sector; edition and year where the file is of one.",
            "io_published/*.parquet",
        ),
        Table(
            "io_emissions",
            "One row per edition, year, country and sector that the user placed an emission intensity for, in kg of "
            "CO2 per USD of output. No rows of a table without such a file.",
            "io_emissions/year=*/*.parquet",
        ),
        Table(
            "quarantine_chains",
            "Rows of emission intensities that cannot be used, with the reason and their place in the archive. Tables "
            "are used whole or not at all.",
            "quarantine/chains/year=*/*.parquet",
        ),
        Table(
            "chains_rule_counts",
            "One row per (year, source, rule): numbers read, landed, added to another one, left out.",
            "chains_rule_counts/year=*/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", CHAINS_LANDING), StageChecks("marts", CHAINS_MARTS)),
    figures=CHAINS_FIGURES,
    after=("reference",),
    lands_after=("reference",),
    shaping=("shock_exporters", "shock_cut"),
    yearly=Yearly(identities, _possible_years, has_gaps=True),
)
