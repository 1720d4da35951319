"""The dashboard of prices: unit values by sector, who supplies the world, learning, and more for less.

Unit values are not price indices (docs/prices.md): every chart says so or says what it rests on.
"""

from __future__ import annotations

from bi.dashboard import (
    COUNT,
    SHARE,
    VALUE,
    Bars,
    Dashboard,
    Dataset,
    Lines,
    Metric,
    Section,
    Table,
    Where,
    ratio,
)
from bi.every_page import IMPORTER, OF_IMPORTER, OF_YEAR, THIS_RELEASE, YEAR

DATASETS = (
    Dataset(
        "export_price_index",
        metrics=(
            Metric("Chained unit value", "avg(chain_fisher)", ".3f"),
            Metric("Exports, USD", "sum(value_usd)", VALUE),
        ),
        calculated={"sector_and_exporter": "product_name || ': ' || exporter_name"},
    ),
    Dataset(
        "supply_share",
        metrics=(Metric("Share of world exports", "avg(value_share)", SHARE),),
    ),
    Dataset("capacity_concentration"),
    Dataset("learning_rate"),
    Dataset("import_price_contribution"),
    Dataset(
        "involution_summary",
        metrics=(
            Metric("Goods with more for less", "sum(n_involution)", COUNT),
            Metric("Share of measured goods", ratio("n_involution", "n_measured"), SHARE),
        ),
    ),
)

_PRICES = Section(
    "Unit values of exports",
    (
        (
            Lines(
                title="How did unit values of the sectors move?",
                about="Chained Fisher indices of unit values, in USD; they are not price indices. The eight largest "
                "exporters by sector.",
                dataset="export_price_index",
                width=8,
                x="year",
                metric="Chained unit value",
                series="sector_and_exporter",
                n_series=8,
                largest_by="Exports, USD",
                format=".2f",
                where=(
                    Where("product_level", "==", "sector"),
                    Where("basis", "==", "baseline"),
                    Where("chain_fisher", "IS NOT NULL"),
                ),
                order="year",
                ascending=True,
                limit=10000,
            ),
            Bars(
                title="Who sells more for less?",
                about="Goods whose price fell while the quantity rose, in the year; exporters with most of them.",
                dataset="involution_summary",
                width=4,
                x="exporter_name",
                metrics=("Goods with more for less",),
                horizontal=True,
                format=COUNT,
                order="Goods with more for less",
                limit=12,
                scope=frozenset({YEAR}),
            ),
        ),
        (
            Table(
                title="Which suppliers move the importer's import prices?",
                about="All goods: what each supplier adds, by its own unit values and by the move to it. Coverage says "
                "how much of the trade is matched.",
                dataset="import_price_contribution",
                width=12,
                columns=(
                    "year",
                    "importer_name",
                    "exporter_name",
                    "share",
                    "within",
                    "switching",
                    "import_price_change",
                    "link_coverage",
                ),
                formats={
                    "year": "d",
                    "share": SHARE,
                    "within": "+.2%",
                    "switching": "+.2%",
                    "import_price_change": "+.2%",
                    "link_coverage": SHARE,
                },
                where=(Where("product_level", "==", "all"),),
                order="share",
                limit=15,
                scope=frozenset({YEAR, IMPORTER}),
            ),
        ),
    ),
)
_SUPPLY = Section(
    "Supply and learning",
    (
        (
            Bars(
                title="Who supplies the world with each sector?",
                about="Shares of world exports; exports stand in for capacity.",
                dataset="supply_share",
                width=6,
                x="product_name",
                series="exporter_name",
                metrics=("Share of world exports",),
                stacked=True,
                format=".0%",
                where=(Where("product_level", "==", "sector"),),
                order="Share of world exports",
                limit=200,
                scope=frozenset({YEAR}),
            ),
            Table(
                title="In which chapters do few countries hold the world's exports?",
                about="HS chapters by concentration of exports.",
                dataset="capacity_concentration",
                width=6,
                columns=("year", "product_name", "top1_name", "top1_share", "top3_share", "export_hhi", "n_exporters"),
                formats={"year": "d", "top1_share": SHARE, "top3_share": SHARE, "export_hhi": ".3f"},
                where=(Where("product_level", "==", "hs2"),),
                order="export_hhi",
                limit=25,
                scope=frozenset({YEAR}),
            ),
        ),
        (
            Table(
                title="How much cheaper does a product become when output doubles?",
                about="Learning rates with their 95 % interval, with how good they are.",
                dataset="learning_rate",
                width=12,
                columns=(
                    "product_level",
                    "product_name",
                    "exporter_name",
                    "learning_rate",
                    "learning_rate_low",
                    "learning_rate_high",
                    "n",
                    "r2",
                    "quality",
                    "small_sample",
                ),
                formats={
                    "learning_rate": SHARE,
                    "learning_rate_low": SHARE,
                    "learning_rate_high": SHARE,
                    "r2": ".2f",
                },
                where=(Where("cumulative", "==", "own"), Where("product_level", "==", "sector")),
                order="learning_rate",
                limit=25,
            ),
        ),
    ),
)

PRICES = Dashboard(
    title="Chokepoint prices",
    slug="chokepoint-prices",
    about="How unit values of exports moved, who supplies the world, how fast products become cheaper, and who sells "
    "ever more for ever less. Unit values are not price indices: docs/prices.md says what they rest on.",
    sections=(THIS_RELEASE, _PRICES, _SUPPLY),
    filters=(OF_YEAR, OF_IMPORTER),
)
