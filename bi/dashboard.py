"""What the dashboard shows: datasets with their metrics, charts, sections and filters, in no tool's own terms.

Columns, types and descriptions are not here: they come from the marts' contract. How Superset writes all this down is
in `superset_bundle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

TITLE = "Chokepoint"
SHARE, COUNT, VALUE, INDEX = ".1%", ",d", ".3s", ".3f"


@dataclass(frozen=True)
class Metric:
    """An SQL aggregate over a dataset, under the name and in the d3 format that it is shown in."""

    name: str
    expression: str
    format: str


@dataclass(frozen=True)
class Dataset:
    """A mart, or (with `sql`) a query over marts.

    added       columns of `sql` beyond the mart's own: name -> the mart whose contract describes it
    calculated  further columns: name -> SQL expression
    """

    mart: str
    name: str = ""
    metrics: Sequence[Metric] = ()
    sql: str | None = None
    added: Mapping[str, str] = field(default_factory=dict)
    calculated: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Its name in Superset."""
        return self.name or self.mart


@dataclass(frozen=True)
class Where:
    """A condition on one column; operators as Superset has them."""

    column: str
    operator: Literal["==", ">", ">=", "IS NOT NULL"]
    value: str | int | bool | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What every chart has: a question as its title, a dataset, its size (of 12 columns, in units of 8 pixels).

    order     column or metric to sort by, largest first unless `ascending`; `limit` rows
    scope     the filters of the dashboard that it obeys
    """

    title: str
    about: str
    dataset: str
    width: int
    height: int = 46
    order: str
    ascending: bool = False
    limit: int
    where: Sequence[Where] = ()
    scope: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Table(Chart):
    """Rows: `columns` as they are, or (with `metrics`) aggregated by them.

    formats   d3's, by column
    alarm     (column, text): cells of the column that begin with the text are red
    """

    columns: Sequence[str]
    metrics: Sequence[str] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    alarm: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """Bars of one or more metrics by the values of `x`, or of one metric by `x` and `series`."""

    x: str
    metrics: Sequence[str]
    series: str | None = None
    stacked: bool = False
    horizontal: bool = False
    legend: bool = True
    format: str


@dataclass(frozen=True, kw_only=True)
class Lines(Chart):
    """A metric over the years `x`, one line for each of the `n_series` values of `series` with most of `largest_by`."""

    x: str
    metric: str
    series: str
    n_series: int
    largest_by: str
    format: str


@dataclass(frozen=True)
class Section:
    """A heading and the rows of charts below it; widths in a row add up to 12."""

    title: str
    rows: Sequence[Sequence[Chart]]


@dataclass(frozen=True)
class Filter:
    """A choice of one value, at the start the first: values are sorted by themselves or a metric, largest first."""

    name: str
    dataset: str
    column: str
    about: str
    sort_metric: str | None = None


def _ratio(numerator: str, denominator: str) -> str:
    return f"sum({numerator}) / nullif(sum({denominator}), 0)"


_APPROVAL = Metric("Approval share", _ratio("granted", "granted + denied"), SHARE)
_REQUESTS = Metric("Requests", "sum(requests)", COUNT)
_CATEGORY = {
    1: "1 Both",
    2: "2 Central",
    3: "3 Concentrated",
    4: "4 Neither",
}
COLOURS = dict(zip(_CATEGORY.values(), ("#c0392b", "#e59866", "#f4d03f", "#aeb6bf"), strict=True))


def _of_countries(mart: str) -> str:
    """The mart without the European Union as one economy, which stands beside its members."""
    return f"select * from marts.{mart} where economy_kind = 'country'"


DATASETS = (
    Dataset(
        "release_info",
        calculated={"data": "case when synthetic then 'SYNTHETIC: made up by the sample generator' else 'real' end"},
    ),
    Dataset(
        "vulnerability_summary",
        sql=_of_countries("vulnerability_summary"),
        metrics=(
            Metric("Imports in scope, USD", "sum(import_value_usd)", VALUE),
            *(
                Metric(
                    label,
                    f"sum(case when category = {category} then import_value_usd else 0 end) "
                    "/ nullif(sum(import_value_usd), 0)",
                    SHARE,
                )
                for category, label in _CATEGORY.items()
            ),
        ),
    ),
    Dataset(
        "import_vulnerability",
        name="exposed_goods",
        sql=_of_countries("import_vulnerability"),
    ),
    Dataset(
        "industry_vulnerability",
        sql=_of_countries("industry_vulnerability"),
        metrics=(Metric("Vulnerability (V)", "avg(vulnerability)", INDEX),),
    ),
    Dataset("product_centrality"),
    Dataset(
        "exporter_position",
        sql=_of_countries("exporter_position"),
        metrics=(
            Metric("First", "sum(n_high_centrality_rank1)", COUNT),
            Metric("Second or third", "sum(n_high_centrality_top3 - n_high_centrality_rank1)", COUNT),
            Metric("Among the first three", "sum(n_high_centrality_top3)", COUNT),
            Metric(
                "Share of its central goods",
                _ratio("n_high_centrality_top3", "n_high_centrality"),
                SHARE,
            ),
            Metric("Share of all its goods", _ratio("n_top3", "n_goods"), SHARE),
        ),
    ),
    Dataset(
        "exclusion_rates",
        metrics=(
            _REQUESTS,
            _APPROVAL,
            Metric("Without the largest filer", "avg(approval_share_without_top_requester)", SHARE),
        ),
    ),
    Dataset("exclusion_rates_by_industry", metrics=(_REQUESTS, _APPROVAL)),
    Dataset("exclusion_rates_by_end_use", metrics=(_REQUESTS, _APPROVAL)),
    Dataset("exclusion_requesters", metrics=(_REQUESTS, _APPROVAL)),
    Dataset(
        "patent_country_summary",
        metrics=(
            Metric("Applications", "sum(applications)", ",.0f"),
            Metric("Core share", _ratio("core_applications", "applications - unclassified_applications"), SHARE),
        ),
    ),
    Dataset(
        "patent_core_share",
        metrics=(
            Metric("Applications", "sum(applications)", ",.0f"),
            Metric("Core applications", "sum(core_applications)", ",.1f"),
            Metric("Core share", _ratio("core_applications", "applications"), SHARE),
        ),
    ),
    Dataset("published_benchmarks"),
)

FILTERS = (
    Filter("Year", "vulnerability_summary", "year", "Of all trade charts but those over time."),
    Filter(
        "Importer",
        "vulnerability_summary",
        "importer_name",
        "The country whose imports are shown; the largest importer first.",
        sort_metric="Imports in scope, USD",
    ),
)
YEAR, IMPORTER = "Year", "Importer"

INTRODUCTION = """Which goods a country buys from too few suppliers, who they are, which goods were excluded from the \
United States' tariffs on Chinese goods, and who owns the core patents. Every column is explained in \
docs/data-dictionary.md and in the datasets; the release's `manifest.json` says what it was built from and which \
checks it passed."""

SECTIONS = (
    Section(
        "This release",
        (
            (
                Table(
                    title="Is this release real or synthetic?",
                    about="A release made from the embedded sample is made up: it says nothing about any country.",
                    dataset="release_info",
                    width=12,
                    height=16,
                    columns=("data", "release_id", "created_at", "code_version"),
                    alarm=("data", "SYNTHETIC"),
                    order="release_id",
                    limit=10,
                ),
            ),
        ),
    ),
    Section(
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
                    metrics=tuple(_CATEGORY.values()),
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
                    metrics=tuple(_CATEGORY.values()),
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
                    dataset="exposed_goods",
                    width=12,
                    columns=(
                        "year", "importer_name", "hs6", "hs6_name", "category", "vulnerability_index",
                        "import_value_usd", "n_suppliers", "top_supplier_name", "top_supplier_share",
                    ),
                    formats={
                        "year": "d", "vulnerability_index": INDEX, "import_value_usd": VALUE,
                        "top_supplier_share": SHARE,
                    },
                    where=(Where("vulnerability_index", "IS NOT NULL"),),
                    order="vulnerability_index",
                    limit=25,
                    scope=frozenset({YEAR, IMPORTER}),
                ),
            ),
        ),
    ),
    Section(
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
                        "year", "hs6", "hs6_name", "export_centrality", "world_exports_usd", "n_exporters",
                        "n_importers", "top_exporter_name", "top_exporter_share", "top3_exporter_share",
                    ),
                    formats={
                        "year": "d", "export_centrality": INDEX, "world_exports_usd": VALUE,
                        "top_exporter_share": SHARE, "top3_exporter_share": SHARE,
                    },
                    where=(Where("high_centrality", "==", True),),
                    order="export_centrality",
                    limit=25,
                    scope=frozenset({YEAR}),
                ),
            ),
        ),
    ),
    Section(
        "Tariff exclusions",
        (
            (
                Bars(
                    title="How often was a product let off, list by list?",
                    about="Granted over decided requests; also without the list's largest filer.",
                    dataset="exclusion_rates",
                    width=4,
                    x="list_id",
                    metrics=("Approval share", "Without the largest filer"),
                    format=".0%",
                    order="list_id",
                    ascending=True,
                    limit=10,
                ),
                Bars(
                    title="Which industries were let off?",
                    about="Approval share of the 12 HS chapters with most requests, all lists together.",
                    dataset="exclusion_rates_by_industry",
                    width=8,
                    x="hs2_name",
                    metrics=("Approval share",),
                    horizontal=True,
                    format=".0%",
                    where=(Where("hs2_name", "IS NOT NULL"),),
                    order="Requests",
                    limit=12,
                ),
            ),
            (
                Bars(
                    title="Were inputs let off more often than consumer goods?",
                    about="Approval share by end use (BEC Rev.4) and list.",
                    dataset="exclusion_rates_by_end_use",
                    width=6,
                    x="end_use",
                    series="list_id",
                    metrics=("Approval share",),
                    format=".0%",
                    order="Approval share",
                    limit=100,
                ),
                Table(
                    title="Who asked, how often, and with what success?",
                    about="The organisations with most requests, all lists together.",
                    dataset="exclusion_requesters",
                    width=6,
                    columns=("requester",),
                    metrics=("Requests", "Approval share"),
                    order="Requests",
                    limit=20,
                ),
            ),
        ),
    ),
    Section(
        "Core patents",
        (
            (
                Lines(
                    title="Whose PCT applications are core patents?",
                    about="Core share by filing year where the citation window is closed; the six that file most.",
                    dataset="patent_country_summary",
                    width=6,
                    x="filing_year",
                    metric="Core share",
                    series="country_name",
                    n_series=6,
                    largest_by="Applications",
                    format=".0%",
                    where=(Where("window_complete", "==", True), Where("country_name", "IS NOT NULL")),
                    order="filing_year",
                    ascending=True,
                    limit=10000,
                ),
                Table(
                    title="Who owns the core patents, field by field?",
                    about="Countries and WIPO fields with most core applications, where the citation window is closed.",
                    dataset="patent_core_share",
                    width=6,
                    columns=("field_name", "country_name"),
                    metrics=("Applications", "Core applications", "Core share"),
                    where=(Where("window_complete", "==", True), Where("core_applications", ">", 0)),
                    order="Core applications",
                    limit=50,
                ),
            ),
        ),
    ),
    Section(
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
                        "source", "statement", "published_text", "computed_value", "computed_text", "difference",
                        "verdict", "years", "inputs",
                    ),
                    formats={"computed_value": ",.4~g", "difference": "+,.3~g"},
                    order="place",
                    ascending=True,
                    limit=100,
                ),
            ),
        ),
    ),
)  # fmt: skip


def charts() -> list[Chart]:
    """Every chart, in the order of the page."""
    return [chart for section in SECTIONS for row in section.rows for chart in row]
