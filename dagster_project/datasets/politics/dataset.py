"""What the pipeline knows of UN General Assembly ideal points."""

from __future__ import annotations

from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, StageChecks, Table
from dagster_project.datasets.politics import web
from dagster_project.datasets.politics.checks import POLITICS_LANDING
from dagster_project.datasets.politics.files import FILE_KINDS
from dagster_project.datasets.politics.landing import land
from dagster_project.datasets.politics.sample import politics_files

POLITICS = Dataset(
    name="politics",
    title="UN General Assembly ideal points",
    description="Estimates of where each state stands, from its votes in the United Nations General Assembly: one "
    "number per state and session (Bailey, Strezhnev and Voeten). The distance between two states' points measures how "
    "differently they vote.",
    setting="politics_source",
    sources=(
        Sample(politics_files),
        DropFolder("files", FILE_KINDS),
        LiveService(
            "web",
            fetch=web.fetch,
            changed=web.changed,
            look_every=7 * 24 * 3600,
            schedule="monthly_politics",
            cron="15 7 5 * *",
            why="The authors publish estimates about once a year, after a session.",
            stale=(60, 120),
        ),
    ),
    tables=(
        Table("ideal_points", "One row per state and session with a point.", "politics/ideal_points.parquet"),
        Table(
            "politics_rule_counts",
            "Rows read, landed, set aside by a rule and quarantined, per source.",
            "politics_rule_counts.parquet",
        ),
        Table(
            "quarantine_politics",
            "Rows that could not be used, with the reason and their place in the archived file.",
            "quarantine/politics/*.parquet",
        ),
    ),
    land=land,
    checks=(StageChecks("landing", POLITICS_LANDING),),
)
