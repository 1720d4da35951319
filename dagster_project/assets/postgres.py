"""The optional asset that loads the current release into PostgreSQL. Not here: how (see `publish.postgres`)."""

from typing import Any

import dagster as dg

from dagster_project.assets.common import ANNUAL, OWNERS, markdown_table, user_errors
from dagster_project.publish.postgres import load
from dagster_project.publish.read import open_release
from dagster_project.settings import Settings


def postgres_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset where CHOKEPOINT_POSTGRES_URL is set, none otherwise."""
    address = settings.postgres_url
    if address is None:
        return []

    @dg.asset(
        key="postgres",
        group_name="release",
        description=f"The current release in PostgreSQL, schema {settings.postgres_schema}: loaded in one transaction "
        "and swapped in at its end, with types, keys and descriptions. Can be materialised alone.",
        owners=OWNERS,
        kinds={"postgres"},
        freshness_policy=ANNUAL,
        deps=["release"],
    )
    def postgres() -> dg.MaterializeResult[Any]:
        with user_errors(), open_release(settings.published_dir, resources=settings.resources) as release:
            loaded = load(release, address.reveal(), settings.postgres_schema)
        rows = [{"mart": mart, "rows": count} for mart, count in loaded.rows.items()]
        return dg.MaterializeResult(
            metadata={
                "release_id": loaded.release_id,
                "schema": loaded.schema,
                "new": loaded.new,
                "seconds": round(loaded.seconds, 1),
                "dagster/row_count": sum(loaded.rows.values()),
                "marts": markdown_table(rows),
            }
        )

    return [postgres]
