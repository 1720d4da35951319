"""The queries of docs/questions.md and the answers below them, which a release gives.

    python -m tests.helpers.question_page demo/published/current/chokepoint.duckdb

writes the page anew with the answers of that file. Not here: the questions, which stand in the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.places import CHECKOUT

PAGE = CHECKOUT / "docs" / "questions.md"
# A query, and the table below it where there is one.
_QUERY = re.compile(r"(```sql\n([^`]*)```\n)\n?((?:\|.*\n)*)")


def answered(text: str, database: Path) -> str:
    """The page's text with the answers that the file gives today."""
    with duckdb.connect(str(database), read_only=True) as connection:

        def with_answer(found: re.Match[str]) -> str:
            answer = connection.execute(found[2])
            return f"{found[1]}\n{_table([column[0] for column in answer.description], answer.fetchall())}\n"

        return _QUERY.sub(with_answer, text)


def queries(text: str) -> list[str]:
    """The page's queries, in order."""
    return [found[2] for found in _QUERY.finditer(text)]


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("| --- ", "|---").replace("|--- |", "|---|") for line in lines)


def _cell(value: Any) -> str:
    """A whole number without a point, true and false as SQL writes them, and what is not there as nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    PAGE.write_text(answered(PAGE.read_text(encoding="utf-8"), Path(sys.argv[1])), encoding="utf-8")
