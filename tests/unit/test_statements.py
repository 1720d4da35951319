"""Published statements: the rule of each verdict in words, and the page that a release gives."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.cli import main
from dagster_project.publish.release import MartSpec, publish
from dagster_project.statements import published_figures, rule
from tests.helpers.publish_helpers import make_context


@pytest.mark.parametrize(
    ("kind", "tolerance", "value", "said"),
    [
        ("absolute", "0.02", "0.632", "within 0.02 of 0.632"),
        ("relative", "0.05", "3556", "within 5% of 3556"),
        ("exact", "0", "85", "85"),
        ("absolute", "0", "3", "3"),
        ("lower_bound", "0", "0.8", "above 0.8"),
    ],
)
def test_the_rule_of_a_verdict(kind: str, tolerance: str, value: str, said: str) -> None:
    assert rule({"tolerance_kind": kind, "tolerance": tolerance, "published_value": value}) == said


def test_every_statement_is_in_the_seed_once() -> None:
    names = [figure["benchmark_id"] for figure in published_figures()]
    assert len(names) == len(set(names)) > 80


def test_a_release_says_what_its_data_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("""
            create table marts.published_benchmarks as from (values
                (2, 'b', 'K', 'Not loaded', 1.0, 'true', null, null, 0.0, 'exact', 'not computable from these inputs',
                    null, 'm2', 'trade: off.', null),
                (1, 'a', 'XU', 'Goods', 3556.0, '3,556', 3500.0::double, null, 0.05, 'relative', 'reproduced',
                    '2017, 2018', 'm1', 'trade: files.', 'A note.')
            ) as t (place, benchmark_id, source, statement, published_value, published_text, computed_value,
                computed_text, tolerance, tolerance_kind, verdict, years, mart, inputs, note)
        """)
    spec = MartSpec(name="published_benchmarks", key=("benchmark_id",), description="One row per figure.", columns={})
    publish(warehouse, tmp_path / "published", [spec], make_context(), retain=1)
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(tmp_path))
    assert main(["statements"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| Goods | XU | 3,556 | m1 | within 5% of 3556 | 3500 | reproduced (2017, 2018) | trade: files. A note. |",
        "| Not loaded | K | true | m2 | 1 |  | not computable from these inputs | trade: off. |",
    ]
