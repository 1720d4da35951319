"""Is the data plausible? Great Expectations suites per stage, and the one factory that makes them Dagster asset checks.

What belongs here: ranges, reference sets, totals that must agree, coverage and drift against the last release.
Not here: structure and formulas (dbt holds those) and bytes (the archive holds those). Importing this package imports
no Great Expectations: that takes seconds, and only a check that runs pays for it.

- `declarations`: what a check is, as plain data.
- `accounting`: the checks that every landing shares; the others stand beside their datasets.
- `benchmarks`: the checks of the published figures.
- `views`: what a stage's checks look at (landing Parquet, the warehouse read-only, the previous release).
- `engine`: runs declarations through Great Expectations inside DuckDB.
- `factory`: one `multi_asset_check` per stage.
"""
