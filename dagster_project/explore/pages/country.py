"""A country as importer: its exposed goods, industries, suppliers, and how all that came about.

Not here: who supplies one good (see `supply`), and the country as an exporter (see `exporter`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Control, Item, Note, Page, Table, Tile, Tiles, money, written
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Country, Reader, Row

CATEGORIES = {
    "1": "1 · high centrality and high concentration",
    "2": "2 · high centrality only",
    "3": "3 · high concentration only",
    "4": "4 · neither",
}
SHORT = dict(zip(CATEGORIES, charts.CATEGORIES, strict=True))


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one country and year."""
    parts.require(reader, "import_vulnerability", "product_centrality")
    country = choice.country(reader, default=first_country(reader), union=True)
    years = reader.years("import_vulnerability")
    year = choice.year(years)
    category = choice.one_of("category", CATEGORIES)
    chapter = choice.one_of("hs2", list(reader.names.chapters))
    words = choice.text("q")
    goods = _goods(reader, choice, country, year)
    shown = [
        row
        for row in goods
        if (not category or str(row["category"]) == category)
        and (not chapter or row["hs2"] == chapter)
        and words.casefold() in f"{row['hs6']} {row['hs6_name']}".casefold()
    ]
    return Page(
        f"{country.name}, {year}",
        [
            parts.section(
                reader,
                "Exposed goods",
                ["vulnerability_summary"],
                lambda: _exposed(reader, choice, country, year, shown),
            ),
            parts.section(
                reader, "Industries", ["industry_vulnerability"], lambda: _industries(reader, choice, country, year)
            ),
            parts.section(
                reader,
                "Suppliers",
                [] if country.is_union else ["shock_exposure"],
                lambda: _suppliers(reader, choice, country, year),
            ),
            parts.section(reader, "Over the years", ["vulnerability_summary"], lambda: _years(reader, country)),
        ],
        lead=_lead(country, year, goods),
        controls=[
            parts.country_control(reader, country.iso3, union=True),
            parts.year_control(years, year),
            Control("category", "Category", "select", category, [("", "all"), *CATEGORIES.items()]),
            Control(
                "hs2",
                "Chapter",
                "select",
                chapter,
                [("", "all"), *((code, parts.chapter(reader, code)) for code in reader.names.chapters)],
            ),
            Control("q", "Goods that contain", "text", words),
        ],
        related=_related(choice, country),
    )


def _related(choice: Choice, country: Country) -> list[tuple[str, str]]:
    exporter = ("As an exporter", choice.link("/exporter", iso3=country.iso3))
    if country.is_union:
        return [exporter]
    return [
        exporter,
        ("Political distance", choice.link("/politics", iso3=country.iso3)),
        ("Value chains", choice.link("/chains", iso3=country.iso3)),
        ("If a supplier stops", choice.link("/scenario", importer=country.iso3)),
    ]


def first_country(reader: Reader) -> str:
    """The country that imports most in scope in the newest year: whom a page shows first."""
    if not reader.years("vulnerability_summary"):
        return next(iter(reader.names.countries), "")
    found = reader.one(
        f"""select importer_iso3 as iso3 from marts.vulnerability_summary
           where year = $year and importer_iso3 is not null and {reader.of_countries("vulnerability_summary")}
           group by importer_iso3 order by round(sum(import_value_usd), 2) desc, importer_iso3 limit 1""",
        {"year": reader.years("vulnerability_summary")[-1]},
    )
    return found["iso3"] if found else ""


def _goods(reader: Reader, choice: Choice, country: Country, year: int) -> list[Row]:
    found = reader.rows(
        """select v.hs6, v.hs2, v.category, v.import_value_usd, v.n_suppliers, v.import_hhi, v.top_supplier_iso3,
                  v.top_supplier_name, v.top_supplier_share, v.vulnerability_index, c.export_centrality,
                  c.top_exporter_iso3, c.top_exporter_name, c.top_exporter_share
           from marts.import_vulnerability as v
           left join (select * from marts.product_centrality where year = $year) as c using (hs6)
           where v.year = $year and v.importer_code = $importer and v.in_scope
           order by round(v.vulnerability_index, 12) desc nulls last, v.hs6""",
        {"year": year, "importer": country.code},
    )
    return parts.named(reader, found)


