"""One good of one importer: who supplies it, since when it depends on them, and who else could.

Not here: all goods of the importer (see `country`), and the good in the world (see `good`).
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Item, Note, Page, Table, Tile, Tiles, money, written
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.country import CATEGORIES, first_country
from dagster_project.explore.reader import Country, Reader, Row


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one importer, good and year."""
    parts.require(reader, "trade_flows", "import_vulnerability", "product_centrality")
    country = choice.country(reader, default=first_country(reader), union=True)
    hs6 = choice.good(reader, default=_first_good(reader, country))
    years = reader.years("trade_flows")
    year = choice.year(years)
    name = reader.names.goods[hs6] or hs6
    history = _history(reader, country, hs6)
    flows = _sellers(reader, country, hs6, year)
    suppliers = sorted(
        (row for row in flows if row["sold_usd"]), key=lambda row: (-row["sold_usd"], row["exporter_code"])
    )
    return Page(
        f"{parts.short(name)}: supply of {country.name}, {year}",
        [
            parts.section(
                reader, "Suppliers", [], lambda: _suppliers(reader, choice, country, hs6, year, suppliers, history)
            ),
            parts.section(reader, "Who else sells it", [], lambda: [_others(choice, country, year, flows)]),
            parts.section(reader, "Over the years", [], lambda: _over_years(reader, country, hs6, history)),
        ],
        lead=_lead(country, parts.short(name), year, suppliers),
        controls=[
            parts.country_control(reader, country.iso3, title="Importer", union=True),
            parts.good_control(hs6),
            parts.year_control(years, year),
        ],
        related=[
            (f"All goods of {country.name}", choice.link("/country", iso3=country.iso3, year=year)),
            ("This good in the world", choice.link("/good", hs6=hs6, year=year)),
            *(
                [
                    (
                        f"If {suppliers[0]['exporter_name']} stops",
                        choice.link(
                            "/scenario",
                            exporter=suppliers[0]["exporter_iso3"],
                            goods=hs6,
                            importer=country.iso3,
                            year=year,
                        ),
                    )
                ]
                if suppliers and suppliers[0]["exporter_iso3"] and not country.is_union
                else []
            ),
        ],
    )


def _first_good(reader: Reader, country: Country) -> str:
    found = reader.one(
        """select hs6 from marts.import_vulnerability where importer_code = $importer and in_scope
           order by year desc, round(vulnerability_index, 12) desc nulls last, hs6 limit 1""",
        {"importer": country.code},
    )
    return found["hs6"] if found else ""


def _sellers(reader: Reader, country: Country, hs6: str, year: int) -> list[Row]:
    """Every exporter of the good: what it sells to the importer, to others, and its share of what others buy.

    The European Union buys what its members buy; what they sell each other is no supply of it.
    """
    return reader.rows(
        f"""with sold as (
                select exporter_code, any_value(exporter_iso3) as exporter_iso3,
                    any_value(exporter_name) as exporter_name,
                    sum(value_usd) filter (list_contains($buyers, importer_code)) as sold_usd,
                    coalesce(sum(value_usd) filter (not list_contains($buyers, importer_code)), 0) as elsewhere_usd,
                    count(*) filter (not list_contains($buyers, importer_code)) as n_elsewhere
                from {reader.of_year("trade_flows", year)} where hs6 = $hs6 group by exporter_code
            ),
            sellers as (from sold where not list_contains($buyers, exporter_code)),
            totals as (select sum(sold_usd) as sold, sum(elsewhere_usd) as elsewhere from sellers)
            select sellers.*, sold_usd / nullif(totals.sold, 0) as share,
                elsewhere_usd / nullif(totals.elsewhere, 0) as elsewhere_share
            from sellers cross join totals
            order by round(elsewhere_usd, 2) desc, exporter_code""",
        {"buyers": reader.codes(country), "hs6": hs6},
    )


def _history(reader: Reader, country: Country, hs6: str) -> list[Row]:
    return reader.rows(
        """select year, category, import_value_usd, n_suppliers, import_hhi, top_supplier_iso3, top_supplier_name,
                  top_supplier_share, vulnerability_index
           from marts.import_vulnerability where importer_code = $importer and hs6 = $hs6 order by year""",
        {"importer": country.code, "hs6": hs6},
    )


def _lead(country: Country, name: str, year: int, suppliers: list[Row]) -> str:
    if not suppliers:
        return f"The release holds no flows of {name} to {country.name} in {year}."
    first, others = suppliers[0], len(suppliers) - 1
    bought = money(sum(row["sold_usd"] for row in suppliers))
    text = f"{country.name} bought {name} for {bought} USD in {year}: "
    if not others:
        return text + f"all of it from {first['exporter_name']}."
    rest = f"{others} other{'s' if others > 1 else ''}"
    return text + f"{written(first['share'], 'share')} of it from {first['exporter_name']}, the rest from {rest}."


