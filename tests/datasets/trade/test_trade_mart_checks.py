"""The checks of trade's marts: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.datasets.trade.mart_checks import TRADE_MARTS
from tests.helpers.check_cases import (
    Case,
    Change,
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
from tests.helpers.sound_reference import BATTERIES, CHN, CRUDE_OIL, EU, JPN, TWN, USA
from tests.helpers.sound_trade import bilateral_total, complexities, mart_tables

SOUND = holding(mart_tables())

US_TO_CHINA = {"exporter_code": USA, "importer_code": CHN}
TAIWAN_IN_2017 = {"exporter_code": TWN, "year": 2017}
TAIWAN_OF_2017 = {"country_code": TWN, "year": 2017}
CHINA_IN_2017 = {"importer_code": CHN, "year": 2017}
UNION_IN_2017 = {"economy_kind": "union", "year": 2017}
BATTERIES_OF_2017 = {"hs6": BATTERIES, "year": 2017}
TAIWAN_PRICE = {
    "year": 2018, "exporter_code": TWN, "product_level": "hs6", "product_code": BATTERIES, "basis": "baseline"
}  # fmt: skip
BATTERIES_OF_2018 = {"hs6": BATTERIES, "year": 2018}
CHINAS_BATTERIES = {
    "year": 2018, "importer_code": CHN, "product_level": "sector", "product_code": "batteries"
}  # fmt: skip
TAIWAN_LEARNS = {
    "exporter_code": TWN, "product_level": "hs6", "product_code": BATTERIES, "cumulative": "own"
}  # fmt: skip
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
    "competitiveness_paradox": (
        *("import_hhi_weighted", "export_value_usd", "rca", "rca_sym", "top3_share", "net_import_ratio", "n_top3"),
        "vulnerability",
    ),
    "industry_vulnerability": ("vulnerability", "vulnerability_mean", "indexed_value_share", "ratio_to_next"),
    "product_network": (
        *("clustering", "clustering_component", "density", "reciprocity", "top_pagerank", "top_buyer_pagerank"),
        *("n_countries", "n_links", "n_components", "largest_component", "diameter"),
    ),
    "economic_complexity": ("eci", "eci_rank", "diversity", "export_value_usd", "n_products"),
    "product_complexity": ("pci", "pci_rank", "ubiquity"),
    "product_space": ("rca", "density"),
    "diversification": ("effective_suppliers", "own_region_share", "top_supplier_share", "n_goods"),
    "diversification_regions": ("import_value_usd", "import_share", "top_supplier_share", "n_suppliers"),
    "relocation": ("value_usd", "n_goods", "share"),
    "shock_exposure": ("exposed_value_usd", "n_goods", "cut", "loss_usd", "exposure_share"),
    "shock_exposure_industry": ("exposed_value_usd", "n_goods", "loss_usd", "exposure_share"),
    "scenario_losses": (
        *("n_goods", "exposed_value_usd", "loss_usd", "import_value_usd", "loss_share", "shortfall_usd"),
        "replaceable_share",
    ),
    "supplier_removal": (
        *("lost_usd", "lost_share", "pool_usd", "replaceable_share", "replaceable_share_alone", "shortfall_usd"),
        "n_other_exporters",
    ),
    "import_suppliers": (
        *("value_usd", "share", "supplier_rank", "n_suppliers", "world_exports_usd", "world_export_share"),
        *("world_export_rank", "exports_to_others_usd", "outside_share"),
    ),
}

CHINAS_GOODS_OF_2017 = {**CHINA_IN_2017, "product_level": "all"}


def index_of_the_third_eigenvector() -> list[Change]:
    """It solves the same equations as the second one; only its eigenvalue tells them apart."""
    with duckdb.connect() as connection:
        SOUND.setup(connection)
        found = complexities(connection, place=2)["economic_complexity"].to_pylist()
    return [
        rows("economic_complexity", year=row["year"], country_code=row["country_code"]).set(eci=row["eci"])
        for row in found
    ]


CASES = [
    case(
        "a good that the pooled years do not make one of high centrality",
        rows("all_years.product_centrality", "not high_centrality_pooled", year=2018).set(high_centrality_pooled=True),
        fails="product_centrality.pooled_high_is_recomputed",
        shows={"year": 2018, "high_centrality_pooled": True, "recomputed": False},
    ),
    case(
        "pooled years that are not all loaded, and goods that are flagged all the same",
        rows("all_years.int_year_settings").set(centrality_years="2016,2017"),
        fails="product_centrality.pooled_high_is_recomputed",
        shows={"year": 2017, "high_centrality_pooled": True, "recomputed": None},
    ),
    case(
        "an importer whose goods together are not its flows",
        rows("diversification", **CHINAS_GOODS_OF_2017).set(import_value_usd=7),
        fails="diversification.totals_match_flows",
        shows={**CHINA_IN_2017, "mart_usd": 7.0},
    ),
    *(
        case(
            f"a good of China's with another {column}",
            rows("category_transitions", importer_code=CHN, hs6=BATTERIES).set(**{column: value}),
            fails="category_transitions.recomputed_from_categories",
            shows={"importer_code": CHN, "hs6": BATTERIES, column: value},
        )
        for column, value in (("categories", "2018:4, 2017:4"), ("last_year_category1", 2019), ("n_changes", 1))
    ),
    *(
        case(
            f"the union's {column}, members' trade with each other in it",
            rows(mart, **UNION_IN_2017, **key).set(**{column: sql(f"{column} * 1.25")}),
            fails=f"{mart}.{check}",
            shows={"year": 2017, **key},
        )
        for mart, key, column, check in (
            ("import_vulnerability", {"importer_code": EU}, "import_value_usd", "totals_match_flows"),
            ("import_vulnerability", {"importer_code": EU}, "export_value_usd", "recomputed_from_flows"),
            ("import_vulnerability", {"importer_code": EU}, "unallocated_value_usd", "recomputed_from_flows"),
            ("vulnerability_summary", {"importer_code": EU}, "import_value_usd", "recomputed_from_flows"),
            ("industry_vulnerability", {"importer_code": EU}, "vulnerability", "recomputed_from_flows"),
            ("exporter_position", {"exporter_code": EU}, "export_value_usd", "totals_match_flows"),
            ("exporter_position", {"exporter_code": EU}, "in_scope_export_value_usd", "recomputed_from_flows"),
        )
    ),
    case(
        "more effective suppliers than suppliers",
        rows("diversification", **CHINAS_GOODS_OF_2017).set(effective_suppliers=sql("n_suppliers + 1")),
        fails="diversification.measures_plausible",
        shows=CHINAS_GOODS_OF_2017,
    ),
    case(
        "a change over five years where the year five years before is not loaded",
        rows("all_years.diversification", **CHINAS_GOODS_OF_2017).set(own_region_share_change_5y=0.1),
        fails="diversification.changes_match_levels",
        shows={**CHINAS_GOODS_OF_2017, "column": "own_region_share_change_5y", "found": 0.1, "expected": None},
    ),
    case(
        "a year that became the fifth after another one, and says nothing of its change",
        rows("all_years.diversification", year=2017).set(year=2013),
        fails="diversification.changes_match_levels",
        shows={"year": 2018, "column": "top_supplier_share_change_5y", "found": None},
    ),
    case(
        "a country that trades and lies in no region",
        rows("countries", country_code=TWN).set(trade_region=None),
        fails="diversification.every_country_has_a_region",
        shows={"country_code": TWN, "iso3": "TWN"},
    ),
    case(
        "a region's share that makes the whole more than 1",
        rows("diversification_regions", **CHINAS_GOODS_OF_2017, is_own_region=True).set(import_share=1),
        fails="diversification_regions.shares_sum_to_one",
        shows=CHINAS_GOODS_OF_2017,
    ),
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
        "exports of a chapter beyond all that the country exports",
        rows("competitiveness_paradox", year=2017, importer_code=CHN).set(export_value_usd=1e12),
        fails="competitiveness_paradox.exports_within_totals",
        shows={"year": 2017, "importer_code": CHN},
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
    *(
        case(
            f"import prices with {words}",
            rows("all_years.import_price_contribution", **CHINAS_BATTERIES).set(**{column: value}),
            fails="import_price_contribution.contributions_sum_to_change",
            shows=CHINAS_BATTERIES,
        )
        for words, column, value in (
            ("suppliers that add up to more than all", "share", 0.9),
            ("suppliers that add up to more than the change", "within", 0.1),
            ("a coverage above 1", "link_coverage", 1.5),
        )
    ),
    *(
        case(
            f"{column} of import prices that is {value} more",
            rows("all_years.import_price_contribution").set(**{column: sql(f"{column} + {value}")}),
            fails="import_price_contribution.recomputed_from_flows",
            shows={"year": 2018},
        )
        for column, value in (
            *(("within", 0.1), ("switching", 0.1), ("relative_contribution", 0.1), ("import_price_change", 0.1)),
            *(("share", 0.1), ("link_coverage", 0.1), ("n_cells", 1)),
        )
    ),
    case(
        "a third year of involution after the first",
        rows("all_years.involution", exporter_code=TWN, hs6=BATTERIES).set(is_involution=True, years_in_a_row=3),
        fails="involution.years_follow_each_other",
        shows={"year": 2018, "exporter_code": TWN, "hs6": BATTERIES, "years_in_a_row": 3, "years_before": None},
    ),
    case(
        "involution where it was not measured",
        rows("all_years.involution", exporter_code=CHN, hs6=BATTERIES).set(years_in_a_row=0),
        fails="involution.years_follow_each_other",
        shows={"exporter_code": CHN, "hs6": BATTERIES, "years_in_a_row": 0},
    ),
    case(
        "a change of value of which no flow knows",
        rows("all_years.involution", exporter_code=TWN, hs6=BATTERIES).set(entry=5e6),
        fails="involution.parts_sum_to_change_of_flows",
        shows={"year": 2018, "exporter_code": TWN, "parts_usd": 5e6},
    ),
    case(
        "changes of a year whose year before is not there",
        add("all_years.involution", {"year": 2017, "exporter_code": TWN, "hs6": BATTERIES, "price_effect": 0}),
        fails="involution.parts_sum_to_change_of_flows",
        shows={"year": 2017, "exporter_code": TWN},
    ),
    *(
        case(
            f"{column} of involution that is another",
            rows("all_years.involution").set(**{column: sql(value)}),
            fails="involution.recomputed_from_flows",
            shows={"year": 2018},
        )
        for column, value in (
            *((part, f"{part} + 1e6") for part in ("price_effect", "quantity_effect", "entry", "exit", "unpriced")),
            *((name, f"10 * {name}") for name in ("value_usd", "fisher", "quantity_fisher", "value_ratio", "n_cells")),
            *((name, f"10 * {name}") for name in ("value_usd_prev", "relative", "link_coverage", "link_coverage_prev")),
            *((flag, f"not {flag}") for flag in ("is_measured", "price_fell", "quantity_rose", "is_involution")),
            *((flag, f"not {flag}") for flag in ("is_revenue_falling", "is_relative")),
            ("not_observed", "not_observed + 1e6"),
        )
    ),
    *(
        case(
            f"{column} of an exporter that is one more",
            rows("all_years.involution_summary", exporter_code=TWN).set(**{column: sql(f"{column} + 1")}),
            fails="involution_summary.recomputed_from_goods",
            shows={"year": 2018, "exporter_code": TWN},
        )
        for column in (
            *("n_goods", "n_measured", "n_price_fell", "n_involution", "n_revenue_falling", "n_relative"),
            *("involution_share", "involution_value_share", "measured_value_share"),
        )
    ),
    *(
        case(
            f"{column} of an exporter's involution that is a million more",
            rows("all_years.involution_summary", exporter_code=TWN).set(**{column: sql(f"{column} + 1e6")}),
            fails="involution_summary.recomputed_from_goods",
            shows={"year": 2018, "exporter_code": TWN},
        )
        for column in (
            *("value_usd", "value_usd_prev", "price_effect", "quantity_effect", "entry", "exit", "unpriced"),
            "not_observed",
        )
    ),
    *(
        case(
            f"{column} of an exporter's kaizen that is another",
            rows("kaizen_trade", exporter_code=TWN).set(**{column: value}),
            fails="kaizen_trade.recomputed_from_rates_and_advantages",
            shows={"exporter_code": TWN, column: value},
        )
        for column, value in (
            *(("n_goods", 3), ("learning_share", 0.5), ("median_learning_rate", 0.2), ("mean_years_in_a_row", 7.0)),
            *(("rca_survival", 0.123), ("rca_entry", 0.123)),
        )
    ),
    case(
        "a learning rate that no exporter's kaizen holds",
        rows("learning_rate", **TAIWAN_LEARNS).set(learning_rate=0.2, b=0.3, p_value=0.01),
        fails="kaizen_trade.recomputed_from_rates_and_advantages",
        shows={"exporter_code": TWN, "n_goods": 0, "n_goods_recomputed": 1, "median_learning_rate_recomputed": 0.2},
    ),
    case(
        "a rate whose interval is not that of its error",
        rows("learning_rate", **TAIWAN_LEARNS).set(
            n=6,
            b=0.3,
            b_se=0.1,
            r2=0.7,
            learning_rate=1 - 2**-0.3,
            learning_rate_se=0.1,
            learning_rate_low=0.1,
            learning_rate_high=0.3,
            p_value=0.04,
        ),
        fails="learning_rate.intervals_follow_from_errors",
        shows={**TAIWAN_LEARNS, "n": 6},
    ),
    case(
        "a rate from too few years",
        rows("learning_rate", **TAIWAN_LEARNS).set(learning_rate=0.2, b=0.3),
        fails="learning_rate.recomputed_from_prices",
        shows={**TAIWAN_LEARNS, "learning_rate": 0.2, "learning_rate_recomputed": None},
    ),
    *(
        case(
            f"{column} of learning that is another",
            rows("learning_rate").set(**{column: value}),
            fails="learning_rate.recomputed_from_prices",
            shows={column: value},
        )
        for column, value in (
            *(("n", 3), ("first_year", 2016), ("last_year", 2019), ("doublings", 1.5), ("reason", "no_price")),
            *(("b", 0.1), ("r2", 0.5), ("small_sample", True)),
        )
    ),
    case(
        "a good without a network",
        rows("product_network", **BATTERIES_OF_2017).remove(),
        fails="product_network.goods_match_centrality",
        shows={**BATTERIES_OF_2017, "in_product_network": False, "in_product_centrality": True},
    ),
    case(
        "the network of a good that nobody trades",
        add("product_network", {"year": 2017, "hs6": "010599", "n_links": 1}),
        fails="product_network.goods_match_centrality",
        shows={"hs6": "010599", "in_product_centrality": False},
    ),
    *(
        case(
            f"a network with {words}",
            rows("product_network", **BATTERIES_OF_2017).set(**{column: value}),
            fails="product_network.measures_plausible",
            shows={**BATTERIES_OF_2017, column: value},
        )
        for words, column, value in (
            ("more links than pairs of countries", "n_links", 99),
            ("more parts than countries allow", "n_components", 3),
            ("a largest part of more countries than there are", "largest_component", 5),
            ("a path through more countries than there are", "diameter", 4),
            ("links and no diameter", "diameter", None),
            ("more reciprocity than links", "reciprocity", 1.5),
            ("clustering above 1", "clustering", 1.1),
            ("no clustering and its product", "clustering", None),
            ("a leader below the mean", "top_pagerank", 0.1),
            ("a leader of buyers below the mean", "top_buyer_pagerank", 0.1),
        )
    ),
    case(
        "another country at the centre",
        rows("product_network", year=2018).set(top_pagerank_code=999),
        fails="product_network.recomputed_from_flows",
        shows={"year": 2018, "top_pagerank_code": 999},
    ),
    case(
        "a year in which no country has an index",
        rows("economic_complexity", year=2017).set(eci=None, eci_rank=None),
        fails="economic_complexity.index_is_defined",
        shows={"year": 2017, "countries": 4, "goods": 8},
    ),
    *(
        case(
            f"a country {words}",
            rows("economic_complexity", **TAIWAN_OF_2017).set(**{column: sql(value)}),
            fails="economic_complexity.measures_plausible",
            shows={**TAIWAN_OF_2017},
        )
        for words, column, value in (
            ("with more advantages than goods", "diversity", "n_products + 1"),
            ("with goods and no exports", "export_value_usd", "0"),
            ("without an index among others that have one", "eci", "null"),
            ("further from the mean than the spread allows", "eci", "eci + 1"),
        )
    ),
    case(
        "ranks of countries that begin with the second",
        rows("economic_complexity", year=2017).set(eci_rank=sql("eci_rank + 1")),
        fails="economic_complexity.measures_plausible",
        shows=TAIWAN_OF_2017,
    ),
    case(
        "an index that falls with diversity",
        rows("economic_complexity", year=2018).set(eci=sql("-eci")),
        fails="economic_complexity.measures_plausible",
        shows={"year": 2018},
    ),
    case(
        "two countries with each other's index",
        rows("economic_complexity", "country_code in (392, 842)", year=2018).set(
            eci=sql("(select sum(eci) from economic_complexity where year = 2018 and country_code in (392, 842)) - eci")
        ),
        fails="economic_complexity.recomputed_from_flows",
        shows={"year": 2018},
    ),
    case(
        "the index of a smaller eigenvalue",
        *index_of_the_third_eigenvector(),
        fails="economic_complexity.index_is_the_strongest",
        shows={"year": 2018},
    ),
    case(
        "a good without an index",
        rows("product_complexity", **BATTERIES_OF_2017).remove(),
        fails="product_complexity.goods_match_centrality",
        shows={**BATTERIES_OF_2017, "in_product_complexity": False},
    ),
    case(
        "the index of a good that some export with an advantage left out",
        rows("product_complexity", **BATTERIES_OF_2017).set(pci=None, pci_rank=None),
        fails="product_complexity.measures_plausible",
        shows={**BATTERIES_OF_2017, "pci": None},
    ),
    case(
        "ranks of goods that begin with the second",
        rows("product_complexity", year=2017).set(pci_rank=sql("pci_rank + 1")),
        fails="product_complexity.measures_plausible",
        shows={"year": 2017, "first_rank": 2},
    ),
    case(
        "an advantage below nothing",
        rows("product_space", country_code=TWN, **BATTERIES_OF_2017).set(rca=-1),
        fails="product_space.measures_plausible",
        shows={"country_code": TWN, **BATTERIES_OF_2017, "rca": -1.0},
    ),
    case(
        "a density above 1",
        rows("product_space", country_code=TWN, **BATTERIES_OF_2017).set(density=1.5),
        fails="product_space.measures_plausible",
        shows={"country_code": TWN, **BATTERIES_OF_2017, "density": 1.5},
    ),
    case(
        "a good that one country has not",
        rows("product_space", country_code=TWN, **BATTERIES_OF_2017).remove(),
        fails="product_space.counts_match_complexity",
        shows={**TAIWAN_OF_2017, "goods": 7, "goods_of_year": 8},
    ),
    case(
        "an advantage in every good",
        rows("product_space", country_code=TWN, year=2017).set(rca=2),
        fails="product_space.counts_match_complexity",
        shows={**TAIWAN_OF_2017, "advantages": 8},
    ),
    case(
        "a country that exports and has no row",
        rows("product_space", country_code=TWN, year=2017).remove(),
        fails="product_space.counts_match_complexity",
        shows={**TAIWAN_OF_2017, "goods": None},
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
        "a loss that is not the cut of what is exposed",
        rows("shock_exposure", **US_TO_CHINA, year=2017).set(loss_usd=sql("loss_usd / 2")),
        fails="shock_exposure.totals_match_flows",
        shows={**US_TO_CHINA, "year": 2017, "cut": 0.02},
    ),
    case(
        "an industry of a pair that has no row",
        rows("shock_exposure_industry", **US_TO_CHINA, year=2017, hs2="85").remove(),
        fails="shock_exposure_industry.industries_sum_to_pairs",
        shows={**US_TO_CHINA, "year": 2017, "n_goods": 7, "goods": 4},
    ),
    case(
        "a good that an importer does not lose",
        rows("supplier_removal", **US_TO_CHINA, **BATTERIES_OF_2017).remove(),
        fails="supplier_removal.all_flows_are_lost",
        shows={"exporter_code": USA, **BATTERIES_OF_2017},
    ),
    case(
        "a pool that one of its losers has for itself",
        rows("supplier_removal", **US_TO_CHINA, **BATTERIES_OF_2017).set(shortfall_usd=0),
        fails="supplier_removal.pools_are_shared_whole",
        shows={"exporter_code": USA, **BATTERIES_OF_2017},
    ),
    case(
        "a supplier that has others to sell to, said to have none",
        rows("import_suppliers", importer_code=CHN, supplier_code=USA, **BATTERIES_OF_2017).set(supplies_others=False),
        fails="import_suppliers.recomputed_from_flows",
        shows={"importer_code": CHN, "supplier_code": USA, **BATTERIES_OF_2017},
    ),
    case(
        "a good of which a supplier is missing",
        rows("import_suppliers", importer_code=CHN, supplier_code=USA, **BATTERIES_OF_2017).remove(),
        fails="import_suppliers.recomputed_from_flows",
        shows={"importer_code": CHN, "supplier_code": USA, **BATTERIES_OF_2017},
    ),
    case(
        "a scenario of goods that the HS does not have",
        rows("stg_scenarios").set(goods="8549"),
        fails="scenario_losses.exporters_and_goods_are_known",
        shows={"file_name": "mine.csv", "file_row": 2, "goods": "8549"},
    ),
    case(
        "a scenario of an exporter that is in no table",
        rows("stg_scenarios").set(exporter_iso3="TUV"),
        fails="scenario_losses.exporters_and_goods_are_known",
        shows={"file_row": 2, "exporter_iso3": "TUV"},
    ),
    case(
        "a scenario in which nobody buys anything",
        rows("all_years.scenario_losses").remove(),
        fails="scenario_losses.scenarios_trade",
        shows={"scenario_id": "chips", "file_name": "mine.csv", "file_row": 2},
    ),
    case(
        "an exporter of the settings that exports nothing",
        rows("int_year_settings").set(shock_exporters="842,7"),
        fails="supplier_removal.exporters_export",
        shows={"exporter_code": 7},
    ),
    *(
        case(
            f"{column} of an importer ten times what it is",
            rows("supplier_removal_summary", **US_TO_CHINA, year=2017).set(**{column: sql(f"10 * {column} + 1")}),
            fails="supplier_removal_summary.recomputed_from_goods",
            shows={**US_TO_CHINA, "year": 2017},
        )
        for column in (
            "n_goods",
            "n_irreplaceable",
            "lost_usd",
            "shortfall_usd",
            "shortfall_share",
            "replaceable_share",
        )
    ),
    case(
        "a class of goods that is missing",
        rows("relocation", **US_TO_CHINA, year=2017, bec_class="other").remove(),
        fails="relocation.classes_sum_to_totals",
        shows={**US_TO_CHINA, "year": 2017, "n_goods": 8, "goods": 7},
    ),
    case(
        "goods that continued counted among those that came",
        rows("relocation_growth", **US_TO_CHINA, bec_class="other").set(margin="entry_supplier"),
        fails="relocation_growth.recomputed_from_flows",
        shows={**US_TO_CHINA, "margin": "entry_supplier", "n_goods": 1, "n_goods_recomputed": None},
    ),
    case(
        "a pair that grew in the later year by what it did not sell",
        rows("relocation_growth", **US_TO_CHINA, bec_class="other").set(delta_usd=5e6, contribution=0.1),
        fails="relocation_growth.sums_to_change_of_pairs",
        shows={**US_TO_CHINA, "deltas_usd": 5e6},
    ),
    case(
        "a pair of the settings that trades nothing",
        rows("all_years.bilateral_totals", **US_TO_CHINA).remove(),
        fails="relocation_growth.pairs_trade",
        shows=US_TO_CHINA,
    ),
    case(
        "a surplus of the wrong sign",
        rows("relocation_surplus", a_code=USA, c_code=JPN, year=2018).set(surplus_a_c_usd=sql("-surplus_a_c_usd")),
        fails="relocation_surplus.recomputed_from_totals",
        shows={"a_code": USA, "b_code": CHN, "c_code": JPN, "year": 2018},
    ),
    case(
        "a shift of production where no surplus changed",
        rows("relocation_surplus", a_code=USA, c_code=EU, year=2018).set(shift_usd=1e6),
        fails="relocation_surplus.recomputed_from_totals",
        shows={"a_code": USA, "c_code": EU, "year": 2018, "shift_usd": 1e6, "shift_usd_recomputed": 0.0},
    ),
    *(
        case(
            f"{column} of a destination one lower than it is",
            rows("destination_ranks", **US_TO_CHINA, year=2017).set(**{column: sql(f"{column} + 1")}),
            fails="destination_ranks.recomputed_from_totals",
            shows={**US_TO_CHINA, "year": 2017},
        )
        for column in ("destination_rank", "destination_rank_without_hkg")
    ),
    case(
        "a report of the exporter that it did not send",
        rows("destination_ranks", **US_TO_CHINA, year=2017).set(destination_rank_exporter_report=1),
        fails="destination_ranks.recomputed_from_totals",
        shows={
            **US_TO_CHINA,
            "destination_rank_exporter_report": 1,
            "destination_rank_exporter_report_recomputed": None,
        },
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


def test_flows_are_never_compared_one_by_one_with_another_table() -> None:
    """Queries that read all flows join them by keys: with ten million flows a year, nested loops have no end.

    The goods of a scenario are found by their first digits in the list of goods, before any flow is read.
    """
    loops = ("NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "DELIM_JOIN")
    found = []
    with duckdb.connect() as connection:
        SOUND.setup(connection)
        for name, query in TRADE_MARTS.prepare.items():
            plan = str(connection.execute(f"explain {query}").fetchall())
            if "trade_flows" in query and any(each in plan for each in loops):
                found.append(name)
            connection.execute(f"create table {name} as {query}")
    assert found == ["scenario_lines"]
