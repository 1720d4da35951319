"""A good in the world: who exports it, who depends on them, and how central it is.

Not here: one importer's supply of it (see `supply`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Item, Note, Page, Table, Tile, Tiles, money, written
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Reader, Row


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one good and year."""
    parts.require(reader, "product_centrality")
    hs6 = choice.good(reader, default=_first(reader))
    history = reader.rows("select * from marts.product_centrality where hs6 = $hs6 order by year", {"hs6": hs6})
    years = [row["year"] for row in history]
    year = choice.year(years)
    now = next(row for row in history if row["year"] == year)
    name = reader.names.goods[hs6] or hs6
    return Page(
        f"{parts.short(name)} ({hs6}), {year}",
        [
            parts.section(reader, "Exporters", ["trade_flows"], lambda: _exporters(reader, choice, hs6, year, now)),
            parts.section(reader, "Importers", ["import_vulnerability"], lambda: _importers(reader, choice, hs6, year)),
            parts.section(reader, "Over the years", [], lambda: _over_years(history)),
            parts.section(reader, "Network", ["product_network"], lambda: _network(reader, hs6, year)),
            parts.section(reader, "Tariff exclusions", ["exclusion_determinants"], lambda: _exclusions(reader, hs6)),
        ],
        lead=_lead(name, year, now),
        controls=[parts.good_control(hs6), parts.year_control(years, year)],
        related=[
            (
                f"If {now['top_exporter_name']} stops",
                choice.link("/scenario", exporter=now["top_exporter_iso3"], goods=hs6, year=year),
            ),
            ("Its prices", choice.link("/prices", level="hs6", product=hs6, iso3=now["top_exporter_iso3"])),
        ]
        if now["top_exporter_iso3"]
        else [],
    )


def _first(reader: Reader) -> str:
    found = reader.one(
        """select hs6 from marts.product_centrality where in_scope
           order by year desc, round(export_centrality, 12) desc nulls last, hs6 limit 1"""
    )
    return found["hs6"] if found else next(iter(reader.names.goods), "")


def _lead(name: str, year: int, now: Row) -> str:
    text = (
        f"{now['n_exporters']:,} countries sold {name} for {money(now['world_exports_usd'])} USD to "
        f"{now['n_importers']:,} in {year}."
    )
    if now["top_exporter_name"]:
        text += f" The largest, {now['top_exporter_name']}, has {written(now['top_exporter_share'], 'share')} of it"
        text += f", the first three have {written(now['top3_exporter_share'], 'share')}."
    if now["in_scope"]:
        return text + (" It is a good of high centrality." if now["high_centrality"] else "")
    return text + " It is not in the scope of this release."


def _exporters(reader: Reader, choice: Choice, hs6: str, year: int, now: Row) -> list[Item]:
    found = reader.rows(
        f"""with sold as (
                select exporter_code, any_value(exporter_iso3) as exporter_iso3,
                    any_value(exporter_name) as exporter_name, count(*) as n_importers, sum(value_usd) as value_usd
                from {reader.of_year("trade_flows", year)} where hs6 = $hs6 group by exporter_code
            )
            select *, value_usd / nullif((select sum(value_usd) from sold), 0) as share
            from sold order by round(value_usd, 2) desc, exporter_code""",
        {"hs6": hs6},
    )
    bars = [
        {
            "label": row["exporter_name"] or "–",
            "value": row["share"],
            "link": choice.link("/exporter", iso3=row["exporter_iso3"], year=year),
        }
        for row in found[:10]
    ]
    tiles = [
        Tile("World exports", f"{money(now['world_exports_usd'])} USD"),
        Tile("Export centrality", written(now["export_centrality"], "index"), "the largest in-degree centrality"),
        Tile("Concentration of exporters", written(now["export_hhi"], "index"), "HHI"),
        Tile("Share of the first three", written(now["top3_exporter_share"], "share")),
    ]
    table = Table(
        "exporters",
        f"Who sells it, {year}",
        [
            parts.country_column(choice, "exporter", "Exporter", "/exporter", year),
            Column("value_usd", "Exports, USD", "usd"),
            Column("share", "Of world exports", "share"),
            Column("n_importers", "Buyers", "count"),
        ],
        found,
    )
    chart = Chart(
        charts.bars(bars, "label", "value", "Share of world exports", "share", "link"),
        "Bars of the largest exporters' shares of world exports; the table below has them all.",
    )
    return [Tiles(tiles), *([chart] if bars else []), table]


