"""The check of category_transitions: the categories of some importers' goods told once more, year after year.

Not here: the categories (see `recomputed`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check
from dagster_project.checks.recomputed import equals, sampled

IMPORTERS = 10

# Each year is held against the latest one before it, which is looked up; the mart walks along the years.
_TRANSITIONS = """
    with goods as (
        select importer_code, hs6, year, category from all_years.import_vulnerability
            semi join importers_of_transitions using (importer_code)
        where category is not null
    ),
    pairs as (
        select later.*, earlier.category as before
        from goods as later asof left join goods as earlier
            on earlier.importer_code = later.importer_code and earlier.hs6 = later.hs6 and earlier.year < later.year
    )
    select importer_code, hs6, count(*) as n_years, min(year) as first_year, max(year) as last_year,
        array_to_string(list_sort(list(year || ':' || category)), ', ') as categories,
        count(*) filter (category = 1) as n_years_category1,
        min(year) filter (category = 1) as first_year_category1,
        max(year) filter (category = 1) as last_year_category1,
        count(*) filter (before is not null and before <> category) as n_changes
    from pairs group by all
"""

TRANSITION_PREPARED: Mapping[str, str] = {
    "importers_of_transitions": sampled("all_years.import_vulnerability", "importer_code", IMPORTERS),
}

TRANSITION_CHECKS = (
    Check(
        "recomputed_from_categories",
        "category_transitions",
        "ERROR",
        f"The categories of all goods of {IMPORTERS} importers by year give the mart's lists, years and changes.",
        (
            equals(
                _TRANSITIONS,
                "importer_code, hs6",
                others=(
                    *("categories", "n_years", "first_year", "last_year", "n_years_category1"),
                    *("first_year_category1", "last_year_category1", "n_changes"),
                ),
                sample=("importers_of_transitions", "importer_code"),
            ),
        ),
    ),
)
