"""The dashboard of value chains and politics: positions in chains, what lies behind a supplier, how far it stands."""

from __future__ import annotations

from bi.dashboard import SHARE, VALUE, Bars, Dashboard, Dataset, Lines, Metric, Section, Table, Where
from bi.every_page import IMPORTER, OF_IMPORTER, OF_YEAR, THIS_RELEASE, YEAR

_CLOSENESS = ("Close", "Middle", "Distant", "Unscored")

DATASETS = (
    Dataset(
        "political_exposure",
        metrics=(
            *(Metric(label, f"avg(share_{label.lower()})", SHARE) for label in _CLOSENESS),
            Metric("Mean distance", "avg(mean_distance)", ".2f"),
            Metric("Imports of goods in scope, USD", "sum(import_value_usd)", VALUE),
        ),
    ),
    Dataset("political_exposure_supplier"),
    Dataset(
        "gvc_position_country",
        metrics=(
            Metric("Position", "avg(position)", ".3f"),
            Metric("Output, USD", "sum(gross_output_usd)", VALUE),
        ),
        calculated={"country_and_edition": "country_iso3 || ' (' || edition || ')'"},
    ),
    Dataset("supplier_exposure"),
    Dataset("shock_exposure_io"),
)

_POLITICS = Section(
    "Political distance",
    (
        (
            Bars(
                title="Which part of each importer's imports comes from close countries?",
                about="Goods in scope by distance of the ideal points: terciles of all pairs. The 15 largest.",
                dataset="political_exposure",
                width=7,
                x="importer_name",
                metrics=_CLOSENESS,
                stacked=True,
                horizontal=True,
                format=".0%",
                where=(Where("share_close", "IS NOT NULL"),),
                order="Imports of goods in scope, USD",
                limit=15,
                scope=frozenset({YEAR}),
            ),
            Lines(
                title="Do importers buy from farther away, politically?",
                about="Mean distance of suppliers, weighted by imports; the six largest importers.",
                dataset="political_exposure",
                width=5,
                x="year",
                metric="Mean distance",
                series="importer_name",
                n_series=6,
                largest_by="Imports of goods in scope, USD",
                format=".2f",
                where=(Where("mean_distance", "IS NOT NULL"),),
                order="year",
                ascending=True,
                limit=10000,
            ),
        ),
        (
            Table(
                title="Which suppliers make the importer's supply risky, and are they friends?",
                about="What each supplier adds to the risk: concentration alone, and with distance and capability.",
                dataset="political_exposure_supplier",
                width=12,
                columns=(
                    "year",
                    "importer_name",
                    "exporter_name",
                    "import_value_usd",
                    "share",
                    "closeness",
                    "distance",
                    "risk_econ",
                    "risk_pol",
                    "risk_pol_own",
                ),
                formats={
                    "year": "d",
                    "import_value_usd": VALUE,
                    "share": SHARE,
                    "distance": ".2f",
                    "risk_econ": ".4f",
                    "risk_pol": ".4f",
                    "risk_pol_own": ".4f",
                },
                order="share",
                limit=15,
                scope=frozenset({YEAR, IMPORTER}),
            ),
        ),
    ),
)
_CHAINS = Section(
    "Value chains",
    (
        (
            Lines(
                title="At which end of the chain do countries stand?",
                about="Position of all sectors together in the input-output tables: higher is more upstream.",
                dataset="gvc_position_country",
                width=5,
                x="year",
                metric="Position",
                series="country_and_edition",
                n_series=8,
                largest_by="Output, USD",
                format=".2f",
                where=(Where("sector_group", "==", "all"), Where("position", "IS NOT NULL")),
                order="year",
                ascending=True,
                limit=10000,
            ),
            Table(
                title="How much of what a sector uses is one country's, once one looks through the chain?",
                about="Shares of a foreign supplier in what a sector uses, at face value and looked through.",
                dataset="supplier_exposure",
                width=7,
                columns=(
                    "edition",
                    "year",
                    "country_iso3",
                    "sector",
                    "exporter_iso3",
                    "face_value_share",
                    "lookthrough_share",
                ),
                formats={"year": "d", "face_value_share": SHARE, "lookthrough_share": SHARE},
                where=(Where("exporter_iso3", "==", "CHN"), Where("is_complete", "==", True)),
                order="lookthrough_share",
                limit=30,
                scope=frozenset({YEAR}),
            ),
        ),
        (
            Table(
                title="Which sectors would lack most if a supplier delivered less?",
                about="The cut of CHOKEPOINT_SHOCK_CUT: what a sector lacks at first, and with what stands behind it.",
                dataset="shock_exposure_io",
                width=12,
                columns=(
                    "edition",
                    "year",
                    "exporter_iso3",
                    "country_iso3",
                    "sector",
                    "cut",
                    "direct_loss_usd",
                    "propagated_loss_usd",
                    "propagated_loss_share",
                ),
                formats={
                    "year": "d",
                    "cut": SHARE,
                    "direct_loss_usd": VALUE,
                    "propagated_loss_usd": VALUE,
                    "propagated_loss_share": ".2%",
                },
                order="propagated_loss_usd",
                limit=30,
                scope=frozenset({YEAR}),
            ),
        ),
    ),
)

CHAINS = Dashboard(
    title="Chokepoint chains and politics",
    slug="chokepoint-chains-and-politics",
    about="How far a country's suppliers stand from it politically, where countries stand in value chains, and what "
    "lies behind a supplier: docs/politics.md and docs/chains.md.",
    sections=(THIS_RELEASE, _POLITICS, _CHAINS),
    filters=(OF_YEAR, OF_IMPORTER),
)
