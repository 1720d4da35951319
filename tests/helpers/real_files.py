"""Where tests look for real files: beside the checkout, since their terms forbid redistribution. Absent: they skip."""

from __future__ import annotations

from dagster_project.places import CHECKOUT

DROP = CHECKOUT.parent / "shared" / "data" / "drop"
CASES = DROP.parent / "cases"  # small invented inputs of real kinds