def _importers(reader: Reader, choice: Choice, hs6: str, year: int) -> list[Item]:
    found = reader.rows(
        f"""select importer_iso3, importer_name, import_value_usd, n_suppliers, import_hhi, top_supplier_iso3,
                  top_supplier_name, top_supplier_share, category, vulnerability_index
           from marts.import_vulnerability
           where year = $year and hs6 = $hs6 and {reader.of_countries("import_vulnerability")}
           order by round(vulnerability_index, 12) desc nulls last, round(import_value_usd, 2) desc, importer_code""",
        {"year": year, "hs6": hs6},
    )
    return [
        Table(
            "importers",
            f"Who buys it, the most dependent first, {year}",
            [
                Column(
                    "importer_name",
                    "Importer",
                    link=lambda row: (
                        choice.link("/supply", iso3=row["importer_iso3"], hs6=hs6, year=year)
                        if row["importer_iso3"]
                        else None
                    ),
                ),
                Column("import_value_usd", "Imports, USD", "usd"),
                Column("n_suppliers", "Suppliers", "count"),
                Column("import_hhi", "HHI", "index"),
                parts.country_column(choice, "top_supplier", "Largest supplier", "/exporter", year),
                Column("top_supplier_share", "Its share", "share"),
                Column("category", "Category", "count"),
                Column("vulnerability_index", "Index", "index"),
            ],
            found,
        )
    ]


def _over_years(history: list[Row]) -> list[Item]:
    measures = {"top_exporter_share": "largest exporter", "top3_exporter_share": "first three exporters"}
    lines = [
        {"year": row["year"], "value": row[key], "series": text}
        for row in history
        for key, text in measures.items()
        if row[key] is not None
    ]
    chart = Chart(
        charts.lines(lines, "value", "Share of world exports", "series", "share"),
        "Lines of the share of the largest exporter, and of the first three, over the years; the table has them.",
    )
    table = Table(
        "history",
        "The good, year by year",
        [
            Column("year", "Year"),
            Column("world_exports_usd", "World exports, USD", "usd"),
            Column("n_exporters", "Exporters", "count"),
            Column("n_importers", "Importers", "count"),
            Column("export_centrality", "Centrality", "index"),
            Column("top_exporter_name", "Largest exporter"),
            Column("top_exporter_share", "Its share", "share"),
            Column("top3_exporter_share", "First three", "share"),
        ],
        history,
    )
    return [*([chart] if len(history) > 1 else []), table]


def _network(reader: Reader, hs6: str, year: int) -> list[Item]:
    found = reader.one(
        "select * from marts.product_network where year = $year and hs6 = $hs6", {"year": year, "hs6": hs6}
    )
    if found is None:
        return [Note("The release holds no network of this good and year.", "absent")]
    tiles = [
        Tile("Countries", written(found["n_countries"], "count"), f"{written(found['n_links'], 'count')} links"),
        Tile("Density", written(found["density"], "index")),
        Tile("Reciprocity", written(found["reciprocity"], "index")),
        Tile("Clustering", written(found["clustering"], "index")),
        Tile("Diameter", written(found["diameter"], "count")),
        Tile("At its centre", found["top_pagerank_name"] or "–", "largest PageRank"),
    ]
    return [Tiles(tiles), Note("What these mean: docs/network.md.")]


def _exclusions(reader: Reader, hs6: str) -> list[Item]:
    found = reader.rows(
        """select list_id, requests, granted, denied, approval_share, n_requesters, china_import_share
           from marts.exclusion_determinants where hs6 = $hs6 order by list_id""",
        {"hs6": hs6},
    )
    columns = [
        Column("list_id", "List"),
        Column("requests", "Requests", "count"),
        Column("granted", "Granted", "count"),
        Column("denied", "Denied", "count"),
        Column("approval_share", "Share granted", "share"),
        Column("n_requesters", "Requesters", "count"),
        Column("china_import_share", "China in US imports", "share"),
    ]
    text = "Nobody asked for an exclusion of this good."
    return [Table("exclusions", "Requests for exclusion from the US tariffs", columns, found, text)]
