"""Unit values of an exporter: how prices moved, against whom, and whether more was sold for less.

Not here: quantities and values alone (see `exporter`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Control, Item, Note, Page, Table
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.exporter import first_exporter
from dagster_project.explore.reader import Country, Reader, Row

LEVELS = {"sector": "sectors", "hs2": "chapters (HS2)", "hs6": "goods (HS6)"}
CAVEAT = "Unit values are not price indices: docs/prices.md. An index is 1 in the first year of its chain."


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one exporter, and of one product of it where one is chosen."""
    parts.require(reader, "export_price_index")
    country = choice.country(reader, default=first_exporter(reader))
    level = choice.one_of("level", LEVELS, "sector")
    product = choice.text("product").split(" ")[0]
    years = reader.years("export_price_index")
    year = choice.year(years)
    found = _products(reader, country, level, year)
    if not product and found:
        product = found[0]["product_code"]
    return Page(
        f"Prices of {country.name}'s exports",
        [
            parts.section(reader, "Price by year", [], lambda: _trend(reader, country, level, product)),
            parts.section(reader, f"All {LEVELS[level]}, {year}", [], lambda: [_table(choice, level, year, found)]),
            parts.section(reader, "Learning", ["learning_rate"], lambda: [_learning(reader, country, level)]),
            parts.section(reader, "More for less", ["involution_summary"], lambda: [_involution(reader, country)]),
        ],
        lead=CAVEAT,
        controls=[
            parts.country_control(reader, country.iso3, title="Exporter"),
            Control("level", "Level", "select", level, list(LEVELS.items())),
            Control("product", "Product", "text", product, suggestions="goods" if level == "hs6" else "chapters"),
            parts.year_control(years, year),
        ],
        related=[("The hold of the exporter", choice.link("/exporter", iso3=country.iso3))],
    )


def _products(reader: Reader, country: Country, level: str, year: int) -> list[Row]:
    return reader.rows(
        """select product_code, product_name, value_usd, tornqvist, quantity_fisher, chain_tornqvist, chain_start_year,
                  chain_relative, quality, link_coverage
           from marts.export_price_index
           where year = $year and exporter_code = $exporter and product_level = $level and basis = 'baseline'
           order by round(value_usd, 2) desc nulls last, product_code""",
        {"year": year, "exporter": country.code, "level": level},
    )


def _trend(reader: Reader, country: Country, level: str, product: str) -> list[Item]:
    found = reader.rows(
        """select year, product_name, value_usd, tornqvist, chain_tornqvist, chain_relative, quality, link_coverage
           from marts.export_price_index
           where exporter_code = $exporter and product_level = $level and product_code = $product and basis = 'baseline'
           order by year""",
        {"exporter": country.code, "level": level, "product": product},
    )
    if not found:
        return [Note(f"{country.name} has no index of the product {product} in this release.", "absent")]
    measures = {"chain_tornqvist": "price of its exports", "chain_relative": "against other exporters"}
    marks = [
        {"year": row["year"], "value": row[key], "series": text}
        for row in found
        for key, text in measures.items()
        if row[key] is not None
    ]
    name = found[-1]["product_name"] or product
    columns = [
        Column("year", "Year"),
        Column("value_usd", "Exports, USD", "usd"),
        Column("tornqvist", "Törnqvist, on the year before", "index"),
        Column("chain_tornqvist", "Chained", "index"),
        Column("chain_relative", "Against others", "index"),
        Column("quality", "Quality"),
        Column("link_coverage", "Coverage", "share"),
    ]
    chart = Chart(
        charts.lines(marks, "value", "Index", "series"),
        f"Lines of the chained price index of {name}, and of the same against other exporters; the table has them.",
    )
    return [*([chart] if marks else []), Table("trend", f"{name}: {country.name}", columns, found)]


def _table(choice: Choice, level: str, year: int, found: list[Row]) -> Table:
    columns = [
        Column("product_code", "Product", link=lambda row: choice.link(product=row["product_code"])),
        Column("product_name", "Name"),
        Column("value_usd", "Exports, USD", "usd"),
        Column("tornqvist", "Price, on the year before", "index"),
        Column("quantity_fisher", "Quantity, on the year before", "index"),
        Column("chain_tornqvist", "Price, chained", "index"),
        Column("chain_start_year", "Since"),
        Column("chain_relative", "Against others", "index"),
        Column("quality", "Quality"),
    ]
    return Table("products", f"Price indices by {level}, {year}", columns, found)


def _learning(reader: Reader, country: Country, level: str) -> Table:
    found = reader.rows(
        """select product_code, product_name, cumulative, learning_rate, first_year, last_year, p_value, quality, reason
           from marts.learning_rate
           where exporter_code = $exporter and product_level = $level order by product_code, cumulative""",
        {"exporter": country.code, "level": level},
    )
    columns = [
        Column("product_code", "Product"),
        Column("product_name", "Name"),
        Column("cumulative", "Output of"),
        Column("learning_rate", "Learning rate", "share"),
        Column("first_year", "From"),
        Column("last_year", "To"),
        Column("p_value", "p", "number"),
        Column("quality", "Quality"),
        Column("reason", "Why there is none"),
    ]
    return Table("learning", "How much cheaper a product became when output doubled", columns, found)


def _involution(reader: Reader, country: Country) -> Table:
    found = reader.rows(
        """select year, n_goods, n_measured, n_price_fell, n_involution, involution_share,
                  involution_value_share, value_usd
           from marts.involution_summary where exporter_code = $exporter order by year""",
        {"exporter": country.code},
    )
    columns = [
        Column("year", "Year"),
        Column("value_usd", "Exports, USD", "usd"),
        Column("n_goods", "Goods", "count"),
        Column("n_measured", "Measured", "count"),
        Column("n_price_fell", "Of lower price", "count"),
        Column("n_involution", "More for less", "count"),
        Column("involution_share", "Of goods measured", "share"),
        Column("involution_value_share", "Of their value", "share"),
    ]
    return Table("involution", f"Goods of which {country.name} sold more for less, by year", columns, found)
