"""What every dashboard has: the release it shows, and the filters of year and importer.

Not here: what a theme shows.
"""

from __future__ import annotations

from bi.dashboard import VALUE, Dataset, Filter, Metric, Section, Table, Where

YEAR, IMPORTER = "Year", "Importer"
# Some marts have the European Union as one economy beside its members.
OF_COUNTRIES = Where("economy_kind", "==", "country")
CATEGORY = {
    1: "1 Both",
    2: "2 Central",
    3: "3 Concentrated",
    4: "4 Neither",
}

DATASETS = (
    Dataset(
        "release_info",
        calculated={"data": "case when synthetic then 'SYNTHETIC: made up by the sample generator' else 'real' end"},
    ),
    Dataset(
        "vulnerability_summary",
        metrics=(
            Metric("Imports in scope, USD", "sum(import_value_usd)", VALUE),
            *(
                Metric(
                    label,
                    f"sum(case when category = {category} then import_value_usd else 0 end) "
                    "/ nullif(sum(import_value_usd), 0)",
                    ".1%",
                )
                for category, label in CATEGORY.items()
            ),
        ),
    ),
)

OF_YEAR = Filter("Year", "vulnerability_summary", "year", "Of all charts but those over time.")
OF_IMPORTER = Filter(
    "Importer",
    "vulnerability_summary",
    "importer_name",
    "The country whose imports are shown; the largest importer first.",
    sort_metric="Imports in scope, USD",
    where=(OF_COUNTRIES,),
)


THIS_RELEASE = Section(
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
)
