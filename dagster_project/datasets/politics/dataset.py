"""Politics: where states stand by their votes in the UN General Assembly, and how far a country's suppliers stand."""

from __future__ import annotations

from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, StageChecks, Table
from dagster_project.datasets.politics import web
from dagster_project.datasets.politics.checks import POLITICS_LANDING
from dagster_project.datasets.politics.figures import POLITICS_FIGURES, POLITICS_TABLES
from dagster_project.datasets.politics.files import FILE_KINDS
from dagster_project.datasets.politics.landing import land
from dagster_project.datasets.politics.mart_checks import POLITICS_MARTS
from dagster_project.datasets.politics.sample import politics_files

POLITICS = Dataset(
    name="politics",
    title="UN General Assembly ideal points",
    description="Estimates (Bailey, Strezhnev and Voeten) of where each state stands by its votes in the UN "
    "General Assembly, archived as received: one number per state and session. The farther two points are apart, the "
    "more differently the states vote.",
    setting="politics_source",
    sources=(
        Sample(politics_files),
        DropFolder("files", FILE_KINDS),
        LiveService(
            "web",
            fetch=web.fetch,
            probes=web.probes,
            changed=web.changed,
            look_every=7 * 24 * 3600,
            schedule="monthly_politics",
            cron="15 7 5 * *",
            why="Politics: on the fifth of the month; the authors publish estimates about once a year.",
            stale=(60, 120),
        ),
    ),
    tables=(
        Table("ideal_points", "One row per state and session with a point.", "politics/ideal_points.parquet"),
        Table(
            "politics_rule_counts",
            "One row per (source, rule): rows read, landed, set aside by rule, quarantined by reason.",
            "politics_rule_counts.parquet",
        ),
        Table(
            "quarantine_politics",
            "Rows of ideal-point files that could not be used, with the reason and where they came from.",
            "quarantine/politics/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", POLITICS_LANDING), StageChecks("marts", POLITICS_MARTS)),
    figures=POLITICS_FIGURES,
    figures_with={"chains": POLITICS_TABLES},
    after=("reference", "trade"),
)