def _lead(country: Country, year: int, goods: list[Row]) -> str:
    if not goods:
        return f"The release holds no goods in scope that {country.name} bought in {year}."
    exposed = [row for row in goods if row["category"] == 1]
    total = sum(row["import_value_usd"] for row in goods)
    text = (
        f"{country.name} bought {len(goods):,} goods in scope in {year}, for {money(total)} USD. "
        f"{len(exposed):,} of them are exposed twice: central in world exports, and bought from few."
    )
    named = [
        f"{parts.short(row['hs6_name'] or row['hs6'])} ({written(row['top_supplier_share'], 'share')} from "
        f"{row['top_supplier_name']})"
        for row in exposed[:3]
        if row["top_supplier_name"]
    ]
    return text + (f" The most exposed: {', '.join(named)}." if named else "")


def _exposed(reader: Reader, choice: Choice, country: Country, year: int, goods: list[Row]) -> list[Item]:
    counted = reader.rows(
        """select category, n_goods, value_share from marts.vulnerability_summary
           where year = $year and importer_code = $importer order by category""",
        {"year": year, "importer": country.code},
    )
    tiles = [
        Tile(
            CATEGORIES[str(row["category"])],
            f"{row['n_goods']:,} goods",
            f"{written(row['value_share'], 'share')} of the value",
            choice.link(category=row["category"]),
        )
        for row in counted
        if str(row["category"]) in CATEGORIES
    ]
    marks = [
        {
            "hs6": row["hs6"],
            "name": row["hs6_name"],
            "hhi": round(row["import_hhi"], 4),
            "centrality": round(row["export_centrality"], 5),
            "value": round(row["import_value_usd"]),
            "category": SHORT[str(row["category"])],
            "supplier": f"{row['top_supplier_iso3'] or ''} {written(row['top_supplier_share'], 'share')}",
            "link": choice.link("/supply", iso3=country.iso3, hs6=row["hs6"], year=year),
        }
        for row in goods
        if row["export_centrality"] is not None and row["import_hhi"] is not None and str(row["category"]) in SHORT
    ]
    items: list[Item] = [Tiles(tiles)] if tiles else []
    if marks:
        items.append(
            Chart(
                charts.map_of_goods(marks),
                f"Scatter of {len(marks)} goods by concentration and centrality; the table below has them.",
                "A mark is a good; its area grows with the value imported. Select one to see who supplies it.",
            )
        )
    return [*items, _goods_table(choice, country, year, goods)]


def _goods_table(choice: Choice, country: Country, year: int, goods: list[Row]) -> Table:
    return Table(
        "goods",
        f"Goods in scope that {country.name} bought in {year}",
        [
            Column(
                "hs6",
                "HS6",
                link=lambda row: choice.link("/supply", iso3=country.iso3, hs6=row["hs6"], year=year),
            ),
            Column("hs6_name", "Good"),
            Column("category", "Category", "count"),
            Column("import_value_usd", "Imports, USD", "usd"),
            Column("n_suppliers", "Suppliers", "count"),
            Column("import_hhi", "HHI", "index", about="Concentration over suppliers: 1 is a single one"),
            parts.country_column(choice, "top_supplier", "Largest supplier", "/exporter", year),
            Column("top_supplier_share", "Its share", "share"),
            Column("top_exporter_name", "Largest exporter of the world"),
            Column("top_exporter_share", "Its share", "share"),
            Column("vulnerability_index", "Index", "index", about="Vulnerability index: mean of both percentiles"),
        ],
        goods,
    )


