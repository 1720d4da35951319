"""Contagion: whether a shock to one firm spreads to its suppliers and their industries, in market returns."""

from __future__ import annotations

from dagster_project.datasets.contagion.checks import CONTAGION_LANDING
from dagster_project.datasets.contagion.figures import CONTAGION_FIGURES
from dagster_project.datasets.contagion.files import FILE_KINDS
from dagster_project.datasets.contagion.landing import land
from dagster_project.datasets.contagion.recomputed import CONTAGION_MARTS
from dagster_project.datasets.contagion.sample import contagion_files
from dagster_project.datasets.declaration import Dataset, DropFolder, Sample, StageChecks, Table

CONTAGION = Dataset(
    name="contagion",
    title="market returns around events",
    description="Events, securities, their roles in the events, and daily returns, from files that the user places: "
    "no prices are fetched, because no provider's terms are known to allow it.",
    setting="returns_source",
    sources=(Sample(contagion_files), DropFolder("files", FILE_KINDS)),
    tables=(
        Table("contagion_events", "One row per event, with its day.", "contagion/contagion_events.parquet"),
        Table(
            "contagion_securities",
            "One row per stock or index, with its industry and market.",
            "contagion/contagion_securities.parquet",
        ),
        Table(
            "contagion_roles",
            "One row per event and security that has a role in it.",
            "contagion/contagion_roles.parquet",
        ),
        Table(
            "contagion_returns", "One row per security and day with a return.", "contagion/contagion_returns.parquet"
        ),
        Table(
            "contagion_rule_counts",
            "One row per (source, rule): rows read, landed, set aside by rule, quarantined by reason.",
            "contagion_rule_counts.parquet",
        ),
        Table(
            "quarantine_contagion",
            "Rows of the user's files that could not be used, with the reason and where they came from.",
            "quarantine/contagion/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", CONTAGION_LANDING), StageChecks("marts", CONTAGION_MARTS)),
    figures=CONTAGION_FIGURES,
)
