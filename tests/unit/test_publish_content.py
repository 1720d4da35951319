"""The content hash: what it must not notice (order, layout, column order) and what it must (everything else)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.publish.content import EMPTY, ContentHash, columns_of, combined, hash_content

ROWS = """(values (2017, '010121', 1.5, true), (2017, '854231', 0.1, false), (2018, '270900', null, true))
    as t(year, hs6, value_usd, is_mirror)"""


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def content_of(con: duckdb.DuckDBPyConnection, relation: str) -> ContentHash:
    return combined(hash_content(con, relation, columns_of(con, relation)))


def test_order_of_rows_and_of_columns_do_not_matter(con):
    expected = content_of(con, ROWS)
    assert content_of(con, f"(select * from {ROWS} order by value_usd desc)") == expected
    assert content_of(con, f"(select is_mirror, hs6, value_usd, year from {ROWS})") == expected


def test_storage_does_not_matter(con, tmp_path: Path):
    con.execute(
        "create table t as select i % 3 + 2017 as year, lpad((i % 50)::varchar, 6, '0') as hs6, i / 7 as value_usd, "
        "case when i % 4 > 0 then 'a longer text than fits inline ' || i % 9 end as text from range(20000) r(i)"
    )
    expected = content_of(con, "t")
    for name, options in {
        "zstd": "compression zstd, row_group_size 2048",
        "plain": "compression uncompressed, parquet_version v2",
    }.items():
        con.execute(
            f"copy (select * from t order by hash(value_usd)) to '{tmp_path / name}' (format parquet, {options})"
        )
        assert content_of(con, f"read_parquet('{tmp_path / name}')") == expected
    con.execute(f"attach '{tmp_path / 'other.duckdb'}' as other (storage_version 'v1.0.0')")
    con.execute("create table other.t as from t; checkpoint other")
    assert content_of(con, "other.t") == expected


@pytest.mark.parametrize(
    "changed",
    [
        f"(select * replace (value_usd + 1e-9 as value_usd) from {ROWS})",
        f"(select * replace (coalesce(value_usd, 0) as value_usd) from {ROWS})",
        f"(select * replace (year <> 2017 as is_mirror) from {ROWS})",
        f"(select * replace (ltrim(hs6, '0') as hs6) from {ROWS})",
        f"(select * replace (case hs6 when '010121' then 0.1 when '854231' then 1.5 end as value_usd) from {ROWS})",
        f"(select * replace (year::bigint as year) from {ROWS})",
        f"(select * rename (value_usd as value_eur) from {ROWS})",
        f"(select *, 1 as more from {ROWS})",
        f"(select * from {ROWS} where year = 2017)",
        f"(from {ROWS} union all from {ROWS})",
        f"(from {ROWS} union all select * from {ROWS} where year = 2018)",
    ],
)
def test_any_other_change_shows(con, changed):
    assert content_of(con, changed) != content_of(con, ROWS)


def test_two_added_copies_of_a_row_show(con):
    """A sum of hashes must not lose pairs, as an exclusive-or would."""
    more = f"select * from {ROWS} where year = 2018"
    assert content_of(con, f"(from {ROWS} union all {more} union all {more})") != content_of(con, ROWS)


def test_years_add_up_to_the_whole(con):
    parts = hash_content(con, ROWS, columns_of(con, ROWS), "year")
    assert {year: part.rows for year, part in parts.items()} == {2017: 2, 2018: 1}
    assert parts[2017] + parts[2018] == combined(parts) == content_of(con, ROWS)
    one_year = f"(select * from {ROWS} where year = 2017)"
    assert content_of(con, one_year) == parts[2017]


def test_an_empty_table_has_the_empty_hash(con):
    nothing = f"(select * from {ROWS} where false)"
    assert content_of(con, nothing) == EMPTY
    assert hash_content(con, nothing, columns_of(con, nothing), "year") == {}


def test_text_form_is_reversible(con):
    content = content_of(con, ROWS)
    assert ContentHash.parse(str(content)) == content
    assert str(content).startswith("3-")


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.one_of(st.none(), st.text(max_size=20)), st.floats(allow_nan=True)), max_size=30
    ),
    seed=st.randoms(use_true_random=False),
)
def test_any_split_adds_up_in_any_order(rows, seed):
    with duckdb.connect() as con:
        shuffled = list(rows)
        seed.shuffle(shuffled)
        for table, content in (("a", rows), ("b", shuffled)):
            con.execute(f"create or replace table {table} (k integer, t varchar, v double)")
            if content:
                con.executemany(f"insert into {table} values (?, ?, ?)", [list(row) for row in content])
        whole = content_of(con, "a")
        assert whole == combined(hash_content(con, "b", columns_of(con, "b"), "k"))
        assert whole.rows == len(rows)
