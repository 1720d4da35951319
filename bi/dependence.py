"""The dashboard of dependence: exposed goods and their suppliers, exporters, shocks, and the published figures."""

from __future__ import annotations

from bi.dashboard import (
    COUNT,
    INDEX,
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
from bi.every_page import CATEGORY, IMPORTER, OF_IMPORTER, OF_YEAR, THIS_RELEASE, YEAR

DATASETS = (
    Dataset("import_vulnerability"),
    Dataset(
        "industry_vulnerability",
        metrics=(Metric("Vulnerability (V)", "avg(vulnerability)", INDEX),),
    ),
    Dataset("product_centrality"),
    Dataset(
        "exporter_position",
        metrics=(
            Metric("First", "sum(n_high_centrality_rank1)", COUNT),
            Metric("Second or third", "sum(n_high_centrality_top3 - n_high_centrality_rank1)", COUNT),
            Metric("Among the first three", "sum(n_high_centrality_top3)", COUNT),
            Metric(
                "Share of its central goods",
                ratio("n_high_centrality_top3", "n_high_centrality"),
                SHARE,
            ),
            Metric("Share of all its goods", ratio("n_top3", "n_goods"), SHARE),
        ),
    ),
    Dataset("import_suppliers"),
    Dataset(
        "diversification",
        metrics=(
            Metric("Effective suppliers", "avg(effective_suppliers)", ".2f"),
            Metric("Imports, USD", "sum(import_value_usd)", VALUE),
        ),
    ),
    Dataset("scenario_losses"),
    Dataset("published_benchmarks"),
)

_VULNERABILITY = Section(
    "Vulnerability",
    (
        (
            Bars(
                title="How much of each importer's imports is doubly exposed?",
                about="Share of import value by category: goods in scope that hang on central exporters, that are "
                "bought from few, both or neither. The 15 largest importers of the year.",
                dataset="vulnerability_summary",
                width=5,
                x="importer_name",
                metrics=tuple(CATEGORY.values()),
                stacked=True,
                horizontal=True,
                format=".0%",
                order="Imports in scope, USD",
                limit=15,
                scope=frozenset({YEAR}),
            ),
            Bars(
                title="Is that share growing?",
                about="The importer's import value by category, year by year; colours as in the chart beside.",
                dataset="vulnerability_summary",
                width=3,
                x="year",
                metrics=tuple(CATEGORY.values()),
                stacked=True,
                legend=False,
                format=".0%",
                order="year",
                ascending=True,
                limit=100,
                scope=frozenset({IMPORTER}),
            ),
            Bars(
                title="Which of its industries are most exposed?",
                about="HS chapters by V: vulnerability weighted by import value.",
                dataset="industry_vulnerability",
                width=4,
                x="hs2_name",
                metrics=("Vulnerability (V)",),
                horizontal=True,
                format=INDEX,
                order="Vulnerability (V)",
                limit=12,
                scope=frozenset({YEAR, IMPORTER}),
            ),
        ),
        (
            Table(
                title="Which goods is the importer most exposed to?",
                about="Goods in scope with the highest vulnerability index, and who supplies them.",
                dataset="import_vulnerability",
                width=12,
                columns=(
                    "year",
                    "importer_name",
                    "hs6",
                    "hs6_name",
                    "category",
                    "vulnerability_index",
                    "import_value_usd",
                    "n_suppliers",
                    "top_supplier_name",
                    "top_supplier_share",
                ),
                formats={
                    "year": "d",
                    "vulnerability_index": INDEX,
                    "import_value_usd": VALUE,
                    "top_supplier_share": SHARE,
                },
                where=(Where("vulnerability_index", "IS NOT NULL"),),
                order="vulnerability_index",
                limit=25,
                scope=frozenset({YEAR, IMPORTER}),
            ),
        ),
    ),
)
_SUPPLIERS = Section(
    "Suppliers",
    (
        (
            Table(
                title="Who supplies the importer's goods, and sells how much of them elsewhere?",
                about="The largest supplies of the year: the supplier's share of the importer's imports, of the "
                "world's exports, and of what the world sells to others than the importer.",
                dataset="import_suppliers",
                width=8,
                columns=(
                    "year",
                    "importer_name",
                    "hs6",
                    "hs6_name",
                    "supplier_name",
                    "value_usd",
                    "share",
                    "world_export_share",
                    "outside_share",
                ),
                formats={
                    "year": "d",
                    "value_usd": VALUE,
                    "share": SHARE,
                    "world_export_share": SHARE,
                    "outside_share": SHARE,
                },
                order="value_usd",
                limit=50,
                scope=frozenset({YEAR, IMPORTER}),
            ),
            Lines(
                title="Do the largest importers buy from more suppliers than before?",
                about="Effective suppliers of goods in scope (the mean of 1/HHI, weighted by value), six importers.",
                dataset="diversification",
                width=4,
                x="year",
                metric="Effective suppliers",
                series="importer_name",
                n_series=6,
                largest_by="Imports, USD",
                format=".1f",
                where=(Where("product_level", "==", "scope"),),
                order="year",
                ascending=True,
                limit=10000,
            ),
        ),
        (
            Table(
                title="What does each importer lose in a stated scenario?",
                about="First-order losses of the year, and how much of them other exporters could deliver.",
                dataset="scenario_losses",
                width=12,
                columns=(
                    "year",
                    "title",
                    "importer_name",
                    "n_goods",
                    "loss_usd",
                    "loss_share",
                    "replaceable_share",
                    "shortfall_usd",
                ),
                formats={
                    "year": "d",
                    "loss_usd": VALUE,
                    "loss_share": SHARE,
                    "replaceable_share": SHARE,
                    "shortfall_usd": VALUE,
                },
                order="loss_usd",
                limit=30,
                scope=frozenset({YEAR}),
            ),
        ),
    ),
)
_EXPORTERS = Section(
    "Exporters",
    (
        (
            Bars(
                title="Who holds the high-centrality goods?",
                about="High-centrality goods in which a country is the largest exporter, or second or third.",
                dataset="exporter_position",
                width=6,
                x="exporter_name",
                metrics=("First", "Second or third"),
                stacked=True,
                horizontal=True,
                format=COUNT,
                order="Among the first three",
                limit=12,
                scope=frozenset({YEAR}),
            ),
            Bars(
                title="In what share of its goods is an exporter among the first three?",
                about="The exporters that stand most often among the first three in high-centrality goods.",
                dataset="exporter_position",
                width=6,
                x="exporter_name",
                metrics=("Share of its central goods", "Share of all its goods"),
                horizontal=True,
                format=".0%",
                order="Among the first three",
                limit=12,
                scope=frozenset({YEAR}),
            ),
        ),
        (
            Table(
                title="Which goods hang on few, central exporters?",
                about="High-centrality goods by export centrality.",
                dataset="product_centrality",
                width=12,
                columns=(
                    "year",
                    "hs6",
                    "hs6_name",
                    "export_centrality",
                    "world_exports_usd",
                    "n_exporters",
                    "n_importers",
                    "top_exporter_name",
                    "top_exporter_share",
                    "top3_exporter_share",
                ),
                formats={
                    "year": "d",
                    "export_centrality": INDEX,
                    "world_exports_usd": VALUE,
                    "top_exporter_share": SHARE,
                    "top3_exporter_share": SHARE,
                },
                where=(Where("high_centrality", "==", True),),
                order="export_centrality",
                limit=25,
                scope=frozenset({YEAR}),
            ),
        ),
    ),
)
_FIGURES = Section(
    "Published figures",
    (
        (
            Table(
                title="Which published figures do these inputs reproduce?",
                about="The literature's figure beside ours, and a verdict that follows by rule.",
                dataset="published_benchmarks",
                width=12,
                height=60,
                columns=(
                    "source",
                    "statement",
                    "published_text",
                    "computed_value",
                    "computed_text",
                    "difference",
                    "verdict",
                    "years",
                    "inputs",
                ),
                formats={"computed_value": ",.4~g", "difference": "+,.3~g"},
                order="place",
                ascending=True,
                limit=100,
            ),
        ),
    ),
)

DEPENDENCE = Dashboard(
    title="Chokepoint",
    slug="chokepoint",
    about="Which goods a country buys from too few suppliers, who they are, and what would be lost without them. "
    "Every column is explained in docs/data-dictionary.md and in the datasets; the release's `manifest.json` says what "
    "it was built from and which checks it passed.",
    sections=(THIS_RELEASE, _VULNERABILITY, _SUPPLIERS, _EXPORTERS, _FIGURES),
    filters=(OF_YEAR, OF_IMPORTER),
)
