"""Python models by year (materialization `yearly_python`): what a run that fails, an empty or a vanished year leave.

Not here: that single years are replaced, which `test_dbt_models` shows for every mart.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dagster_project.datasets.trade import network
from tests.helpers import dbt_command
from tests.helpers.tiny_landing import World, random_world, write_landing

YEARS = (2017, 2018)
BEHIND = "+int_product_network"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A warehouse in which the networks of two years were built. Every test leaves both years in it."""
    root, world = tmp_path_factory.mktemp("built"), random_world(2, YEARS)
    write_landing(root / "landing", world)
    dbt_command.dbt(root, "run", "--select", BEHIND)
    return root, world


def rows(root: Path) -> dict[int, list[tuple[object, ...]]]:
    """The rows of the model by year; and nothing is left beside it."""
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        query = "select table_name from duckdb_tables() where table_name like '%network%'"
        assert connection.execute(query).fetchall() == [("int_product_network",)]
        found = connection.execute("select * from intermediate.int_product_network order by all").fetchall()
    return {year: [row for row in found if row[0] == year] for year in sorted({row[0] for row in found})}


@pytest.mark.parametrize("options", [("--full-refresh",), ()], ids=["all years anew", "single years"])
def test_a_run_that_fails_leaves_the_table_as_it_was(
    built: tuple[Path, World], options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first year is computed, and wrong; the second fails."""
    root, _ = built
    before, whole = rows(root), network.networks

    def failing(year: int, *flows: object) -> pa.Table:
        if year == 2018:
            raise MemoryError("in the second year")
        return whole(year, *flows)[:1]

    monkeypatch.setattr(network, "networks", failing)
    years = "" if options else "2017,2018"
    done = dbt_command.dbt(root, "run", "--select", "int_product_network", *options, years=years, check=False)
    assert not done.success and "in the second year" in done.output
    assert list(before) == list(YEARS) and rows(root) == before


def test_a_year_that_became_empty_is_emptied_and_comes_back(built: tuple[Path, World]) -> None:
    root, world = built
    before = rows(root)
    write_landing(root / "landing", replace(world, flows=[each for each in world.flows if each.year == 2017]))
    (root / "landing" / "trade_flows" / "year=2018" / "part-0.parquet").unlink()
    dbt_command.dbt(root, "run", "--select", BEHIND, years="2018")
    assert rows(root) == {2017: before[2017]}
    write_landing(root / "landing", world)
    dbt_command.dbt(root, "run", "--select", BEHIND, years="2018")
    assert rows(root) == before


def test_a_year_no_longer_landed_leaves_with_the_next_full_run(built: tuple[Path, World]) -> None:
    root, _ = built
    before = rows(root)
    reporters = root / "landing" / "trade_reporters" / "year=2018" / "part-0.parquet"
    content = reporters.read_bytes()
    reporters.unlink()
    dbt_command.dbt(root, "run", "--select", BEHIND, "--full-refresh")
    assert rows(root) == {2017: before[2017]}
    reporters.write_bytes(content)
    dbt_command.dbt(root, "run", "--select", BEHIND, "--full-refresh")
    assert rows(root) == before


def test_without_a_landed_year_there_is_a_table_without_rows(tmp_path: Path) -> None:
    write_landing(tmp_path / "landing", World())
    (reporters,) = (tmp_path / "landing" / "trade_reporters").glob("year=*/*.parquet")
    assert reporters.exists()
    dbt_command.dbt(tmp_path, "run", "--select", BEHIND)
    assert rows(tmp_path) == {}
