"""Value chains, from input-output tables: how much a country's sectors build on others, and on whom.

Not here: trade between countries (see `country`).
"""

from __future__ import annotations

from collections import Counter

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Chart, Column, Control, Item, Note, Page, Table
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.country import first_country
from dagster_project.explore.reader import Reader, Row


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one country, edition and year."""
    parts.require(reader, "gvc_position_country")
    known = reader.rows("select distinct edition, country_iso3, year from marts.gvc_position_country order by all")
    rows_of = Counter(row["edition"] for row in known)
    editions = sorted(rows_of, key=lambda each: (-rows_of[each], each))
    edition = choice.one_of("edition", editions, editions[0])
    countries = sorted({row["country_iso3"] for row in known if row["edition"] == edition})
    wanted = first_country(reader)
    iso3 = choice.one_of("iso3", countries, wanted if wanted in countries else countries[0])
    years = sorted({row["year"] for row in known if row["edition"] == edition and row["country_iso3"] == iso3})
    year = choice.year(years)
    values = {"edition": edition, "iso3": iso3}
    names = reader.names.countries
    name = names[iso3].name if iso3 in names else iso3
    return Page(
        f"Value chains of {name}, {year}",
        [
            parts.section(reader, "Over the years", [], lambda: _years(reader, values)),
            parts.section(reader, "Sectors", ["gvc_position"], lambda: [_sectors(reader, {**values, "year": year})]),
            parts.section(
                reader,
                "On whom it builds",
                ["supplier_exposure"],
                lambda: _suppliers(reader, choice, {**values, "year": year}),
            ),
            parts.section(
                reader,
                "If a supplier is cut",
                ["shock_exposure_io"],
                lambda: [_shock(reader, {**values, "year": year})],
            ),
        ],
        lead="From input-output tables, looked through all stages of production. How to read it: docs/chains.md.",
        controls=[
            Control(
                "iso3",
                "Country",
                "select",
                iso3,
                [(each, f"{names[each].name} ({each})" if each in names else each) for each in countries],
            ),
            parts.year_control(years, year),
            Control("edition", "Edition", "select", edition, [(each, each) for each in editions]),
        ],
        related=[("Its exposed goods", choice.link("/country", iso3=iso3))] if iso3 in names else [],
    )


def _years(reader: Reader, values: dict[str, str]) -> list[Item]:
    found = reader.rows(
        """select year, sector_group, gross_output_usd, imported_input_share, forward_participation,
                  backward_participation, position, exports_usd
           from marts.gvc_position_country where edition = $edition and country_iso3 = $iso3
           order by sector_group, year""",
        values,
    )
    groups = sorted({row["sector_group"] for row in found})
    group = "all" if "all" in groups else groups[0] if groups else ""
    measures = {"forward_participation": "forward participation", "backward_participation": "backward participation"}
    marks: list[Row] = [
        {"year": row["year"], "value": row[key], "series": text}
        for row in found
        for key, text in measures.items()
        if row["sector_group"] == group and row[key] is not None
    ]
    columns = [
        Column("year", "Year"),
        Column("sector_group", "Sectors"),
        Column("gross_output_usd", "Output, USD", "usd"),
        Column("imported_input_share", "Imported inputs", "share"),
        Column("forward_participation", "Forward participation", "share"),
        Column("backward_participation", "Backward participation", "share"),
        Column("position", "Position", "index"),
        Column("exports_usd", "Exports, USD", "usd"),
    ]
    chart = Chart(
        charts.lines(marks, "value", "Share", "series", "share"),
        f"Lines of forward and backward participation by year, sectors {group}; the table below has them.",
    )
    items: list[Item] = [chart] if len({row["year"] for row in marks}) > 1 else []
    return [*items, Table("years", "Participation in value chains by year", columns, found)]


def _sectors(reader: Reader, values: dict[str, object]) -> Table:
    found = reader.rows(
        """select sector, gross_output_usd, imported_input_share, top_source_iso3, top_source_share, input_source_hhi,
                  lookthrough_foreign_share, forward_participation, backward_participation
           from marts.gvc_position where edition = $edition and country_iso3 = $iso3 and year = $year
           order by round(lookthrough_foreign_share, 12) desc nulls last, sector""",
        values,
    )
    columns = [
        Column("sector", "Sector"),
        Column("gross_output_usd", "Output, USD", "usd"),
        Column("imported_input_share", "Imported inputs", "share"),
        Column("lookthrough_foreign_share", "Foreign, looked through", "share"),
        Column("top_source_iso3", "Largest source"),
        Column("top_source_share", "Its share", "share"),
        Column("input_source_hhi", "HHI of sources", "index"),
        Column("forward_participation", "Forward", "share"),
        Column("backward_participation", "Backward", "share"),
    ]
    return Table("sectors", "Sectors, the most foreign first", columns, found)


def _suppliers(reader: Reader, choice: Choice, values: dict[str, object]) -> list[Item]:
    sectors = [
        row["sector"]
        for row in reader.rows(
            """select distinct sector from marts.supplier_exposure
               where edition = $edition and country_iso3 = $iso3 and year = $year order by 1""",
            values,
        )
    ]
    if not sectors:
        return [Note("The release holds none of this country and year.", "absent")]
    found = reader.rows(
        """select exporter_iso3, avg(face_value_share) as face_value_share, avg(lookthrough_share) as lookthrough_share,
                  max(lookthrough_share) as largest, max_by(sector, lookthrough_share) as largest_sector
           from marts.supplier_exposure where edition = $edition and country_iso3 = $iso3 and year = $year
           group by exporter_iso3 order by round(avg(lookthrough_share), 12) desc nulls last, exporter_iso3""",
        values,
    )
    columns = [
        Column(
            "exporter_iso3",
            "Supplier",
            link=lambda row: (
                choice.link("/exporter", iso3=row["exporter_iso3"])
                if row["exporter_iso3"] in reader.names.countries
                else None
            ),
        ),
        Column("face_value_share", "At first sight, mean of sectors", "share"),
        Column("lookthrough_share", "Looked through, mean of sectors", "share"),
        Column("largest", "In the most exposed sector", "share"),
        Column("largest_sector", "Which is"),
    ]
    return [Table("suppliers", f"Suppliers of inputs to its {len(sectors)} sectors", columns, found)]


def _shock(reader: Reader, values: dict[str, object]) -> Table:
    found = reader.rows(
        """select exporter_iso3, sector, cut, direct_loss_usd, propagated_loss_usd, direct_loss_share,
                  propagated_loss_share
           from marts.shock_exposure_io where edition = $edition and country_iso3 = $iso3 and year = $year
           order by round(propagated_loss_share, 12) desc nulls last, exporter_iso3, sector""",
        values,
    )
    columns = [
        Column("exporter_iso3", "Supplier that is cut"),
        Column("sector", "Sector"),
        Column("cut", "By", "share"),
        Column("direct_loss_usd", "Lost directly, USD", "usd"),
        Column("propagated_loss_usd", "With stages behind, USD", "usd"),
        Column("direct_loss_share", "Directly", "share"),
        Column("propagated_loss_share", "With stages behind", "share"),
    ]
    return Table("shock", "What its sectors would lack", columns, found)