def _industries(reader: Reader, choice: Choice, country: Country, year: int) -> list[Item]:
    found = reader.rows(
        """select rank, hs2, hs2_name, n_goods, import_value_usd, vulnerability, vulnerability_mean, n_category1
           from marts.industry_vulnerability where year = $year and importer_code = $importer
           order by rank nulls last, hs2""",
        {"year": year, "importer": country.code},
    )
    top = [
        {"label": parts.chapter(reader, row["hs2"]), "value": row["vulnerability"], "link": choice.link(hs2=row["hs2"])}
        for row in found[:12]
        if row["vulnerability"] is not None
    ]
    table = Table(
        "industries",
        f"Industries of {country.name} by vulnerability, {year}",
        [
            Column("rank", "Rank", "count"),
            Column("hs2", "HS2", link=lambda row: choice.link(hs2=row["hs2"])),
            Column("hs2_name", "Industry"),
            Column("n_goods", "Goods", "count"),
            Column("n_category1", "Of category 1", "count"),
            Column("import_value_usd", "Imports, USD", "usd"),
            Column("vulnerability", "Vulnerability", "number"),
            Column("vulnerability_mean", "Mean index", "index"),
        ],
        found,
    )
    chart = Chart(
        charts.bars(
            top, "label", "value", "Vulnerability (import share × index, summed over goods)", link="link", uneven=True
        ),
        "Bars of the twelve most vulnerable industries; the table below has them all.",
    )
    return [chart, table] if top else [table]


def _suppliers(reader: Reader, choice: Choice, country: Country, year: int) -> list[Item]:
    if country.is_union:
        text = (
            f"{country.name} stands here for what its members buy of others, and the release adds up suppliers of all "
            "goods by country only. Select a good above to see who supplies it, or look at a member."
        )
        return [Note(text, "absent")]
    distance = "political_exposure_supplier"
    with_distance = reader.has(distance, "distance") and year in reader.years(distance)
    joined = (
        f"left join (select exporter_code, distance from marts.{distance} "
        "where year = $year and importer_code = $importer) as p using (exporter_code)"
        if with_distance
        else ""
    )
    found = reader.rows(
        f"""select exporter_iso3, exporter_name, n_goods, exposed_value_usd, exposure_share
                   {", p.distance" if with_distance else ""}
            from marts.shock_exposure {joined}
            where year = $year and importer_code = $importer
            order by round(exposed_value_usd, 2) desc, exporter_code""",
        {"year": year, "importer": country.code},
    )
    columns = [
        parts.country_column(choice, "exporter", "Supplier", "/exporter", year),
        Column("n_goods", "Goods", "count"),
        Column("exposed_value_usd", "Goods in scope, USD", "usd"),
        Column("exposure_share", "Of such imports", "share"),
    ]
    if with_distance:
        columns.append(
            Column(
                "distance",
                "Political distance",
                "number",
                about="Of votes in the UN General Assembly: docs/politics.md",
            )
        )
    return [Table("suppliers", f"Suppliers of goods in scope to {country.name}, {year}", columns, found)]


def _years(reader: Reader, country: Country) -> list[Item]:
    found = reader.rows(
        """select year, category, n_goods, goods_share, value_share from marts.vulnerability_summary
           where importer_code = $importer order by year, category""",
        {"importer": country.code},
    )
    for row in found:
        row["series"] = SHORT.get(str(row["category"]), str(row["category"]))
    if len({row["year"] for row in found}) < 2:
        return [Note("The release holds one year of this country.", "absent")]
    return [
        Chart(
            charts.lines(
                found, "goods_share", "Share of its goods in scope", "series", "share", charts.CATEGORY_COLOURS
            ),
            "Lines of the share of goods in each category over the years; the table below has them.",
        ),
        Table(
            "years",
            f"Categories of {country.name}'s goods by year",
            [
                Column("year", "Year"),
                Column("series", "Category"),
                Column("n_goods", "Goods", "count"),
                Column("goods_share", "Of goods", "share"),
                Column("value_share", "Of value", "share"),
            ],
            found,
        ),
    ]
