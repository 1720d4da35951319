"""The explorer over a small release: values by hand, choices and mistakes, and that it follows what is published."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from starlette.applications import Starlette

from dagster_project.brief import scenario as at_the_terminal
from dagster_project.cli import main
from dagster_project.errors import ReleaseError
from dagster_project.explore import charts
from dagster_project.explore.app import application
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Column, Table, money, written
from dagster_project.explore.pages import PAGES
from dagster_project.explore.pages.scenario import Question, losses_by_importer, prepare
from dagster_project.explore.reader import Reader, Releases
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.read import open_release
from dagster_project.publish.release import publish
from tests.helpers.asked import ask
from tests.helpers.publish_helpers import make_context

# China sells chip 854231 to Germany (80) and Japan (20), and 854232, which nobody else sells, to Germany (10). The USA
# sells Germany 50 and Japan 150 of the first; live animals are not in scope. Everything again in 2018, doubled.
FLOWS = """
    select year, e as exporter_code, f as exporter_iso3, g as exporter_name, i as importer_code, j as importer_iso3,
        k as importer_name, hs6, usd * (year - 2016) as value_usd
    from (values (156, 'CHN', 'China', 276, 'DEU', 'Germany', '854231', 80e6),
        (156, 'CHN', 'China', 392, 'JPN', 'Japan', '854231', 20e6),
        (156, 'CHN', 'China', 276, 'DEU', 'Germany', '854232', 10e6),
        (842, 'USA', 'USA <&>', 276, 'DEU', 'Germany', '854231', 50e6),
        (392, 'JPN', 'Japan', 276, 'DEU', 'Germany', '854231', 150e6),
        (156, 'CHN', 'China', 276, 'DEU', 'Germany', '010121', 7e6)
    ) as t (e, f, g, i, j, k, hs6, usd), (values (2017), (2018)) as y (year)"""
TABLES = {
    "trade_flows": FLOWS,
    "bilateral_totals": f"""
        select year, exporter_code, exporter_iso3, exporter_name, importer_code, importer_iso3, importer_name,
            sum(value_usd) as value_usd from ({FLOWS}) group by all""",
    "product_centrality": f"""
        select year, hs6, if(hs6 = '854231', 'Processors; </script><b>', 'Good ' || hs6) as hs6_name,
            hs6 <> '010121' as in_scope, sum(value_usd) as world_exports_usd,
            count(distinct exporter_code) as n_exporters, count(distinct importer_code) as n_importers,
            0.5e0 as export_centrality, 0.5e0 as export_hhi, hs6 = '854232' as high_centrality,
            156 as top_exporter_code, 'CHN' as top_exporter_iso3, 'China' as top_exporter_name,
            0.6e0 as top_exporter_share, 1e0 as top3_exporter_share
        from ({FLOWS}) group by year, hs6""",
    "import_vulnerability": f"""
        select year, importer_code, any_value(importer_iso3) as importer_iso3,
            any_value(importer_name) as importer_name, hs6, hs6[:2] as hs2, hs6 <> '010121' as in_scope,
            sum(value_usd) as import_value_usd, count(*) as n_suppliers, 0.5e0 as import_hhi,
            156 as top_supplier_code, 'CHN' as top_supplier_iso3, 'China' as top_supplier_name,
            0.97e0 as top_supplier_share, if(hs6 = '854232', 1, 4) as category,
            if(hs6 = '854232', 0.9e0, 0.2e0) as vulnerability_index
        from ({FLOWS}) group by year, importer_code, hs6""",
    "vulnerability_summary": """
        select * from (values
            (2017, 276, 'DEU', 'Germany', 1, 1, 0.5e0, 1e7, 0.1e0),
            (2017, 276, 'DEU', 'Germany', 4, 1, 0.5e0, 9e7, 0.9e0),
            (2018, 276, 'DEU', 'Germany', 1, 1, 0.5e0, 2e7, 0.1e0),
            (2018, 276, 'DEU', 'Germany', 4, 1, 0.5e0, 2e8, 0.9e0)
        ) as t (year, importer_code, importer_iso3, importer_name, category, n_goods, goods_share, import_value_usd,
            value_share)""",
    "published_benchmarks": """
        select 'XU-1' as benchmark_id, 'XU' as source, '=cmd()' as statement, 62e0 as published_value,
            60e0 as computed_value, -2e0 as difference, 'differs' as verdict, 'all' as inputs""",
}
FLOW = ("year", "exporter_code", "importer_code", "hs6")
KEYS = {
    "trade_flows": FLOW,
    "bilateral_totals": FLOW[:3],
    "product_centrality": ("year", "hs6"),
    "import_vulnerability": ("year", "importer_code", "hs6"),
    "vulnerability_summary": ("year", "importer_code", "category"),
    "published_benchmarks": ("benchmark_id",),
}


def publish_into(root: Path, *inputs: str, retain: int = 2, keys: Mapping[str, tuple[str, ...]] = KEYS) -> Path:
    """Publish the small release; other inputs, another release."""
    warehouse = root / "warehouse.duckdb"
    if not warehouse.exists():
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("create schema marts")
            for name, query in TABLES.items():
                connection.execute(f"create table marts.{name} as {query}")
    specs = [
        MartSpec(
            name=name,
            key=key,
            description=f"One row per {', '.join(key)}.",
            columns={},
            year_column="year" if "year" in key else None,
            in_database=name != "trade_flows",
        )
        for name, key in keys.items()
    ]
    publish(warehouse, root / "published", specs, make_context(*inputs), retain=retain)
    return root / "published"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_into(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def app(published: Path) -> Iterator[Starlette]:
    releases = Releases(published)
    yield application(releases)
    releases.close()


@pytest.fixture
def reader(published: Path) -> Iterator[Reader]:
    releases = Releases(published)
    with releases.reading() as found:
        yield found
    releases.close()


def table_of(app: Starlette, address: str) -> list[dict[str, str]]:
    """A table as its CSV has it."""
    answer = ask(app, address)
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_in_words_and_says_synthetic(app: Starlette, path: str) -> None:
    answer = ask(app, path)
    assert answer.status in (200, 400), answer.text  # 400: this release lacks what the page is about
    words = answer.words()
    if answer.status == 200:
        assert "Synthetic sample." in words and ", synthetic, made" in words
    else:
        assert re.search(r"Found (\w+, as|it holds no mart) ", words)


def test_charts_are_what_vega_lite_draws() -> None:
    """Altair accepts some that Vega-Lite then stumbles over, such as scales that layers share."""
    import altair as alt
    import vl_convert

    rows = [
        {
            "year": 2017 + place,
            "label": f"{place}",
            "value": 1e9 * (place + 1),
            "part": "a",
            "link": "/",
            "share": 0.4 * place,
        }
        for place in range(3)
    ]
    mark = {"hs6": "854231", "name": "x", "hhi": 0.5, "centrality": 0.1, "value": 5, "category": charts.CATEGORIES[0]}
    drawn = {
        "bars": charts.bars(rows, "label", "value", "USD", "usd", "link", uneven=True),
        "stacked": charts.stacked(rows, "label", "value", "part", "USD", ["a"], "usd"),
        "lines": charts.lines(rows, "value", "Index", "part"),
        "map": charts.map_of_goods([{**mark, "supplier": "CHN", "link": "/"}]),
        "cells": charts.cells(rows, "part", "label", "share", "Share"),
    }
    for name, spec in drawn.items():
        alt.Chart.from_dict(dict(spec))
        assert "<path" in vl_convert.vegalite_to_svg(spec), name


def test_a_country_leads_with_its_goods_and_suppliers(app: Starlette) -> None:
    words = ask(app, "/country?iso3=DEU&year=2018").words()
    assert "1 of them are exposed twice" in words and "Good 854232 (97.0 % from China)" in words
    rows = table_of(app, "/country.csv?iso3=DEU&year=2018&table=goods")
    assert [row["hs6"] for row in rows] == ["854232", "854231"], "the most vulnerable first, without goods out of scope"
    assert [row["hs6"] for row in table_of(app, "/country.csv?iso3=DEU&year=2018&table=goods&category=4")] == ["854231"]
    assert [row["hs6"] for row in table_of(app, "/country.csv?iso3=DEU&year=2018&table=goods&q=PROCES")] == ["854231"]


def test_who_supplies_a_good_and_who_else_sells_it(app: Starlette) -> None:
    """Germany buys 80 of China, 50 of the USA, 150 of Japan; others buy 20 of China and nothing of those."""
    rows = table_of(app, "/supply.csv?iso3=DEU&hs6=854231&year=2017&table=suppliers")
    assert [(row["exporter_name"], float(row["sold_usd"])) for row in rows] == [
        ("Japan", 150e6), ("China", 80e6), ("USA <&>", 50e6)]  # fmt: skip
    assert float(rows[1]["share"]) == pytest.approx(80 / 280) and float(rows[1]["elsewhere_share"]) == 1
    others = table_of(app, "/supply.csv?iso3=JPN&hs6=854231&year=2017&table=others")
    assert [row["exporter_name"] for row in others] == ["USA <&>"], "not itself"


def test_a_good_shows_its_exporters(app: Starlette) -> None:
    rows = table_of(app, "/good.csv?hs6=854231&year=2017&table=exporters")
    assert [(row["exporter_name"], float(row["share"])) for row in rows] == [
        ("Japan", 0.5), ("China", pytest.approx(1 / 3)), ("USA <&>", pytest.approx(1 / 6))]  # fmt: skip


# Germany is the only member that trades here: the union buys what it buys, under a code of its own.
UNION = """
    alter table marts.{mart} add column economy_kind varchar default 'country';
    insert into marts.{mart} select * replace (97 as importer_code, 'EUR' as importer_iso3,
        'European Union (27)' as importer_name, 'union' as economy_kind) from marts.{mart} where importer_iso3 = 'DEU'
