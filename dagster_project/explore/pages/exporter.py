"""An exporter's hold: the goods in which it leads, and the importers that lean on it.

Not here: what happens if it stops (see `scenario`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import (
    Chart,
    Column,
    Control,
    Item,
    Note,
    Page,
    Section,
    Table,
    Tile,
    Tiles,
    written,
)
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Country, Reader

DEPENDENT = 0.5


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one exporter and year."""
    parts.require(reader, "exporter_position", "product_centrality")
    country = choice.country(reader, default=first_exporter(reader), union=True)
    years = reader.years("exporter_position")
    year = choice.year(years)
    least = choice.number("share", 100 * DEPENDENT, 0, 100)
    return Page(
        f"The hold of {country.name}, {year}",
        [
            parts.section(reader, "Position", ["exporter_position"], lambda: _position(reader, country, year)),
            *_hold(reader, choice, country, year, least / 100),
        ],
        lead=_lead(reader, country, year),
        controls=[
            parts.country_control(reader, country.iso3, title="Exporter", union=True),
            parts.year_control(years, year),
            Control("share", "Share of an import that counts as mostly", "range", f"{least:g}", step=5, unit=" %"),
        ],
        related=_related(choice, country, year),
    )


def _related(choice: Choice, country: Country, year: int) -> list[tuple[str, str]]:
    importer = ("As an importer", choice.link("/country", iso3=country.iso3, year=year))
    if country.is_union:
        return [importer]
    return [
        ("If it stops", choice.link("/scenario", exporter=country.iso3, year=year)),
        importer,
        ("Its prices", choice.link("/prices", iso3=country.iso3)),
    ]


def _hold(reader: Reader, choice: Choice, country: Country, year: int, least: float) -> list[Section]:
    if country.is_union:
        text = (
            f"{country.name} stands here for what its members sell to others, with its places among itself and the "
            "countries outside. The release names goods led and buyers by country only: look at a member."
        )
        return [Section("Goods and importers", [Note(text, "absent")])]
    return [
        parts.section(reader, "Goods it leads", [], lambda: _goods(reader, choice, country, year)),
        parts.section(reader, "Who leans on it", ["shock_exposure"], lambda: _importers(reader, choice, country, year)),
        parts.section(
            reader,
            "What they buy mostly of it",
            ["import_vulnerability"],
            lambda: _dependent(reader, choice, country, year, least),
        ),
    ]


def first_exporter(reader: Reader) -> str:
    """The exporter that is first in most goods of high centrality in the newest year."""
    if not reader.years("exporter_position"):
        return next(iter(reader.names.countries), "")
    found = reader.one(
        f"""select exporter_iso3 as iso3 from marts.exporter_position
           where year = $year and exporter_iso3 is not null and {reader.of_countries("exporter_position")}
           order by n_high_centrality_rank1 desc, exporter_code limit 1""",
        {"year": reader.years("exporter_position")[-1]},
    )
    return found["iso3"] if found else ""


def _lead(reader: Reader, country: Country, year: int) -> str:
    found = reader.one(
        "select * from marts.exporter_position where year = $year and exporter_code = $exporter",
        {"year": year, "exporter": country.code},
    )
    if found is None:
        return f"{country.name} exported no goods in scope in {year}, as far as the release knows."
    return (
        f"{country.name} is the world's first exporter of {found['n_rank1']:,} of the {found['n_goods']:,} goods in "
        f"scope that it sold in {year}, and of {found['n_high_centrality_rank1']:,} goods of high centrality: those "
        "that others find hardest to buy elsewhere."
    )


def _position(reader: Reader, country: Country, year: int) -> list[Item]:
    found = reader.rows(
        "select * from marts.exporter_position where exporter_code = $exporter order by year",
        {"exporter": country.code},
    )
    now = next((row for row in found if row["year"] == year), None)
    if now is None:
        return [Note("Nothing in this year.", "absent")]
    tiles = [
        Tile("Exports", f"{written(now['export_value_usd'], 'usd')} USD", "all goods"),
        Tile("First exporter of", f"{now['n_rank1']:,} goods", f"among the first three of {now['n_top3']:,}"),
        Tile(
            "First of high centrality",
            f"{now['n_high_centrality_rank1']:,} goods",
            f"among the first three of {now['n_high_centrality_top3']:,}",
        ),
        Tile("Rank by these", written(now["high_centrality_rank"], "count")),
    ]
    names = {"n_high_centrality_rank1": "first", "n_high_centrality_top3": "among the first three"}
    lines = [{"year": row["year"], "value": row[key], "series": text} for row in found for key, text in names.items()]
    items: list[Item] = [Tiles(tiles)]
    if len(found) > 1:
        items.append(
            Chart(
                charts.lines(lines, "value", "Goods of high centrality", "series", "count"),
                "Lines of the goods of high centrality in which it is first, or in the first three.",
            )
        )
    columns = [
        Column("year", "Year"),
        Column("export_value_usd", "Exports, USD", "usd"),
        Column("n_goods", "Goods", "count"),
        Column("n_rank1", "First", "count"),
        Column("n_top3", "First three", "count"),
        Column("n_high_centrality_rank1", "First, high centrality", "count"),
        Column("n_high_centrality_top3", "First three, high centrality", "count"),
        Column("high_centrality_rank", "Rank", "count"),
    ]
    return [*items, Table("position", f"{country.name} year by year", columns, found)]


