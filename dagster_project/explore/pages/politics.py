"""Political distance: whether a country depends on suppliers that vote as it does.

Not here: goods and their suppliers one by one (see `supply`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Item, Page, Table, written
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.country import first_country
from dagster_project.explore.reader import Country, Reader, Row

CAVEAT = (
    "Distance is that of two states' votes in the UN General Assembly. Both scalings of it are published and "
    "neither is the headline: docs/politics.md."
)
RISKS = [
    Column("risk_econ", "Risk, economics alone", "index"),
    Column("risk_distance", "With distance", "index"),
    Column("risk_distance_own", "With its own scale", "index"),
]
SHARES = [
    Column("share_close", "From close states", "share"),
    Column("share_middle", "Middle", "share"),
    Column("share_distant", "Distant", "share"),
    Column("share_unscored", "Unscored", "share"),
]


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one importer and year."""
    parts.require(reader, "political_exposure")
    country = choice.country(reader, default=first_country(reader))
    years = reader.years("political_exposure")
    year = choice.year(years)
    history = reader.rows(
        "select * from marts.political_exposure where importer_code = $importer order by year",
        {"importer": country.code},
    )
    return Page(
        f"Political distance of {country.name}'s suppliers, {year}",
        [
            parts.section(reader, "Over the years", [], lambda: _years(country, history)),
            parts.section(
                reader,
                "Suppliers",
                ["political_exposure_supplier"],
                lambda: [_suppliers(reader, choice, country, year)],
            ),
            parts.section(
                reader, "Industries", ["political_exposure_industry"], lambda: [_industries(reader, country, year)]
            ),
            parts.section(reader, "All importers", [], lambda: [_importers(reader, choice, year)]),
        ],
        lead=_lead(country, year, history),
        controls=[parts.country_control(reader, country.iso3, title="Importer"), parts.year_control(years, year)],
        related=[("Its exposed goods", choice.link("/country", iso3=country.iso3, year=year))],
    )


def _lead(country: Country, year: int, history: list[Row]) -> str:
    now = next((row for row in history if row["year"] == year), None)
    if now is None:
        return f"The release holds no figures of {country.name} in {year}. {CAVEAT}"
    return (
        f"{country.name} bought {written(now['share_close'], 'share')} of its goods in scope from states that vote "
        f"close to it, {written(now['share_distant'], 'share')} from distant ones, "
        f"{written(now['share_unscored'], 'share')} from places without a vote. {CAVEAT}"
    )


def _years(country: Country, history: list[Row]) -> list[Item]:
    names = {"share_close": "close", "share_middle": "middle", "share_distant": "distant", "share_unscored": "unscored"}
    marks = [
        {"year": row["year"], "value": row[key], "series": text}
        for row in history
        for key, text in names.items()
        if row[key] is not None
    ]
    columns = [Column("year", "Year"), *SHARES, *RISKS, Column("rank_risk_pol", "Rank", "count")]
    chart = Chart(
        charts.lines(marks, "value", "Share of imports in scope", "series", "share"),
        "Lines of the shares of imports from close, middle, distant and unscored states; the table below has them.",
    )
    items: list[Item] = [chart] if len({row["year"] for row in marks}) > 1 else []
    return [*items, Table("years", f"{country.name} by year", columns, history)]


def _suppliers(reader: Reader, choice: Choice, country: Country, year: int) -> Table:
    found = reader.rows(
        """select exporter_iso3, exporter_name, import_value_usd, share, distance, risk_econ, risk_distance,
                  risk_distance_own
           from marts.political_exposure_supplier where year = $year and importer_code = $importer
           order by round(import_value_usd, 2) desc, exporter_code""",
        {"year": year, "importer": country.code},
    )
    columns = [
        parts.country_column(choice, "exporter", "Supplier", "/exporter", year),
        Column("import_value_usd", "Imports in scope, USD", "usd"),
        Column("share", "Share", "share"),
        Column("distance", "Distance", "index"),
        *RISKS,
    ]
    return Table("suppliers", f"Suppliers of {country.name}, {year}", columns, found)


def _industries(reader: Reader, country: Country, year: int) -> Table:
    found = reader.rows(
        """select hs2, hs2_name, import_value_usd, n_suppliers, share_close, share_middle, share_distant,
                  share_unscored, risk_econ, risk_distance, risk_distance_own
           from marts.political_exposure_industry where year = $year and importer_code = $importer
           order by round(risk_distance, 12) desc nulls last, hs2""",
        {"year": year, "importer": country.code},
    )
    columns = [
        Column("hs2", "HS2"),
        Column("hs2_name", "Industry"),
        Column("import_value_usd", "Imports in scope, USD", "usd"),
        *SHARES,
        *RISKS,
    ]
    return Table("industries", f"Industries of {country.name}, {year}", columns, found)


def _importers(reader: Reader, choice: Choice, year: int) -> Table:
    found = reader.rows(
        """select * from marts.political_exposure where year = $year
           order by round(risk_distance, 12) desc nulls last, importer_code""",
        {"year": year},
    )
    columns = [
        Column(
            "importer_name",
            "Importer",
            link=lambda row: choice.link(iso3=row["importer_iso3"]) if row["importer_iso3"] else None,
        ),
        *SHARES,
        *RISKS,
        Column("rank_risk_pol", "Rank", "count"),
    ]
    return Table("importers", f"All importers, {year}", columns, found)
