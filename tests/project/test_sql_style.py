"""dbt's SQL: its lines are as short as those of Python and YAML, and it means the same on DuckDB and Spark.

sqlfluff (`make lint`) cannot measure lines: it reads what Jinja makes of a file, and of a macro, a comment or an
expression over several lines it measures the first line only. Nor does it know a second engine: the rules for that are
in `portable_sql`, and each is shown here a line that it must find and one that it must pass.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.dbt_project import TARGET
from dagster_project.places import DBT_PROJECT, PACKAGE
from tests.project.portable_sql import double_columns, findings, one_engine, sql_in_yaml

LONGEST = 120
# Here an engine's own SQL belongs: dbt chooses the version of the engine it runs on.
OF_ONE_ENGINE = [DBT_PROJECT / "macros" / "dialect", DBT_PROJECT / "macros" / "materializations"]
DOUBLES = frozenset({"export_value_usd", "import_hhi", "weight"})


def _files(suffix: str) -> list[Path]:
    return [path for path in sorted(DBT_PROJECT.rglob(f"*{suffix}")) if DBT_PROJECT / TARGET not in path.parents]


def _yaml_beside_sql() -> dict[Path, Any]:
    """dbt's own settings, which lie above, are not among them."""
    paths = [path for path in _files(".yml") if path.parent != DBT_PROJECT]
    return {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


def test_lines_are_short_and_have_no_trailing_space() -> None:
    found = [
        f"{path.relative_to(DBT_PROJECT)}:{number}"
        for path in _files(".sql")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST or line != line.rstrip()
    ]
    assert not found


def test_models_and_macros_run_on_every_engine() -> None:
    doubles = double_columns(list(_yaml_beside_sql().values()))
    assert "import_hhi" in doubles
    found = [
        f"{path.relative_to(DBT_PROJECT)}:{line}: {what}"
        for path in _files(".sql")
        if not any(folder in path.parents for folder in OF_ONE_ENGINE)
        for line, what in findings(path.read_text(encoding="utf-8"), doubles)
    ]
    assert not found, "\n".join(found)


def test_no_aggregate_runs_over_all_rows_of_a_query() -> None:
    """`sum(x) over ()`: of few rows, DuckDB 1.5.5 with several threads now and then dies in it, and its database too.

    A scalar subquery gives the same. The numbers of rows (`row_number() over ()`) are made otherwise.
    """
    window = re.compile(r"(row_number\(\) )?\bover \(\s*\)")
    found = [
        f"{path}: {' '.join(text[max(0, match.start() - 60) : match.end()].split())}"
        for path in [*sorted(PACKAGE.rglob("*.py")), *_files(".sql")]
        for text in [path.read_text(encoding="utf-8")]
        for match in window.finditer(text)
        if not match[1]
    ]
    assert not found, "\n".join(found)


def test_types_and_sql_in_yaml_are_of_no_single_engine() -> None:
    found = [
        f"{path.relative_to(DBT_PROJECT)}: {what}"
        for path, document in _yaml_beside_sql().items()
        for text in sql_in_yaml(document)
        for _, what in one_engine(text)
    ]
    assert not found, "\n".join(found)


def test_versions_for_one_engine_are_in_their_folder_and_have_a_counterpart() -> None:
    """Every `duckdb__` macro has a `default__` one beside it, so that another engine does not stop at it."""
    texts = {path: path.read_text(encoding="utf-8") for path in _files(".sql")}
    for path, text in texts.items():
        names = [line.split("duckdb__")[1].split("(")[0] for line in text.splitlines() if "macro duckdb__" in line]
        assert not names or OF_ONE_ENGINE[0] in path.parents, path
        for name in names:
            assert f"macro default__{name}(" in text, f"{path}: {name} has no version for the other engines"


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("cast(x as varchar)", "cast(x as string)"),
        ("cast(x as hugeint)", "cast(x as bigint)"),
        ("list(x)", "max(x)"),
        ("row(x, y)", "row_number() over (order by x nulls last)"),
        ("count(*) filter (where x)", "count(case when x then 1 end)"),
        ("select x, count(*) from t group by all", "select x, count(*) from t group by x"),
        ("select * exclude (x) from t", "select y from t"),
        ("select * except (x) from t", "select y from t"),
        ("arg_max(x, y)", "{{ code_of_largest('x', 'y') }}"),
        ("max_by(x, struct(y))", "{{ code_of_largest('x', 'y') }}"),
        ("d + to_years(5)", "{{ add_years('d', 5) }}"),
        ("d + interval 1 day", "{{ dbt.dateadd('day', 1, 'd') }}"),
        ("select * from read_parquet('x')", "select * from {{ source('landing', 'x') }}"),
        ("string_agg(x, ', ')", "{{ dbt.listagg('x', \"', '\", 'order by x nulls last') }}"),
        ("listagg(x, ', ')", "{{ dbt.listagg('x', \"', '\") }}"),
        ("strptime(x, '%Y')", "x"),
        ("regexp_matches(x, 'a')", "x like 'a%'"),
        ("trunc(x)", "floor(x)"),
        ("select * from a semi join b using (x)", "select a.* from a inner join b on a.x = b.x"),
        ("select 1 union all by name select 2", "select 1 union all select 2"),
        ("x::double", "cast(x as double)"),
        ("a // b", "floor(a / b)"),
        ("a ** 2", "a * a"),
        ("`a`", "a"),
        ("x[1:3]", "substr(x, 1, 3)"),
        ("sum(x) * 1024BD", "sum(x) * 1024"),
        ("rank() over (order by x nulls last)", "cast(rank() over (order by x nulls last) as bigint)"),
        (
            "cast(x as bigint), rank() over (order by x nulls last)",
            "cast(rank() over (order by x nulls last) as bigint)",
        ),
        ("round(x, 12)", "round(x)"),
        ("round(greatest(x, y), 2)", "round(greatest(x, y))"),
        # Nulls have a place.
        ("max(x) over (order by y)", "max(x) over (order by y nulls first)"),
        ("max(x) over (order by y nulls last, z desc)", "max(x) over (order by y nulls last, z desc nulls last)"),
        ("select x from t order by x limit 3", "select x from t order by x nulls last limit 3"),
        ("{{ dbt.listagg('x', \"', '\", 'order by x') }}", "percentile_cont(0.5) within group (order by x)"),
        # Numbers are rounded before they are ranked or compared.
        (
            "cume_dist() over (order by import_hhi nulls last)",
            "cume_dist() over (order by {{ comparable('import_hhi') }} nulls last)",
        ),
        (
            "percentile_cont(0.75) within group (order by t.import_hhi)",
            "percentile_cont(0.75) within group (order by t.compared_hhi)",
        ),
        (
            "select a / b as part, row_number() over (order by part desc nulls last)",
            "select count(a / b) as part, row_number() over (order by part desc nulls last)",
        ),
        (
            "select t.weight as w, row_number() over (order by w desc nulls last)",
            "select {{ comparable('t.weight') }} as w, row_number() over (order by w desc nulls last)",
        ),
        ("import_hhi > 0.4", "{{ comparable('import_hhi') }} > 0.4"),
        ("0.4 <= t.import_hhi", "0.4 <= {{ comparable('t.import_hhi') }}"),
        ("weight between 0 and 0.5", "{{ comparable('weight') }} between 0 and 0.5"),
        ("sqrt(import_hhi) >= p75", "import_hhi > 0"),
        ("abs(weight - 1) <= limits.tolerance", "abs(weight - 1) <= limits.tolerance + 0.000000001"),
    ],
)
def test_each_rule_finds_a_bad_line_and_passes_a_good_one(bad: str, good: str) -> None:
    assert findings(bad, DOUBLES)
    assert not findings(good, DOUBLES)


def test_a_finding_names_the_line_and_what_to_write() -> None:
    text = "-- varchar\n{# x::y #}\nselect\n    cast(x as varchar)"
    assert findings(text, DOUBLES) == [(4, "found varchar; write string")]


def test_a_column_of_doubles_is_known_from_its_yaml() -> None:
    """A seed says its types under `config`, a model at the column."""
    document = {
        "models": [
            {"columns": [{"name": "a", "data_type": "double"}, {"name": "b", "data_type": "bigint"}, {"name": "c"}]}
        ],
        "seeds": [{"config": {"column_types": {"d": "double", "e": "string"}}, "columns": [{"name": "d"}]}],
    }
    assert double_columns([document]) == {"a", "d"}


def test_meta_is_duckdbs_and_the_rest_of_a_yaml_file_is_read() -> None:
    document = {
        "meta": {"picture": {"query": "select x::varchar"}},
        "columns": [{"name": "list(", "description": "varchar", "data_type": "varchar"}],
        "unit_tests": [{"expect": {"rows": "select 1::double"}}],
    }
    assert list(sql_in_yaml(document)) == ["varchar", "select 1::double"]
