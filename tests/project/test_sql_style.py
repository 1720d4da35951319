"""Lines of SQL are as short as those of Python and YAML, and have no trailing space.

sqlfluff (`make lint`) cannot measure them: it reads what Jinja makes of a file, and of a macro, a comment or an
expression over several lines it measures the first line only.
"""

from __future__ import annotations

from dagster_project.dbt_project import DBT_DIR, TARGET

LONGEST = 120


def test_lines_are_short_and_have_no_trailing_space() -> None:
    found = [
        f"{path.relative_to(DBT_DIR)}:{number}"
        for path in sorted(DBT_DIR.rglob("*.sql"))
        if TARGET not in path.parents
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST or line != line.rstrip()
    ]
    assert not found