def _suppliers(
    reader: Reader, choice: Choice, country: Country, hs6: str, year: int, suppliers: list[Row], history: list[Row]
) -> list[Item]:
    now = next((row for row in history if row["year"] == year), None)
    items: list[Item] = []
    if now:
        tiles = [
            Tile("Category", str(now["category"] or "–"), CATEGORIES.get(str(now["category"]), "not in scope")[4:]),
            Tile("Concentration (HHI)", written(now["import_hhi"], "index"), "1 is a single supplier"),
            Tile("Suppliers", written(now["n_suppliers"], "count")),
            Tile("Vulnerability index", written(now["vulnerability_index"], "index")),
        ]
        items.append(Tiles(tiles))
    top = [
        {
            "label": row["exporter_name"] or str(row["exporter_code"]),
            "value": row["share"],
            "link": choice.link("/exporter", iso3=row["exporter_iso3"], year=year),
        }
        for row in suppliers[:10]
    ]
    if top:
        items.append(
            Chart(
                charts.bars(top, "label", "value", f"Share of {country.name}'s imports", "share", "link"),
                "Bars of the suppliers' shares; the table below has them.",
            )
        )
    columns = [
        parts.country_column(choice, "exporter", "Supplier", "/exporter", year),
        Column("sold_usd", "Sold to it, USD", "usd"),
        Column("share", "Of its imports", "share"),
        Column("elsewhere_usd", "Sold to others, USD", "usd"),
        Column("elsewhere_share", "Of what others buy", "share"),
    ]
    if reader.has("category_transitions", "importer_code", "hs6"):
        where = choice.link("/mart", name="category_transitions", importer_code=country.code, hs6=hs6)
        items.append(Note("How the good changed its category over the years", link=where))
    return [*items, Table("suppliers", f"Who supplies {country.name}, {year}", columns, suppliers)]


def _others(choice: Choice, country: Country, year: int, flows: list[Row]) -> Table:
    return Table(
        "others",
        f"Exporters of the good that sell {country.name} nothing of it, {year}",
        [
            parts.country_column(choice, "exporter", "Exporter", "/exporter", year),
            Column("elsewhere_usd", "Sold to others, USD", "usd"),
            Column("elsewhere_share", "Of what others buy", "share"),
            Column("n_elsewhere", "Its buyers", "count"),
        ],
        [row for row in flows if not row["sold_usd"]],
        empty="Nobody: every exporter of the good sells to it.",
    )


def _over_years(reader: Reader, country: Country, hs6: str, history: list[Row]) -> list[Item]:
    return [*_trend(reader, country, hs6, history), _table_of_years(country, history)]


def _trend(reader: Reader, country: Country, hs6: str, history: list[Row]) -> list[Chart]:
    """The shares of the five largest suppliers, or of the largest alone where the release has no more by year."""
    if len(history) < 2:
        return []
    title = f"Share of {country.name}'s imports"
    if reader.has("import_suppliers", "supplier_code", "supplier_name", "share") and not country.is_union:
        lines = reader.rows(
            """with named as (
                   select year, supplier_code, share as value, max_by(supplier_name, year) over suppliers as series,
                       sum(value_usd) over suppliers as bought_usd
                   from marts.import_suppliers
                   where importer_code = $importer and hs6 = $hs6 and supplier_code <> 0
                   window suppliers as (partition by supplier_code)
               )
               select year, value, series from named
               qualify dense_rank() over (order by round(bought_usd, 2) desc, supplier_code) <= 5
               order by round(bought_usd, 2) desc, supplier_code, year""",
            {"importer": country.code, "hs6": hs6},
        )
        said = "Lines of the shares of the five largest suppliers over the years."
        return [Chart(charts.lines(lines, "value", title, "series", "share"), said)]
    measures = {"top_supplier_share": "largest supplier", "import_hhi": "concentration (HHI)"}
    lines = [
        {"year": row["year"], "value": row[key], "series": text}
        for row in history
        for key, text in measures.items()
        if row[key] is not None
    ]
    said = "Lines of the largest supplier's share and of concentration over the years; the table below has them."
    return [Chart(charts.lines(lines, "value", "Share, and HHI", "series", "share"), said)]


def _table_of_years(country: Country, history: list[Row]) -> Table:
    return Table(
        "history",
        f"The good in {country.name}'s imports, year by year",
        [
            Column("year", "Year"),
            Column("category", "Category", "count"),
            Column("import_value_usd", "Imports, USD", "usd"),
            Column("n_suppliers", "Suppliers", "count"),
            Column("import_hhi", "HHI", "index"),
            Column("top_supplier_name", "Largest supplier"),
            Column("top_supplier_share", "Its share", "share"),
            Column("vulnerability_index", "Index", "index"),
        ],
        history,
    )
