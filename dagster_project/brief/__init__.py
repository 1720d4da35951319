"""The brief: one self-contained page about a release, for an analyst.

`data` asks a `Release`, `figures` describes charts (Altair), `page` puts both into HTML. Not here: the warehouse,
Dagster, dbt and Great Expectations.
"""

from dagster_project.brief.page import BriefOptions, render_brief, write_brief

__all__ = ["BriefOptions", "render_brief", "write_brief"]
