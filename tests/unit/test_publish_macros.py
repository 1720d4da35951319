"""The macros of the published DuckDB file, on marts small enough to be reckoned by hand.

Germany buys batteries of Korea (60) and of ten others (4 each, which is 40): Korea and nine of them by name, one in the
row of all others. China sells 100 to Japan, and may be that one. What the sample's answers are: tests/pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from dagster_project.publish.macros import MACROS, Macro
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.read import open_release
from dagster_project.publish.release import publish
from tests.helpers.publish_helpers import make_context

SMALL = f"(values {', '.join(str((code, 3 * letter)) for code, letter in enumerate('ABCDEFGHI', 1))})"
SUPPLIER = """
    2019 as year, {importer}, 'Germany' as importer_name, '850760' as hs6, {supplier}, null as supplier_name,
    {usd}::double as value_usd, {usd} / 100 as share, {place} as supplier_rank, {n} as n_suppliers,
    {usd} / 200 as world_export_share, null::bigint as world_export_rank, 0.0::double as exports_to_others_usd,
    false as supplies_others, 0.0::double as outside_share
"""
GERMANY = "276 as importer_code, 'DEU' as importer_iso3"


def _supplier(supplier: str, usd: str, place: str, n: int = 1, importer: str = GERMANY) -> str:
    return SUPPLIER.format(importer=importer, supplier=supplier, usd=usd, place=place, n=n)


MARTS = {
    "import_suppliers": f"""
        select {_supplier("410 as supplier_code, 'KOR' as supplier_iso3", "60", "1")}
        union all
        select {_supplier("code as supplier_code, iso3 as supplier_iso3", "4", "code + 1")}
        from {SMALL} as small (code, iso3)
        union all
        select {_supplier("0 as supplier_code, null as supplier_iso3", "4", "11")}
        union all
        select {_supplier("156 as supplier_code, 'CHN' as supplier_iso3", "100", "1",
                          importer="392 as importer_code, 'JPN' as importer_iso3")}
    """,
    "import_vulnerability": """
        select 2019 as year, 276 as importer_code, 'DEU' as importer_iso3, hs6, 'name of ' || hs6 as hs6_name,
            hs6 <> '870321' as in_scope,
            1 as category, index as vulnerability_index, usd as import_value_usd, 11 as n_suppliers,
            0.4e0 as import_hhi, 'KOR' as top_supplier_iso3, 'Korea' as top_supplier_name, 0.6e0 as top_supplier_share,
            false as eu_dependent
        from (values ('850760', 0.5e0, 100e0), ('854231', 0.5e0, 300e0), ('854232', null, 900e0),
            ('850720', 0.9e0, 1e0), ('870321', 0.99e0, 7e0)) as goods (hs6, index, usd)
    """,
    "export_price_index": f"""
        select 2019 as year, code as exporter_code, iso3 as exporter_iso3, iso3 as exporter_name,
            'hs6' as product_level,
            '850760' as product_code, 'Batteries' as product_name, 'baseline' as basis,
            usd::double as value_usd,
            0.9e0 as fisher, 2018 as chain_start_year, 0.9e0 as chain_fisher, 0.9e0 as chain_tornqvist,
            1e0 as relative_level, 0.7e0 as link_coverage, 'good' as quality
        from (select code, iso3, 4 as usd from {SMALL} as small (code, iso3)
            union all
            select * from (values (410, 'KOR', 60), (156, 'CHN', 100), (10, 'JJJ', 4), (276, 'DEU', 50)) as more)
    """,
    "political_exposure": """
        select 2019 as year, unnest([276, 410, 156]) as importer_code, unnest([1.5e0, 1.0e0, -1.0e0]) as ideal_point
    """,
}  # fmt: skip


def make_release(root: Path, marts: list[str]) -> Path:
    """Publish these marts; returns the DuckDB file."""
    warehouse = root / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name in marts:
            connection.execute(f"create table marts.{name} as {MARTS[name]}")
    specs = [MartSpec(name, ("year",), "Grain.", {}, year_column="year") for name in marts]
    publish(warehouse, root / "published", specs, make_context(), retain=3)
    return root / "published" / "current" / "chokepoint.duckdb"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("macros"), list(MARTS))


@contextmanager
def opened(database: Path, *statements: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file as the main database; with statements, attached as x in a session that then runs them."""
    with duckdb.connect() if statements else duckdb.connect(str(database), read_only=True) as connection:
        if statements:
            connection.execute(f"attach '{database}' as x (read_only)")
        for statement in statements:
            connection.execute(statement)
        yield connection