def _goods(reader: Reader, choice: Choice, country: Country, year: int) -> list[Item]:
    found = reader.rows(
        """select hs6, in_scope, high_centrality, world_exports_usd, n_exporters, export_centrality, top_exporter_share
           from marts.product_centrality where year = $year and top_exporter_code = $exporter
           order by high_centrality desc nulls last, round(top_exporter_share, 12) desc, hs6""",
        {"year": year, "exporter": country.code},
    )
    columns = [
        parts.good_column(choice, year),
        Column("hs6_name", "Good"),
        Column("top_exporter_share", "Its share of the world", "share"),
        Column("world_exports_usd", "World exports, USD", "usd"),
        Column("n_exporters", "Exporters", "count"),
        Column("export_centrality", "Centrality", "index"),
        Column("high_centrality", "High centrality"),
        Column("in_scope", "In scope"),
    ]
    return [
        Table(
            "goods",
            f"Goods of which {country.name} is the largest exporter, {year}",
            columns,
            parts.named(reader, found),
        )
    ]


def _importers(reader: Reader, choice: Choice, country: Country, year: int) -> list[Item]:
    found = reader.rows(
        """select importer_iso3, importer_name, n_goods, exposed_value_usd, exposure_share from marts.shock_exposure
           where year = $year and exporter_code = $exporter
           order by round(exposure_share, 12) desc, importer_code""",
        {"year": year, "exporter": country.code},
    )
    top = [
        {
            "label": row["importer_name"] or "–",
            "value": row["exposure_share"],
            "link": choice.link("/country", iso3=row["importer_iso3"], year=year),
        }
        for row in found[:12]
    ]
    columns = [
        parts.country_column(choice, "importer", "Importer", "/country", year),
        Column("exposure_share", "Of its imports in scope", "share"),
        Column("exposed_value_usd", "Goods in scope, USD", "usd"),
        Column("n_goods", "Goods", "count"),
    ]
    chart = Chart(
        charts.bars(top, "label", "value", "Share of the importer's goods in scope", "share", "link"),
        "Bars of the importers with the largest share from it; the table below has them all.",
    )
    return [
        *([chart] if top else []),
        Table("importers", f"Importers by the share that {country.name} supplies, {year}", columns, found),
    ]


def _dependent(reader: Reader, choice: Choice, country: Country, year: int, least: float) -> list[Item]:
    found = reader.rows(
        f"""select importer_iso3, importer_name, hs6, import_value_usd, top_supplier_share, n_suppliers, category
           from marts.import_vulnerability
           where year = $year and top_supplier_code = $exporter and in_scope
               and round(top_supplier_share, 12) >= $least and {reader.of_countries("import_vulnerability")}
           order by category nulls last, round(import_value_usd, 2) desc, importer_code, hs6 limit 5000""",
        {"year": year, "exporter": country.code, "least": least},
    )
    columns = [
        parts.country_column(choice, "importer", "Importer", "/country", year),
        Column(
            "hs6", "HS6", link=lambda row: choice.link("/supply", iso3=row["importer_iso3"], hs6=row["hs6"], year=year)
        ),
        Column("hs6_name", "Good"),
        Column("top_supplier_share", f"Share of {country.iso3}", "share"),
        Column("import_value_usd", "Imports, USD", "usd"),
        Column("n_suppliers", "Suppliers", "count"),
        Column("category", "Category", "count"),
    ]
    caption = f"Imports of which {country.name} supplies {100 * least:g} % or more, {year}"
    items: list[Item] = [Table("dependent", caption, columns, parts.named(reader, found))]
    if len(found) == 5000:
        items.append(Note("There are more: these are the first 5,000 by category and value."))
    return items