"""


@pytest.fixture(scope="module")
def with_union(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    root = tmp_path_factory.mktemp("union")
    with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
        for mart in ("import_vulnerability", "vulnerability_summary"):
            connection.execute(UNION.format(mart=mart))
        connection.execute("""
            create table marts.countries as select unnest([156, 276]) as country_code, country_code = 276 as is_eu27;
            create table marts.exporter_position as
            select 2018 as year, code as exporter_code, iso3 as exporter_iso3, name as exporter_name,
                kind as economy_kind, 3 as n_goods, n as n_rank1, n as n_top3, n as n_high_centrality_rank1,
                n as n_high_centrality_top3, 1 as high_centrality_rank, 1e9 as export_value_usd
            from (values (97, 'EUR', 'European Union (27)', 'union', 3), (156, 'CHN', 'China', 'country', 2))
                as t (code, iso3, name, kind, n)
        """)
    keys = {**KEYS, "countries": ("country_code",), "exporter_position": ("year", "exporter_code")}
    releases = Releases(publish_into(root, keys=keys))
    yield application(releases)
    releases.close()


def test_the_union_is_an_economy_to_choose_and_never_one_among_countries(with_union: Starlette) -> None:
    listed = {
        address: {row[column] for row in table_of(with_union, address)}
        for address, column in (
            ("/overview.csv?table=importers", "importer_name"),
            ("/overview.csv?table=exporters", "exporter_name"),
            ("/good.csv?hs6=854231&table=importers", "importer_name"),
            ("/exporter.csv?iso3=CHN&table=dependent", "importer_name"),
        )
    }
    assert [sorted(found) for found in listed.values()] == [
        ["Germany"], ["China"], ["Germany", "Japan"], ["Germany", "Japan"]]  # fmt: skip
    for path, first in (("/country", "Germany, 2018"), ("/exporter", "The hold of China, 2018")):
        assert first in ask(with_union, path).words()


def test_the_union_s_suppliers_are_those_of_its_members(with_union: Starlette) -> None:
    assert "European Union (27) bought 2 goods in scope" in ask(with_union, "/country?iso3=EUR").words()
    ours, theirs = (
        table_of(with_union, f"/supply.csv?iso3={iso3}&hs6=854231&year=2017&table=suppliers") for iso3 in ("EUR", "DEU")
    )
    assert ours == theirs and len(ours) == 3
    for path in ("/country?iso3=EUR", "/exporter?iso3=EUR"):
        answer = ask(with_union, path)
        assert "look at a member" in answer.words()
        links = {link.partition("#")[0] for link in answer.links() if link.startswith("/")}
        wrong = {link for link in links if ask(with_union, link).status not in (200, 303, 400)}
        assert not wrong and not any("EUR" in link and "/scenario" in link for link in links)
    assert ask(with_union, "/scenario?exporter=EUR").status == 400, "it has no flows of its own"


def test_names_from_the_data_cannot_leave_their_place(app: Starlette) -> None:
    for path in ("/country?iso3=DEU", "/good?hs6=854231", "/supply?iso3=DEU&hs6=854231", "/find?q=</script><b>"):
        text = ask(app, path).text
        assert "</script><b>" not in text and "<&>" not in text, path


# --- the scenario -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goods", ["8542", "scope", "854231", "854231,854232", "01,8542"])
@pytest.mark.parametrize(("cut", "spare"), [(1.0, 0.25), (0.5, 0.1), (0.02, 0.0)])
def test_a_scenario_is_that_of_the_terminal(
    reader: Reader, published: Path, goods: str, cut: float, spare: float
) -> None:
    asked = at_the_terminal.Question("CHN", tuple(goods.split(",")), cut, spare, 2018)
    with open_release(published) as release:
        expected = at_the_terminal.answer(release, asked)
    question = Question(reader.names.countries["CHN"], tuple(goods.split(",")), cut, spare, 2018)
    assert prepare(reader, question) == expected.n_goods
    compared = ("loss_usd", "import_value_usd", "shortfall_usd", "loss_share", "replaceable_share")
    ours = {row["importer_iso3"]: [row[name] for name in compared] for row in losses_by_importer(reader, question)}
    theirs = {row["importer_iso3"]: [row[name] for name in compared] for row in expected.losses}
    assert ours == {iso3: pytest.approx(values) for iso3, values in theirs.items()}


def test_a_scenario_by_hand_with_its_industries_and_alternatives(app: Starlette) -> None:
    """The others sell 200 of 854231: a pool of 50 for 100 lost, half of it; 854232 cannot be replaced."""
    asked = "exporter=CHN&goods=8542&cut=100&spare=25&year=2017"
    germany, japan = table_of(app, f"/scenario.csv?{asked}&table=losses")
    assert (germany["importer_name"], float(germany["loss_usd"]), float(germany["shortfall_usd"])) == (
        "Germany", 90e6, 50e6)  # fmt: skip
    assert float(germany["loss_share"]) == pytest.approx(90 / 290)
    assert float(japan["replaceable_share"]) == pytest.approx(0.5)
    [chapter] = table_of(app, f"/scenario.csv?{asked}&importer=DEU&table=industries")
    assert (chapter["hs2"], float(chapter["loss_usd"]), float(chapter["shortfall_usd"])) == ("85", 90e6, 50e6)
    others = table_of(app, f"/scenario.csv?{asked}&table=alternatives")
    assert [(row["exporter_name"], float(row["spare_usd"])) for row in others] == [
        ("Japan", 37.5e6),
        ("USA <&>", 12.5e6),
    ]
    words = ask(app, f"/scenario?{asked}&importer=DEU").words()
    assert "2 importers lose 110 m USD at first; others could deliver 50.0 m of it, and not 60.0 m" in words
    assert "Germany loses 90.0 m USD, 31.0 % of its imports of these goods" in words


def test_an_exporter_without_the_goods_is_answered_with_who_has_them(app: Starlette) -> None:
    words = ask(app, "/scenario?exporter=USA&goods=854232&year=2017").words()
    assert "USA <&> sells none of these goods in 2017. Those who sell most of them: China." in words
    assert "Nobody loses anything: nothing is cut" in ask(app, "/scenario?exporter=CHN&goods=8542&cut=0").words()


# --- choices and mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/country?iso3=GER", "did you mean DEU?"),
        ("/country?iso3=DEU&year=2030", "Expected one of 2017, 2018"),
        ("/country?iso3=DEU&category=7", "Expected one of 1, 2, 3, 4"),
        ("/good?hs6=854299", "such as 854231, 854232"),
        ("/scenario?goods=99999", "Expected scope, or 2, 4 or 6 digits"),
        ("/scenario?cut=101", "Expected a number from 0 to 100"),
        ("/scenario?spare=nan", "Expected a number from 0 to 100"),
        ("/mart?name=trade_flow", "did you mean trade_flows?"),
        ("/mart?name=trade_flows&value_usd=>lots", "a value of the type DOUBLE"),
        ("/mart?name=trade_flows&order=nothing", "Choose one of the list"),
        ("/patents", "patent_country_summary"),
        ("/country?q=" + "x" * 201, "at most 200"),
    ],
)
def test_a_mistake_is_answered_in_words(app: Starlette, address: str, said: str) -> None:
    answer = ask(app, address)
    assert answer.status == 400 and said in answer.words() and "Traceback" not in answer.text


def test_what_is_not_there_is_said(app: Starlette) -> None:
    assert ask(app, "/nowhere").status == 404 and "no page" in ask(app, "/nowhere").words()
    assert ask(app, "/static/../app.py").status == 404
    assert ask(app, "/country.csv?iso3=DEU&table=nothing").status == 400
    assert ask(app, "/country?release=20200101T000000-000000Z").status == 503
    assert "no release '20200101T000000-000000Z'" in ask(app, "/country?release=20200101T000000-000000Z").words()
    assert ask(app, "/country", method="POST").status == 405


def test_a_mart_left_out_is_a_line_in_its_place(app: Starlette) -> None:
    words = ask(app, "/country?iso3=DEU").words()
    assert "Not in this release: it holds no mart industry_vulnerability." in words
    assert "Left out: patent_core_share (CHOKEPOINT_PATENT_SOURCE is off)." in ask(app, "/release").words()


@pytest.mark.parametrize("text", ["'; drop table x; --", '" or 1=1', "%", "\\", "$year", "Größe"])
def test_what_is_written_into_a_field_is_never_code(app: Starlette, text: str) -> None:
    from urllib.parse import urlencode

    for path, name in (("/country", "q"), ("/find", "q"), ("/mart", "importer_iso3"), ("/mart", "importer_name")):
        answer = ask(app, f"{path}?{urlencode({name: text})}")
        assert answer.status == 200, answer.words()
    assert ask(app, f"/mart?{urlencode({'name': 'trade_flows', text: text})}").status == 200, "no column: no condition"


def test_a_mart_is_filtered_and_ordered_by_any_column(app: Starlette) -> None:
    asked = "/mart.csv?name=trade_flows&table=rows"
    rows = table_of(app, f"{asked}&year=2017&hs6=854231&value_usd=>=50e6&exporter_iso3=!CHN&order=-value_usd")
    assert [(row["exporter_iso3"], float(row["value_usd"])) for row in rows] == [("JPN", 150e6), ("USA", 50e6)]
    assert {row["exporter_iso3"] for row in table_of(app, f"{asked}&exporter_name=~usa")} == {"USA"}
    assert len(table_of(app, f"{asked}&year=<2018")) == 6


# --- tables -----------------------------------------------------------------------------------------------------------

MIXED = Table(
    "t",
    "Mixed",
    [Column("a", "A"), Column("b", "B", "number")],
    [{"a": "b", "b": None}, {"a": "C", "b": 2}, {"a": "=1+1", "b": -3}],
)


def test_tables_sort_with_missing_values_last_and_keep_spreadsheets_from_reckoning() -> None:
    assert [row["b"] for row in MIXED.in_order("b")] == [-3, 2, None]
    assert [row["b"] for row in MIXED.in_order("-b")] == [2, -3, None]
    assert [row["a"] for row in MIXED.in_order("a")] == ["=1+1", "b", "C"]
    assert MIXED.in_order("no such column") == MIXED.rows
    assert MIXED.csv("b") == "a,b\r\n'=1+1,-3\r\nC,2\r\nb,\r\n"


def test_values_are_written_for_readers() -> None:
    assert [money(each) for each in (0, 999, 1500, 45.67e6, 3.2e9, 5e12)] == [
        "0",
        "999",
        "1.50 k",
        "45.7 m",
        "3.20 bn",
        "5.00 trn",
    ]
    assert [written(*each) for each in ((0.5, "share"), (None, "usd"), (1234, "count"), (True, "text"))] == [
        "50.0 %", "–", "1,234", "yes"]  # fmt: skip


def test_order_and_all_rows_stand_in_the_address(app: Starlette) -> None:
    answer = ask(app, "/country?iso3=DEU&year=2017&sort_goods=import_value_usd")
    assert 'aria-sort="ascending"' in answer.text
    assert "/country?iso3=DEU&year=2017&sort_goods=-import_value_usd#goods" in answer.links()
    assert [
        row["hs6"] for row in table_of(app, "/country.csv?iso3=DEU&year=2017&table=goods&sort_goods=-import_value_usd")
    ] == ["854231", "854232"]


def test_every_link_of_a_page_leads_somewhere(app: Starlette) -> None:
    asked = set()
    for path in ("/", "/country?iso3=DEU", "/scenario?exporter=CHN&importer=DEU", "/release"):
        asked |= {link.partition("#")[0] for link in ask(app, path).links() if link.startswith("/")}
    answers = {link: ask(app, link) for link in sorted(asked)}
    assert len(answers) > 40
    assert not {link: answer.words() for link, answer in answers.items() if answer.status not in (200, 303, 400)}
    # Only pages of data that this release does not have at all.
    lacking = {link.partition("?")[0] for link, answer in answers.items() if answer.status == 400}
    assert lacking <= {"/prices", "/politics", "/chains", "/exclusions", "/patents", "/exporter"}


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("localhost", True),
        ("[::1]:3210", True),
        ("evil.example:3210", False),
        ("", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_only_its_own_names_are_answered(app: Starlette, host: str, answered: bool) -> None:
    assert (ask(app, "/current", host=host).status == 200) == answered


def test_on_all_addresses_numbers_and_given_names_are_answered(published: Path) -> None:
    app = application(Releases(published), "0.0.0.0", ["analyst.example"])
    statuses = [ask(app, "/current", host=host).status for host in ("192.0.2.7:80", "ANALYST.example", "other.example")]
    assert statuses == [200, 200, 421]


def test_pages_load_nothing_from_elsewhere(app: Starlette) -> None:
    answer = ask(app, "/country?iso3=DEU")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|<link rel="stylesheet" href)="([^"]+)"', answer.text)
    assert loaded and all(address.startswith("/static/") for address in loaded)
    assert all(ask(app, address).status == 200 for address in loaded if "vega" not in address)
    assert not [link for link in answer.links() if "//" in link]


def test_without_a_release_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(application(Releases(tmp_path / "published")), "/")
    assert answer.status == 503 and "at least one published release" in answer.words()
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(tmp_path))
    assert main(["explore", "--port", "0"]) == 1
    assert "at least one published release" in capsys.readouterr().err


def test_without_its_packages_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "dagster_project.explore.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["explore"]) == 1
    said = capsys.readouterr().err
    assert "no package uvicorn" in said and "pip install 'chokepoint[explore]'" in said


def test_a_port_that_is_taken_is_refused(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(published.parent))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["explore", "--port", str(taken.getsockname()[1])]) == 1
    assert "a port that cannot be opened" in capsys.readouterr().err


# --- a new release ----------------------------------------------------------------------------------------------------


def test_it_follows_the_current_release_and_an_open_page_keeps_its_own(tmp_path: Path) -> None:
    published = publish_into(tmp_path, "first")
    releases = Releases(published)
    app = application(releases)
    page = ask(app, "/good?hs6=854231")
    first = json.loads(ask(app, "/current").text)["release"]
    [saved] = {link for link in page.links() if link.startswith("/good.csv") and "exporters" in link}
    before = ask(app, saved)

    publish_into(tmp_path, "second")
    second = json.loads(ask(app, "/current").text)["release"]
    assert second != first and f"Release {second}" in ask(app, "/good?hs6=854231").words()
    after = ask(app, saved)
    assert first in saved and after.text == before.text and first in after.headers["content-disposition"]
    old = ask(app, f"/good?hs6=854231&release={first}")
    assert "This is not the current release." in old.words() and f"Release {first}" in old.words()
    assert all(f"release={first}" in link for link in old.links() if link.startswith("/supply"))
    releases.close()


def test_a_release_in_use_is_not_removed_and_one_thrown_away_is_let_go(tmp_path: Path) -> None:
    published = publish_into(tmp_path, "0", retain=1)
    releases = Releases(published)
    with releases.reading() as old:
        for number in range(1, 6):
            publish_into(tmp_path, str(number), retain=1)
            with releases.reading() as new:
                assert new.release_id != old.release_id
        assert old.rows("select count(*) as n from marts.trade_flows") == [{"n": 12}], "while it is read, it stays"
    publish_into(tmp_path, "last", retain=1)
    assert not (published / "releases" / old.release_id).exists()
    with pytest.raises(ReleaseError, match="no release"), releases.reading(old.release_id):
        pass
    releases.close()


def test_requests_side_by_side_do_not_disturb_each_other(app: Starlette) -> None:
    """Each has temporary tables of its own."""
    wanted = {
        cut: ask(app, f"/scenario.csv?exporter=CHN&goods=8542&cut={cut}&table=losses").text for cut in (10, 40, 90)
    }
    wrong: list[int] = []

    def again(cut: int) -> None:
        for _ in range(5):
            if ask(app, f"/scenario.csv?exporter=CHN&goods=8542&cut={cut}&table=losses").text != wanted[cut]:
                wrong.append(cut)

    threads = [threading.Thread(target=again, args=(cut,)) for cut in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_links_keep_a_named_release_and_drop_what_is_taken_back() -> None:
    choice = Choice("/country", {"iso3": "DEU", "release": "r", "q": " "})
    assert choice.link(year=2017) == "/country?iso3=DEU&release=r&year=2017"
    assert choice.link("/good", hs6="854231") == "/good?release=r&hs6=854231"
    assert choice.link(release=None) == "/country?iso3=DEU"