OPENED = ([], ["use x"], ["set search_path = 'memory.main,x.marts'"])


@pytest.mark.parametrize("statements", OPENED, ids=["opened", "used", "on the search path"])
@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_it_answers_whatever_the_file_is_called(database: Path, macro: Macro, statements: list[str]) -> None:
    with opened(database, *statements) as connection:
        answer = connection.execute(macro.example)
        assert [column[0] for column in answer.description] == list(macro.columns), "the documentation names others"
        assert answer.fetchall() or "'8542'" in macro.example


def test_exposed_goods_of_the_scope_by_index_then_value(database: Path) -> None:
    with opened(database) as connection:
        found = connection.execute("select place, hs6, hs6_name from marts.top_exposed('DEU', 2019)").fetchall()
    assert [hs6 for _, hs6, _ in found] == ["850720", "854231", "850760", "854232"]
    assert found[0] == (1, "850720", "name of 850720")


def test_suppliers_with_their_distance(database: Path) -> None:
    """Germany stands at 1.5, Korea at 1.0; the others have no point."""
    query = "select supplier_iso3, value_usd, political_distance from marts.suppliers('DEU', '850760', 2019)"
    with opened(database) as connection:
        found = connection.execute(query).fetchall()
    assert found[0] == ("KOR", 60.0, 0.5) and found[-1] == (None, 4.0, None) and len(found) == 11


def test_alternatives_are_the_exporters_that_have_no_row(database: Path) -> None:
    """The world sells 250, of which Germany buys 100: China's 100 are two thirds of the rest, at most.

    China, JJJ: one of them may be the eleventh supplier, with 4. Germany itself (50) is none.
    """
    query = """
        select exporter_iso3, world_exports_usd, world_export_rank, outside_share, may_supply, may_supply_usd,
            political_distance
        from marts.alternatives('DEU', '850760', 2019)
    """
    with opened(database) as connection:
        found = connection.execute(query).fetchall()
    assert found == [("CHN", 100.0, 1, 100 / 150, True, 4.0, 2.5), ("JJJ", 4.0, 4, 4 / 150, True, 4.0, None)]


def test_losses_and_how_much_of_the_exports_they_are(database: Path) -> None:
    """Korea sells 60 of batteries, all to Germany, which buys 101 of codes that begin with 8507."""
    query = "select importer_iso3, n_goods, n_goods_half, loss_usd, loss_share, covered_share from marts.supply_loss"
    with opened(database) as connection:
        assert connection.execute(f"{query}('KOR', '8507', 2019)").fetchall() == [("DEU", 1, 1, 60.0, 60 / 101, 1.0)]
        assert connection.execute(f"{query}('AAA', '', 2019)").fetchall() == [("DEU", 1, 0, 4.0, 4 / 1308, 1.0)]
        assert connection.execute(f"{query}('KOR', '8542', 2019)").fetchall() == []


def test_a_country_a_good_or_a_year_that_is_not_there_gives_no_row(database: Path) -> None:
    with opened(database) as connection:
        for call in ("top_exposed('XXX', 2019)", "suppliers('DEU', '850760', 1999)", "alternatives('DEU', '1', 2019)"):
            assert connection.execute(f"from marts.{call}").fetchall() == []


def macros_in(database: Path) -> set[str]:
    with opened(database) as connection:
        query = "select distinct function_name from duckdb_functions() where schema_name = 'marts'"
        return {name for (name,) in connection.execute(query).fetchall()}


def test_a_macro_is_there_where_its_marts_are(tmp_path: Path) -> None:
    """The second file grows from the first one, in which all were there."""
    assert macros_in(make_release(tmp_path, list(MARTS))) == {macro.name for macro in MACROS}
    database = make_release(tmp_path, ["import_suppliers", "export_price_index"])
    assert macros_in(database) == {"suppliers", "alternatives", "price_trend"}
    with opened(database) as connection:
        for name in ("suppliers", "alternatives"):
            distances = f"select political_distance from marts.{name}('DEU', '850760', 2019)"
            assert set(connection.execute(distances).fetchall()) == {(None,)}


def test_a_macro_whose_column_is_missing_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(MARTS, "import_vulnerability", "select 2019 as year")
    database = make_release(tmp_path, list(MARTS))
    with opened(database) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("from marts.top_exposed('DEU', 2019)")
    assert "without the macro top_exposed" in caplog.text


def test_the_manifest_knows_no_macro(database: Path) -> None:
    with open_release(database.parents[1]) as release:
        assert set(release.manifest["marts"]) == set(MARTS)
