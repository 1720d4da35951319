"""The brief: one self-contained page about a release, for an analyst.

`data` asks a `Release`, `figures` describes charts (Altair), `page` puts both into HTML. Nothing here opens the
warehouse or imports Dagster, dbt or Great Expectations.
"""

from dagster_project.brief.page import BriefOptions, render_brief, write_brief

__all__ = ["BriefOptions", "render_brief", "write_brief"]
