"""Stand-ins for what dbt gives the project's SQL, so that sqlfluff reads it without dbt and without a warehouse.

sqlfluff has its own for ref, source and the like; pyproject.toml points it here for the rest. What they return has the
form of the SQL that dbt would put there, not its meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class adapter:
    """A dispatched macro becomes a function of the same name, or the query that it stands for."""

    @staticmethod
    def quote(name: str) -> str:
        return f'"{name}"'

    @staticmethod
    def dispatch(name: str, package: str) -> Callable[..., str]:
        if name == "benchmark_parts":
            return lambda relation, formulas: (
                f"select benchmark_id, year, numerator, denominator, computed_text from {relation}"
            )
        return lambda *arguments: f"{name}({arguments[0]})"


class dbt:
    """The cross-database macros that the models use."""

    @staticmethod
    def dateadd(unit: str, n: int, date: str) -> str:
        return f"{date} + interval {n} {unit}"

    @staticmethod
    def datediff(first: str, second: str, unit: str) -> str:
        return f"date_diff('{unit}', {first}, {second})"

    @staticmethod
    def date_trunc(unit: str, date: str) -> str:
        return f"date_trunc('{unit}', {date})"

    @staticmethod
    def listagg(expression: str, separator: str, order: str) -> str:
        return f"string_agg({expression}, {separator} {order})"


class model:
    """The model in hand; of its columns, any will do."""

    resource_type = "model"

    class columns:
        """What its YAML says of them."""

        @staticmethod
        def values() -> list[dict[str, str]]:
            return [{"name": "year", "data_type": "integer"}]


# Vars that are no number.
_VARS = {
    "product_scope": "bec4_intermediate",
    "centrality_years": [2017, 2018],
    "relocation_pairs": [[156, 704]],
    "relocation_thirds": [842],
    "shock_exporters": [156],
    "scenarios": [],
    "us_consumption": [],
    "consumption_from_tables": True,
    "paradox_countries": ["CHN"],
}


def var(name: str, default: Any = 1) -> Any:
    """A value that the macros accept."""
    return _VARS.get(name, default)
