"""The checks of trade's marts: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

import pytest

from dagster_project.datasets.trade.mart_checks import TRADE_MARTS
from tests.helpers.check_cases import (
    Case,
    add,
    assert_empty_tables_fail,
    assert_fails,
    assert_first_release_passes,
    assert_passes,
    case,
    each,
    holding,
    outcome,
    rows,
    scripted,
    sql,
)
from tests.helpers.sound_reference import BATTERIES, CHN, CRUDE_OIL, JPN, TWN, USA
from tests.helpers.sound_trade import bilateral_total, mart_tables

SOUND = holding(mart_tables())

US_TO_CHINA = {"exporter_code": USA, "importer_code": CHN}
TAIWAN_IN_2017 = {"exporter_code": TWN, "year": 2017}
CHINA_IN_2017 = {"importer_code": CHN, "year": 2017}
BATTERIES_OF_2017 = {"hs6": BATTERIES, "year": 2017}
TAIWAN_PRICE = {
    "year": 2018, "exporter_code": TWN, "product_level": "hs6", "product_code": BATTERIES, "basis": "baseline"
}  # fmt: skip
BATTERIES_OF_2018 = {"hs6": BATTERIES, "year": 2018}
# The category of most of China's goods.
CATEGORY_4 = {"importer_code": CHN, "year": 2017, "category": 4}

# Numbers that can be wrong by a factor and still be plausible, by mart.
SCALED = {
    "bilateral_totals": ("in_scope_value_usd", "n_goods"),
    "product_centrality": (
        *("export_centrality", "export_centrality_share", "export_hhi", "top_exporter_share", "top3_exporter_share"),
        *("n_countries", "centrality_percentile"),
    ),
    "exporter_position": ("n_top3", "top3_share", "high_centrality_rank", "in_scope_export_value_usd"),
    "import_vulnerability": (
        *("import_hhi", "effective_suppliers", "top_supplier_share", "vulnerability_index", "export_value_usd", "cdi3"),
        *("net_import_ratio", "unallocated_value_usd"),
    ),
    "vulnerability_summary": ("n_goods", "goods_share", "import_value_usd", "value_share"),
    "capacity_concentration": (
        *("world_exports_usd", "top1_share", "top3_share", "export_hhi", "effective_exporters", "n_exporters"),
        "top1_code",
    ),
    "supply_share": ("export_value_usd", "value_share", "quantity_share", "export_rank"),
    "industry_vulnerability": ("vulnerability", "vulnerability_mean", "indexed_value_share", "ratio_to_next"),
}

CASES = [
    case(
        "an importer whose goods are a thousand times what they were",
        rows("all_years.import_vulnerability", importer_code=JPN, year=2018).set(
            import_value_usd=sql("import_value_usd * 1000")
        ),
        fails="import_vulnerability.units_agree_with_year_before",
        shows={"year": 2018, "importer_code": JPN, "year_before": 2017, "ratio": pytest.approx(1000)},
    ),
    case(
        "an importer whose goods fell to a thirtieth",
        rows("all_years.import_vulnerability", importer_code=JPN, year=2018).set(
            import_value_usd=sql("import_value_usd / 30")
        ),
        fails="import_vulnerability.values_agree_with_year_before",
        shows={"year": 2018, "importer_code": JPN, "year_before": 2017, "ratio": pytest.approx(1 / 30)},
    ),
    case(
        "a value that is no number",
        rows("trade_flows", **BATTERIES_OF_2017, importer_code=CHN).set(value_usd=float("nan")),
        fails="trade_flows.flows_plausible",
        shows={**BATTERIES_OF_2017, "importer_code": CHN, "value_usd": "nan"},
    ),
    case(
        "a pair's total that is a dollar more than its flows",
        rows("bilateral_totals", **US_TO_CHINA).set(value_usd=sql("value_usd + 1")),
        fails="bilateral_totals.totals_match_flows",
        shows={**US_TO_CHINA, "difference_usd": pytest.approx(1)},
    ),
    case(
        "flows of a pair that has no total",
        rows("bilateral_totals", **US_TO_CHINA, year=2017).remove(),
        fails="bilateral_totals.totals_match_flows",
        shows={**US_TO_CHINA, "year": 2017, "mart_usd": None},
    ),
    case(
        "a mirrored flow beside those that the importer reported",
        rows("bilateral_totals", **US_TO_CHINA).set(is_mirror=True),
        fails="bilateral_totals.mirrors_fill_gaps_only",
        shows=CHINA_IN_2017,
    ),
    case(
        "imports that were reported and are in no total",
        rows("bilateral_totals", **US_TO_CHINA, year=2017).remove(),
        fails="bilateral_totals.imports_as_reported",
        shows=CHINA_IN_2017,
    ),
    case(
        "a country that trades with itself",
        add("bilateral_totals", bilateral_total(year=2017, exporter=USA, importer=USA, value_usd=5)),
        fails="bilateral_totals.no_self_trade",
        shows={"year": 2017, "exporter_code": USA},
    ),
    case(
        "a year of the release before that is in no year of this run or an earlier one",
        rows("bilateral_totals", year=2018).remove(),
        rows("all_years.bilateral_totals", year=2018).remove(),
        fails="bilateral_totals.coverage_years",
        shows={"year": 2018},
    ),
    case(
        "a year that fell by 40 %",
        rows("bilateral_totals", year=2017).set(value_usd=sql("value_usd * 0.6")),
        fails="bilateral_totals.coverage_value",
        shows={"year": 2017, "change": pytest.approx(-0.4)},
    ),
    case(
        "a product whose world exports are not its flows",
        rows("product_centrality", **BATTERIES_OF_2018).set(world_exports_usd=0),
        fails="product_centrality.totals_match_flows",
        shows={**BATTERIES_OF_2018, "mart_usd": 0.0},
    ),
    case(
        "a concentration of exporters below that of equal shares",
        rows("product_centrality", **BATTERIES_OF_2018).set(export_hhi=0.1),
        fails="product_centrality.measures_plausible",
        shows={**BATTERIES_OF_2018, "export_hhi": 0.1},
    ),
    case(
        "every product of a year of high centrality",
        rows("product_centrality", year=2018).set(high_centrality=sql("in_scope")),
        fails="product_centrality.high_is_a_quarter",
        shows={"year": 2018, "goods": 7, "goods_flagged": 7},
    ),
    case(
        "an exporter whose exports are not its flows",
        rows("exporter_position", **TAIWAN_IN_2017).set(export_value_usd=7),
        fails="exporter_position.totals_match_flows",
        shows={**TAIWAN_IN_2017, "mart_usd": 7.0},
    ),
    case(
        "an exporter that is first more often than among the first three",
        rows("exporter_position", **TAIWAN_IN_2017).set(n_rank1=sql("n_top3 + 1")),
        fails="exporter_position.counts_plausible",
        shows=TAIWAN_IN_2017,
    ),
    case(
        "an importer's good of twice the value of its flows",
        rows("import_vulnerability", hs6=CRUDE_OIL, **CHINA_IN_2017).set(import_value_usd=sql("import_value_usd * 2")),
        fails="import_vulnerability.totals_match_flows",
        shows=CHINA_IN_2017,
    ),
    case(
        "more effective suppliers than suppliers",
        rows("import_vulnerability", **BATTERIES_OF_2017).set(effective_suppliers=sql("n_suppliers + 1")),
        fails="import_vulnerability.measures_plausible",
        shows={**BATTERIES_OF_2017, "n_suppliers": 3, "effective_suppliers": 4.0},
    ),
    case(
        "a concentration of suppliers below that of equal shares",
        rows("import_vulnerability", **BATTERIES_OF_2017).set(import_hhi=0.2),
        fails="import_vulnerability.measures_plausible",
        shows={**BATTERIES_OF_2017, "import_hhi": 0.2},
    ),
    case(
        "a category that does not exist",
        rows("import_vulnerability", **BATTERIES_OF_2017).set(category=5),
        fails="import_vulnerability.measures_plausible",
        shows={**BATTERIES_OF_2017, "category": 5},
    ),
    case(
        "an importer without a good of high concentration",
        rows("import_vulnerability", **CHINA_IN_2017).set(high_concentration=False),
        fails="import_vulnerability.high_is_a_quarter",
        shows={**CHINA_IN_2017, "goods_flagged": 0},
    ),
    case(
        "a category that is left out of its importer's shares",
        rows("vulnerability_summary", **CATEGORY_4).remove(),
        fails="vulnerability_summary.shares_sum_to_one",
        shows=CHINA_IN_2017,
    ),
    case(
        "shares of a category that does not exist",
        rows("vulnerability_summary", **CATEGORY_4).set(category=7),
        fails="vulnerability_summary.shares_sum_to_one",
        shows={"category": 7},
    ),
    case(
        "a category of one good more than its importer has",
        rows("vulnerability_summary", **CATEGORY_4).set(n_goods=sql("n_goods + 1")),
        fails="vulnerability_summary.counts_match_goods",
        shows=CATEGORY_4,
    ),
    case(
        "goods of an industry that has no row",
        rows("industry_vulnerability", **CHINA_IN_2017, hs2="85").remove(),
        fails="industry_vulnerability.totals_match_goods",
        shows={**CHINA_IN_2017, "hs2": "85", "mart_usd": None},
    ),
    case(
        "an importer's industries ranked from the second place",
        rows("industry_vulnerability", **CHINA_IN_2017).set(rank=sql("rank + 1")),
        fails="industry_vulnerability.measures_plausible",
        shows={**CHINA_IN_2017, "first_rank": 2},
    ),
    *(
        case(
            f"a price index with {words}",
            rows("all_years.export_price_index", **TAIWAN_PRICE).set(**{column: value}),
            fails="export_price_index.measures_plausible",
            shows=TAIWAN_PRICE,
        )
        for words, column, value in (
            ("a price below zero", "fisher", -1),
            ("a coverage above 1", "link_coverage", 1.5),
            ("more quality than it has cells", "quality", "good"),
            ("cells and no quality", "quality", "none"),
        )
    ),
    case(
        "a good without its price row",
        rows("all_years.export_price_index", **TAIWAN_PRICE).remove(),
        fails="export_price_index.totals_match_flows",
        shows={"year": 2018, "exporter_code": TWN, "product_level": "hs6"},
    ),
    case(
        "a chain that does not follow its links",
        rows("all_years.export_price_index", **TAIWAN_PRICE).set(chain_fisher=2),
        fails="export_price_index.chains_match_links",
        shows={**TAIWAN_PRICE, "chain_fisher": 2.0, "fisher_before": 1.0},
    ),
    *(
        case(
            f"a chapter less than the flows in {mart}",
            rows(mart, year=2018, product_code="85").set(**{column: 5}),
            fails=f"{mart}.totals_match_flows",
            shows={"year": 2018},
        )
        for mart, column in (
            ("capacity_concentration", "world_exports_usd"),
            ("supply_share", "export_value_usd"),
        )
    ),
    case(
        "a change over five years when there are no earlier years",
        rows("supply_share", year=2018).set(share_change_5y=0.1),
        fails="supply_share.recomputed_from_flows",
        shows={"year": 2018, "share_change_5y": 0.1, "share_change_5y_recomputed": None},
    ),
    *(
        case(
            f"{column} of prices ten times what it is",
            rows("all_years.export_price_index", year=2018).set(**{column: sql(f"10 * {column}")}),
            fails="export_price_index.recomputed_from_flows",
            shows={"year": 2018},
        )
        for column in (
            *("laspeyres", "paasche", "fisher", "tornqvist", "value_ratio", "quantity_fisher", "value_usd"),
            *("quantity_coverage", "link_coverage", "link_coverage_prev", "own_matched", "others", "relative"),
            *("relative_coverage", "relative_level", "n_cells", "n_relative"),
        )
    ),
    case(
        "values and quantities in thousands",
        rows("trade_flows").set(value_usd=sql("value_usd / 1000"), quantity=sql("quantity / 1000")),
        fails="trade_flows.recomputed_from_reports",
        shows={"quantity": 0.01, "quantity_recomputed": 10.0},
    ),
    case(
        "kilograms that are tons",
        rows("trade_flows").set(quantity_kg=sql("quantity_kg / 1000")),
        fails="trade_flows.recomputed_from_reports",
        shows={"quantity_kg": 0.01, "quantity_kg_recomputed": 10.0},
    ),
    case(
        "a weight of nothing",
        rows("trade_flows", **US_TO_CHINA, **BATTERIES_OF_2017).set(net_weight_kg=0.0),
        fails="trade_flows.flows_plausible",
        shows={**US_TO_CHINA, **BATTERIES_OF_2017, "net_weight_kg": 0.0},
    ),
    case(
        "kilograms of a code that was split over several goods",
        rows("trade_flows", **US_TO_CHINA, **BATTERIES_OF_2017).set(is_split_conversion=True),
        fails="trade_flows.flows_plausible",
        shows={**US_TO_CHINA, **BATTERIES_OF_2017, "is_split_conversion": True, "quantity_kg": 10.0},
    ),
    case(
        "a pair without one of its flows",
        rows("trade_flows", **US_TO_CHINA, **BATTERIES_OF_2017).remove(),
        fails="trade_flows.recomputed_from_reports",
        shows={**US_TO_CHINA, **BATTERIES_OF_2017, "value_usd": None},
    ),
    *(
        case(
            f"{column} ten times what it is",
            rows(mart, year=2018).set(**{column: sql(f"10 * {column}")}),
            fails=f"{mart}.recomputed_from_flows",
            shows={"year": 2018},
        )
        for mart, columns in SCALED.items()
        for column in columns
    ),
    case(
        "a thousandth of all imports allocated",
        rows("import_vulnerability").set(unallocated_share=0.999),
        fails="import_vulnerability.recomputed_from_flows",
        shows={"unallocated_share": 0.999},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(TRADE_MARTS, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, TRADE_MARTS, SOUND)


def test_goods_that_differ_in_the_last_bit_may_both_be_among_the_quarter() -> None:
    """Split from one source code, they are flagged alike; of equal values more than a quarter may be high."""
    split = """
        create table import_vulnerability as
            select 2017 as year, 156 as importer_code, hs6, true as in_scope, import_hhi,
                hs6 <> '1' as high_concentration
            from (values ('1', 0.1), ('2', 0.3), ('3', 0.1::double + 0.2::double)) as goods (hs6, import_hhi);
        create table product_centrality as
            select year, hs6, in_scope, import_hhi as export_centrality, high_concentration as high_centrality
            from import_vulnerability;
    """
    for check in ("import_vulnerability.high_is_a_quarter", "product_centrality.high_is_a_quarter"):
        assert outcome(TRADE_MARTS, scripted(split), check).passed


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(TRADE_MARTS, mart_tables())


def test_without_a_previous_release_there_is_nothing_to_compare_with() -> None:
    assert_first_release_passes(TRADE_MARTS, SOUND)
