"""Where tests look for real files: beside the checkout, since their terms forbid redistribution. Absent: they skip."""

from __future__ import annotations

from dagster_project.settings import PROJECT_ROOT

DROP = PROJECT_ROOT.parent / "shared" / "data" / "drop"
