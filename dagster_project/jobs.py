"""The jobs: what a person or a schedule starts. Not here: what the assets do."""

from __future__ import annotations

import dagster as dg

from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import DATASETS

REFRESH, FULL_REFRESH = "refresh", "full_refresh"


def models_op(each: Dataset) -> str:
    """The op that computes a dataset's models."""
    return f"{each.name}_models"


def news_sensor(each: Dataset) -> str:
    """The sensor that looks for news of a dataset's live source."""
    return f"{each.name}_news"


def jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """The main job, and the same with a full refresh."""
    return [
        dg.define_asset_job(
            REFRESH,
            selection=dg.AssetSelection.all(),
            description="From the sources to a published release, for the years chosen. A backfill of several years "
            "is one run and costs one dbt run.",
        ),
        dg.define_asset_job(
            FULL_REFRESH,
            selection=dg.AssetSelection.all(),
            description="The same, recomputing every landed year from scratch.",
            config={"ops": {models_op(each): {"config": {"full_refresh": True}} for each in DATASETS if each.yearly}},
        ),
    ]
