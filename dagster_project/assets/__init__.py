"""What the Dagster graph shows: raw payloads, landing tables, dbt models, the release.

Each module has a function of the settings that returns assets. These modules have no
`from __future__ import annotations`, because Dagster reads the annotations of the functions it is given. Not here: the
work itself, which `planning`, the datasets, dbt and `publish` do.
"""
