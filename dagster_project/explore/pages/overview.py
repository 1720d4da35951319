"""The first page: who is exposed most, who holds most, and which goods hang on few; and what a search finds.

Not here: anything about one country or good.
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Item, Note, Page, Section, Table
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.country import first_country
from dagster_project.explore.reader import Reader


def page(reader: Reader, choice: Choice) -> Page:
    """The release at a glance, in one year."""
    years = reader.years("vulnerability_summary") or reader.years("product_centrality")
    year = choice.year(years) if years else 0
    return Page(
        f"Who depends on whom, {year}" if year else "A release without trade",
        [
            parts.section(
                reader, "Exposed importers", ["vulnerability_summary"], lambda: _importers(reader, choice, year)
            ),
            parts.section(
                reader, "Exporters that hold", ["exporter_position"], lambda: _exporters(reader, choice, year)
            ),
            parts.section(
                reader, "Goods that hang on few", ["product_centrality"], lambda: [_goods(reader, choice, year)]
            ),
        ],
        lead="Choose a country, a good or an exporter, or search at the top. What you chose stands in the address.",
        controls=[parts.year_control(years, year)] if years else [],
        related=[
            ("The largest importer", choice.link("/country", iso3=first_country(reader) or None)),
            ("If a supplier stops", choice.link("/scenario")),
            ("Any mart, by any column", choice.link("/mart")),
        ],
    )


def _importers(reader: Reader, choice: Choice, year: int) -> list[Item]:
    found = reader.rows(
        f"""select importer_iso3, any_value(importer_name) as importer_name, sum(n_goods) as n_goods,
               sum(import_value_usd) as import_value_usd,
               coalesce(sum(n_goods) filter (category = 1), 0) as n_category1,
               coalesce(sum(value_share) filter (category = 1), 0) as value_share
           from marts.vulnerability_summary where year = $year and {reader.of_countries("vulnerability_summary")}
           group by importer_code, importer_iso3
           order by round(coalesce(sum(value_share) filter (category = 1), 0), 12) desc, importer_code""",
        {"year": year},
    )
    top = [
        {
            "label": row["importer_name"] or "–",
            "value": row["value_share"],
            "link": choice.link("/country", iso3=row["importer_iso3"], year=year),
        }
        for row in found[:10]
    ]
    columns = [
        parts.country_column(choice, "importer", "Importer", "/country", year),
        Column("value_share", "Of its imports exposed twice", "share"),
        Column("n_category1", "Such goods", "count"),
        Column("n_goods", "Goods in scope", "count"),
        Column("import_value_usd", "Imports in scope, USD", "usd"),
    ]
    chart = Chart(
        charts.bars(top, "label", "value", "Share of the value of goods exposed twice", "share", "link"),
        "Bars of the importers with the largest share of goods exposed twice; the table below has them all.",
        "Exposed twice: central in world exports, and bought from few.",
    )
    return [*([chart] if top else []), Table("importers", f"Importers, the most exposed first, {year}", columns, found)]


def _exporters(reader: Reader, choice: Choice, year: int) -> list[Item]:
    found = reader.rows(
        f"""select exporter_iso3, exporter_name, n_high_centrality_rank1, n_high_centrality_top3, n_rank1, n_goods,
                  export_value_usd
           from marts.exporter_position where year = $year and {reader.of_countries("exporter_position")}
           order by n_high_centrality_rank1 desc, n_high_centrality_top3 desc, exporter_code""",
        {"year": year},
    )
    marks = [
        {"label": row["exporter_name"] or "–", "value": number, "part": text}
        for row in found[:10]
        for number, text in (
            (row["n_high_centrality_rank1"], "first"),
            (row["n_high_centrality_top3"] - row["n_high_centrality_rank1"], "second or third"),
        )
    ]
    columns = [
        parts.country_column(choice, "exporter", "Exporter", "/exporter", year),
        Column("n_high_centrality_rank1", "First, high centrality", "count"),
        Column("n_high_centrality_top3", "First three, high centrality", "count"),
        Column("n_rank1", "First, all goods", "count"),
        Column("n_goods", "Goods", "count"),
        Column("export_value_usd", "Exports, USD", "usd"),
    ]
    chart = Chart(
        charts.stacked(marks, "label", "value", "part", "Goods of high centrality", ["first", "second or third"]),
        "Bars of the goods of high centrality in which an exporter is first, second or third; the table has them.",
    )
    return [*([chart] if marks else []), Table("exporters", f"Exporters by their hold, {year}", columns, found)]


def _goods(reader: Reader, choice: Choice, year: int) -> Table:
    found = reader.rows(
        """select hs6, n_exporters, n_importers, world_exports_usd, export_centrality, top_exporter_iso3,
                  top_exporter_name, top_exporter_share
           from marts.product_centrality where year = $year and in_scope
           order by round(export_centrality, 12) desc nulls last, hs6""",
        {"year": year},
    )
    columns = [
        parts.good_column(choice, year),
        Column("hs6_name", "Good"),
        Column("export_centrality", "Centrality", "index"),
        Column("n_exporters", "Exporters", "count"),
        Column("n_importers", "Importers", "count"),
        Column("world_exports_usd", "World exports, USD", "usd"),
        parts.country_column(choice, "top_exporter", "Largest exporter", "/exporter", year),
        Column("top_exporter_share", "Its share", "share"),
    ]
    return Table("goods", f"Goods in scope, the most central first, {year}", columns, parts.named(reader, found))


def found(reader: Reader, choice: Choice) -> Page:
    """Countries, goods and marts whose code or name contains what was searched for."""
    words = choice.text("q")
    wanted = words.casefold()
    countries = [
        {"iso3": each.iso3, "name": each.name}
        for each in reader.names.countries.values()
        if wanted in f"{each.iso3} {each.name}".casefold()
    ]
    goods = [
        {"hs6": hs6, "hs6_name": name}
        for hs6, name in reader.names.goods.items()
        if wanted in f"{hs6} {name}".casefold()
    ]
    marts = [
        {"mart": name, "description": parts.grain(facts["description"])}
        for name, facts in sorted(reader.manifest["marts"].items())
        if wanted in f"{name} {facts['description']}".casefold()
    ]
    sections = [
        Section(
            "Countries",
            [
                Table(
                    "countries",
                    "Countries",
                    [
                        Column("iso3", "Code"),
                        Column("name", "As an importer", link=lambda row: choice.link("/country", iso3=row["iso3"])),
                        Column("iso3", "As an exporter", link=lambda row: choice.link("/exporter", iso3=row["iso3"])),
                    ],
                    countries,
                )
            ],
        ),
        Section("Goods", [Table("goods", "Goods", [parts.good_column(choice), Column("hs6_name", "Good")], goods)]),
        Section(
            "Marts",
            [
                Table(
                    "marts",
                    "Marts",
                    [
                        Column("mart", "Mart", link=lambda row: choice.link("/mart", name=row["mart"])),
                        Column("description", "What a row is"),
                    ],
                    marts,
                )
            ],
        ),
    ]
    some = countries or goods or marts
    return Page(
        f"Search: {words}" if words else "Search",
        [section for section, rows in zip(sections, (countries, goods, marts), strict=True) if rows]
        or [Section("Nothing", [Note("No country, good or mart has this in its code or name.", "absent")])],
        lead=f"{len(countries)} countries, {len(goods)} goods and {len(marts)} marts." if some else "",
    )
