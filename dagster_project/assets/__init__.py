"""What the Dagster graph shows: raw payloads, landing tables, dbt models, the release.

Each module is a function of the settings that returns assets. They do without `from __future__ import annotations`,
because Dagster looks at the annotations of the functions it is given. The work itself is done by `intake`,
`landing`, dbt and `publish`; here is only how it appears in Dagster.
"""
