"""The brief: what is in a page, what a mistaken choice is answered with, that it needs nothing from elsewhere.

How a page looks and behaves is tested in tests/unit/test_brief_in_browser.py, with the release made here.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.brief import BriefOptions, render_brief
from dagster_project.brief.figures import GOOD_FIGURES, IMPORTER_FIGURES
from dagster_project.brief.good import near_goods, render_good
from dagster_project.brief.sections import goods, words
from dagster_project.brief.sections.published import shown as published_figures
from dagster_project.brief.sections.vintage import warning
from dagster_project.errors import ReleaseError, SettingError
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.read import Release, open_release
from dagster_project.publish.release import publish
from tests.helpers.publish_helpers import make_context

# Numbers as DOUBLE (e0), which is what marts hold.
TABLES = {
    "import_vulnerability": """
        select * from (values
            (2017, 276, 'DEU', 'Germany', '850110', '85', true, 100e0, 2, 0.82e0, 156, 'CHN', 'China', 0.9e0, 1, 0.9e0),
            (2017, 276, 'DEU', 'Germany', '280461', '28', true, 300e0, 3, 0.34e0, 842, 'USA', 'USA', 0.4e0, 4, 0.2e0),
            (2018, 276, 'DEU', 'Germany', '850110', '85', true, 15e1, 2, 0.62e0, 156, 'CHN', 'China', 0.7e0, 1, 0.8e0),
            (2018, 251, 'FRA', 'France <&>', '850110', '85', true, 50e0, 1, 1e0, 156, 'CHN', 'China', 1e0, 1, 1e0),
            (2018, 276, 'DEU', 'Germany', '870323', '87', false, 9e9, 1, 1e0, 156, 'CHN', 'China', 1e0, null, null)
        ) t(year, importer_code, importer_iso3, importer_name, hs6, hs2, in_scope, import_value_usd, n_suppliers,
            import_hhi, top_supplier_code, top_supplier_iso3, top_supplier_name, top_supplier_share, category,
            vulnerability_index)""",
    "product_centrality": """
        select * from (values
            (2017, '850110', 'Motors </script><b>', true, 0.5e0, 'CHN', 0.6e0, 500e0, 3, 9, 1e0, 0.5e0, true, 0.9e0),
            (2017, '280461', 'Silicon', true, 0.1e0, 'DEU', 0.3e0, 500e0, 3, 9, 0.5e0, 0.2e0, false, 0.8e0),
            (2018, '850110', 'Motors </script><b>', true, 0.6e0, 'CHN', 0.7e0, 200e0, 2, 2, 1e0, 0.5e0, true, 1e0),
            (2018, '870323', 'Cars', false, 0.9e0, 'DEU', 0.5e0, 9e9, 1, 1, null, 1e0, null, 1e0)
        ) t(year, hs6, hs6_name, in_scope, export_centrality, top_exporter_iso3, top_exporter_share, world_exports_usd,
            n_exporters, n_importers, centrality_percentile, export_hhi, high_centrality, top3_exporter_share)""",
    "political_exposure": """
        select * from (values
            (2018, 276, 'DEU', 0.5e0, 0.4e0, 0.6e0, 0.8e0, 1.2e0, 0.25e0, 0.25e0, 0.4e0, 0.1e0),
            (2018, 251, 'FRA', 1e0, null, null, null, null, null, null, null, null)
        ) t(year, importer_code, importer_iso3, risk_econ, risk_distance, risk_distance_own, pol_ratio, pol_ratio_own,
            share_close, share_middle, share_distant, share_unscored)""",
    "trade_flows": """
        select * from (values
            (2018, 156, 'CHN', 'China', 276, 'DEU', 'Germany', '850110', 105e0),
            (2018, 392, 'JPN', 'Japan', 276, 'DEU', 'Germany', '850110', 45e0),
            (2018, 156, 'CHN', 'China', 251, 'FRA', 'France <&>', '850110', 50e0),
            (2018, 156, 'CHN', 'China', 276, 'DEU', 'Germany', '870323', 9e9)
        ) t(year, exporter_code, exporter_iso3, exporter_name, importer_code, importer_iso3, importer_name, hs6,
            value_usd)""",
    "published_benchmarks": """
        select 'XU-1' as benchmark_id, 'XU' as source, 'Goods of category 1, China' as statement,
               62e0 as published_value,
               60e0 as computed_value, -2e0 as difference,
               0.5e0 as tolerance, 'differs' as verdict, 'all' as inputs""",
}
KEYS = {
    "published_benchmarks": ("benchmark_id",),
    "trade_flows": ("year", "exporter_code", "importer_code", "hs6"),
    "political_exposure": ("year", "importer_code"),
    "countries": ("country_code",),
    "import_vulnerability": ("year", "importer_code", "hs6"),
}


def _spec(name: str) -> MartSpec:
    return MartSpec(name=name, key=KEYS.get(name, ("year", "hs6")), description="One row per thing.", columns={})


def publish_in(folder: Path) -> Path:
    """A published directory with one release of TABLES."""
    warehouse = folder / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
    publish(warehouse, folder / "published", [_spec(name) for name in TABLES], make_context(), retain=1)
    return folder / "published"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return publish_in(tmp_path)


@pytest.fixture
def release(published: Path) -> Iterator[Release]:
    with open_release(published) as opened:
        yield opened


def content_of(page: str) -> dict[str, Any]:
    """What a page gives its scripts."""
    found = re.search(r'<script type="application/octet-stream" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return content


def test_shows_the_chosen_importer_first_with_its_goods_in_scope(release: Release) -> None:
    content = content_of(render_brief(release, BriefOptions("FRA")))
    assert [each["iso3"] for each in content["selection"]["importers"]] == ["FRA", "DEU"]
    assert content["selection"]["years"] == [2017, 2018]
    blocks = [(block["importer"], block["year"], block["hs6"]) for block in content["goods"]["blocks"]]
    assert blocks == [("FRA", 2018, ["850110"]), ("DEU", 2017, ["850110", "280461"]), ("DEU", 2018, ["850110"])]
    assert list(content["flows"]["2018"]) == ["850110"]


def test_suppliers_stand_beside_each_good_the_largest_first(release: Release) -> None:
    content = content_of(render_brief(release, BriefOptions("DEU")))
    (block,) = (each for each in content["goods"]["blocks"] if each["importer"] == "DEU" and each["year"] == 2018)
    assert block["sold"] == [["CHN", 700, "JPN", 300]]
    assert "top" not in block  # the largest supplier stands first
    assert content["flows"]["2018"]["850110"] == [["CHN", "DEU", 105], ["CHN", "FRA", 50], ["JPN", "DEU", 45]]


def test_the_oldest_years_go_where_a_page_would_be_too_large(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goods, "MOST_BYTES", 300)
    page = render_brief(release, BriefOptions("DEU"))
    assert content_of(page)["selection"] == {"importers": [{"iso3": "DEU", "name": "Germany"}], "years": [2018]}
    assert "The years 2017 to 2017 are not in this page" in page


def test_auto_is_the_largest_importer_of_goods_in_scope(release: Release) -> None:
    assert content_of(render_brief(release))["selection"]["importers"][0]["iso3"] == "DEU"


def test_the_union_is_shown_where_it_is_asked_for_and_is_never_the_largest_importer(tmp_path: Path) -> None:
    """It buys what its members buy, once more."""
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
        connection.execute("alter table marts.import_vulnerability add column economy_kind varchar default 'country'")
        connection.execute("""
            insert into marts.import_vulnerability select * replace (
                97 as importer_code, 'EUR' as importer_iso3, 'European Union (27)' as importer_name,
                'union' as economy_kind, 1000 * import_value_usd as import_value_usd
            ) from marts.import_vulnerability where importer_iso3 = 'DEU' and in_scope
        """)
        members = "select * from (values (156, 'CHN', false), (276, 'DEU', true)) as t (country_code, iso3, is_eu27)"
        connection.execute(f"create table marts.countries as {members}")
    marts = [_spec(name) for name in (*TABLES, "countries")]
    publish(warehouse, tmp_path / "published", marts, make_context(), retain=1)
    with open_release(tmp_path / "published") as release:
        pages = [content_of(render_brief(release, *options)) for options in ((), (BriefOptions("EUR"),))]
        good = content_of(render_good(release, "850110", (2018,)))
    shown = [[each["iso3"] for each in page["selection"]["importers"]] for page in pages]
    assert shown == [["DEU", "FRA", "EUR"], ["EUR", "DEU", "FRA"]]
    # Germany is its only member here: it buys of the same suppliers.
    sold = {block["importer"]: block["sold"] for block in pages[1]["goods"]["blocks"] if block["year"] == 2018}
    assert sold["EUR"] == sold["DEU"] == [["CHN", 700, "JPN", 300]]
    assert pages[1]["members"] == ["DEU"]
    assert {row["importer"] for row in good["importers"]} == {"DEU", "FRA"}


def test_quartile_lines_are_continuous_quantiles_of_goods_in_scope(release: Release) -> None:
    lines = content_of(render_brief(release, BriefOptions("DEU", (2017,))))["thresholds"]
    # Between 0.34 and 0.82, and between 0.1 and 0.5, at three quarters of the way.
    assert lines == [{"year": 2017, "importer": "DEU", "hhi": pytest.approx(0.70), "centrality": pytest.approx(0.4)}]


def test_names_from_the_data_cannot_leave_their_place(release: Release) -> None:
    page = render_brief(release)
    assert "Motors </script>" not in page and "France <&>" not in page
    assert content_of(page)["goods"]["names"]["850110"] == "Motors </script><b>"


def test_marts_left_out_are_replaced_by_a_sentence(release: Release) -> None:
    page = render_brief(release)
    # Prices, industries, exporters, scenarios, tariffs, patents: one line each.
    assert page.count("Not in this release") == 6
    assert '<td class="verdict bad">differs</td>' in page


def test_distance_is_shown_by_both_scales_and_neither_is_the_headline(release: Release) -> None:
    page = render_brief(release)
    (germany,) = (row for row in content_of(page)["politics"]["exposure"] if row["importer"] == "DEU")
    assert (germany["plain"], germany["own"], germany["distant"]) == (0.4, 0.6, 0.4)
    assert "Both scalings of distance are published and neither is the headline" in page


def test_an_unknown_importer_is_answered_with_those_there_are(release: Release) -> None:
    with pytest.raises(SettingError, match=r"'XXX'; expected auto or one of DEU, FRA"):
        render_brief(release, BriefOptions("XXX"))


def test_a_year_without_rows_is_answered_with_the_years_there_are(release: Release) -> None:
    with pytest.raises(SettingError, match=r"no rows for 2030; expected years among 2017, 2018"):
        render_brief(release, BriefOptions("DEU", (2018, 2030)))
    with pytest.raises(SettingError, match=r"no rows of importer FRA in 2017; expected years among 2018"):
        render_brief(release, BriefOptions("FRA", (2017,)))


def test_asks_nothing_of_the_network(release: Release) -> None:
    page = render_brief(release)
    assert not re.search(
        r"<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*href=\"(?!data:)|@import|url\(", page.split("<script>")[0]
    )
    assert "vegaEmbed" in page
    for name, figure in {**IMPORTER_FIGURES, **GOOD_FIGURES}.items():
        assert "url" not in json.dumps(figure().get("data", {})), name


def test_the_command_says_which_file_is_damaged(published: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from dagster_project.cli import main

    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(published.parent))
    assert main(["brief", "--importer", "deu", "--years", "2017"]) == 0
    assert "Supply vulnerability of Germany" in (published.parent / "brief-DEU.html").read_text()
    target = published / "current" / "parquet" / "product_centrality.parquet"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 0xFF
    target.chmod(0o644)
    target.write_bytes(data)
    assert main(["brief", "--importer", "DEU"]) == 1
    assert "parquet/product_centrality.parquet" in capsys.readouterr().err
    shutil.rmtree(published)
    assert main(["brief"]) == 1
    assert "no current release" in capsys.readouterr().err


def test_a_release_without_trade_marts_is_refused(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.published_benchmarks as {TABLES['published_benchmarks']}")
    publish(warehouse, tmp_path / "published", [_spec("published_benchmarks")], make_context(), retain=1)
    with open_release(tmp_path / "published") as release, pytest.raises(ReleaseError, match="no mart import_vulner"):
        render_brief(release)


def test_the_page_of_a_good_names_all_who_sell_and_all_who_depend_on_it(release: Release) -> None:
    page = render_good(release, "850110", (2018,))
    content = content_of(page)
    assert [(row["exporter"], row["value"], row["buyers"]) for row in content["exporters"]] == [
        ("CHN", 155, 2), ("JPN", 45, 1)]  # fmt: skip
    assert [(row["importer"], row["hhi"], row["category"]) for row in content["importers"]] == [
        ("FRA", 1, 1), ("DEU", 0.62, 1)]  # fmt: skip
    assert content["trend"][0]["top3_share"] == 1
    assert "Motors </script>" not in page and "cannot say which core patents" in page


def test_a_good_that_is_not_there_is_answered_with_near_ones(release: Release) -> None:
    with pytest.raises(SettingError, match=r"--good.*'850111'.*such as 850110 \(Motors"):
        render_good(release, "850111")
    names = {"850110": "Motors", "850120": "Other motors", "280461": "Silicon"}
    assert near_goods("850111", names)[0] == "850110"
    assert near_goods("silicon", names)[0] == "280461"
    assert near_goods("", names)


def test_the_command_makes_the_page_of_a_good(published: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from dagster_project.cli import main

    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(published.parent))
    assert main(["brief", "--good", "850110", "--importer", "DEU"]) == 0
    assert content_of((published.parent / "brief-850110.html").read_text())["importer"] == "DEU"
    assert main(["brief", "--good", "../x"]) == 1
    assert "--good" in capsys.readouterr().err


def test_published_figures_that_cannot_be_computed_are_folded() -> None:
    row = {"source": "XU", "statement": "s", "published_value": 1.0, "computed_value": None, "difference": None}
    lost = {**row, "verdict": "not computable from these inputs", "inputs": "", "note": "needs China"}
    alone = published_figures([lost])
    assert "Not one of the 1 published figures" in alone and alone.index("<details") < alone.index("<table")
    both = published_figures([lost, {**row, "computed_value": 1.0, "verdict": "reproduced", "inputs": "all"}])
    assert both.index("<table") < both.index("<details") and "1 is reproduced, 0 differ" in both


def test_a_warning_is_said_in_words() -> None:
    check = {"asset": "landing/io_tables", "check": "no_flow_dropped", "passed": False}
    assert warning(check) == "Io tables: No flow dropped did not hold."
    said = warning({**check, "description": "3 failing rows. Rule: No flow was left out."})
    assert said == "Io tables: expected was “No flow was left out.” Found: 3 failing rows."


def test_the_glossary_is_that_of_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
    for term, meaning in words.GLOSSARY.items():
        assert f"- **{term}** — {meaning.replace('“', chr(34)).replace('”', chr(34))}" in text, term


def test_no_missing_number_is_written_out(release: Release) -> None:
    for page in (render_brief(release), render_good(release, "870323")):
        shown = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert not re.search(r"\b(None|NaN|nan|null|undefined)\b", shown)
