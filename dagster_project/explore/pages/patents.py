"""Core patents: how much of what a country files is core, by field and over the years, and with whom it files.

Not here: the trade in a field's goods.
"""

from __future__ import annotations

from dagster_project.explore import charts
from dagster_project.explore.choice import Choice, Unanswerable
from dagster_project.explore.content import Chart, Column, Control, Item, Page, Table, written
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Reader, Row

COMPARED = "CN,US,JP,DE,KR"
MOST = 6


def page(reader: Reader, choice: Choice) -> Page:
    """The page of some countries, side by side."""
    parts.require(reader, "patent_country_summary")
    known = {
        row["code"]: row["name"] or row["code"]
        for row in reader.rows(
            """select country_iso2 as code, any_value(country_name) as name from marts.patent_country_summary
               where country_iso2 is not null group by 1 order by 1"""
        )
    }
    countries = _countries(choice, known)
    field = choice.one_of("field", _fields(reader))
    return Page(
        "Core patents",
        [
            parts.section(reader, "Over the years", [], lambda: _years(reader, countries)),
            parts.section(reader, "By field", ["patent_core_share"], lambda: _by_field(reader, countries, field)),
            parts.section(reader, "Filed together", ["patent_collaboration"], lambda: [_together(reader, countries)]),
            parts.section(
                reader,
                "Against the offices' own counts",
                ["patent_reconciliation"],
                lambda: [_reconciled(reader, countries)],
            ),
        ],
        lead=_lead(reader, countries, known),
        controls=[
            Control("countries", "Countries (alpha-2 codes)", "text", ",".join(countries)),
            Control("field", "Field", "select", field, [("", "all"), *((each, each) for each in _fields(reader))]),
        ],
    )


def _fields(reader: Reader) -> list[str]:
    if not reader.has("patent_core_share", "field_name"):
        return []
    return [
        row["f"]
        for row in reader.rows(
            "select distinct field_name as f from marts.patent_core_share where f is not null order by 1"
        )
    ]


def _countries(choice: Choice, known: dict[str, str]) -> list[str]:
    wanted = [part.strip().upper() for part in choice.text("countries", COMPARED).split(",") if part.strip()]
    unknown = [code for code in wanted if code not in known]
    if choice.text("countries") and (unknown or len(wanted) > MOST):
        raise Unanswerable(
            "choice countries",
            found=", ".join(unknown) or f"{len(wanted)} countries",
            expected=f"up to {MOST} alpha-2 codes of countries that file, such as {', '.join(list(known)[:8])}",
            remedy="Correct it.",
        )
    return [code for code in wanted if code in known] or list(known)[:MOST]


def _lead(reader: Reader, countries: list[str], known: dict[str, str]) -> str:
    found = reader.rows(
        """select country_iso2 as code, sum(core_applications) / nullif(sum(applications), 0) as share
           from marts.patent_country_summary where list_contains($countries, country_iso2) and window_complete
           group by 1 order by round(share, 12) desc nulls last, 1""",
        {"countries": countries},
    )
    if not found:
        return "No filing year of these countries has its five years of citations behind it."
    said = ", ".join(f"{known[row['code']]} {written(row['share'], 'share')}" for row in found)
    return f"Core patents in own PCT applications, filing years whose five years of citations are over: {said}."


def _years(reader: Reader, countries: list[str]) -> list[Item]:
    found = reader.rows(
        """select filing_year as year, country_iso2, country_name, applications, core_applications, core_share,
                  world_share, field_hhi, growth_5y, window_complete from marts.patent_country_summary
           where list_contains($countries, country_iso2) order by country_iso2, filing_year""",
        {"countries": countries},
    )
    # In a year with very few filings the share is 0 or 1 by chance.
    busy = max((row["applications"] or 0 for row in found), default=0) / 20
    marks: list[Row] = [
        {"year": row["year"], "value": row["core_share"], "series": row["country_name"] or row["country_iso2"]}
        for row in found
        if row["core_share"] is not None and row["applications"] >= min(busy, 10) and row["window_complete"]
    ]
    columns = [
        Column("year", "Filing year"),
        Column("country_name", "Country"),
        Column("applications", "Applications", "count"),
        Column("core_applications", "Core", "count"),
        Column("core_share", "Core share", "share"),
        Column("world_share", "Of the world", "share"),
        Column("field_hhi", "HHI over fields", "index"),
        Column("growth_5y", "Growth in 5 years", "share"),
        Column("window_complete", "Citations closed"),
    ]
    chart = Chart(
        charts.lines(marks, "value", "Core patents in own applications", "series", "share"),
        "Lines of the core share by filing year; the table below has them.",
        "Years whose five years of citations are over.",
    )
    return [*([chart] if marks else []), Table("years", "Applications and core patents by filing year", columns, found)]


def _by_field(reader: Reader, countries: list[str], field: str) -> list[Item]:
    found = reader.rows(
        """with found as (
               from marts.patent_core_share
               where list_contains($countries, country_iso2) and $field in ('', field_name)
           ),
           compared as (
               from found where window_complete or not exists (from found where window_complete)
           )
           select country_iso2, any_value(country_name) as country_name, field_id, any_value(field_name) as field_name,
               any_value(sector_name) as sector_name, sum(applications) as applications,
               sum(core_applications) as core_applications,
               sum(core_applications) / nullif(sum(applications), 0) as core_share
           from compared group by country_iso2, field_id order by field_id, country_iso2""",
        {"countries": countries, "field": field},
    )
    marks = [
        {
            "country": row["country_iso2"],
            "field": row["field_name"],
            "share": row["core_share"],
        }
        for row in found
        if row["core_share"] is not None
    ]
    columns = [
        Column("field_name", "Field"),
        Column("sector_name", "Sector"),
        Column("country_name", "Country"),
        Column("applications", "Applications", "count"),
        Column("core_applications", "Core", "count"),
        Column("core_share", "Core share", "share"),
    ]
    chart = Chart(
        charts.cells(marks, "country", "field", "share", "Core share"),
        "Coloured cells: the core share by field and country; the table below has them.",
    )
    caption = "Core share by field, over the filing years whose citations are closed (all, where none is)"
    return [*([chart] if marks else []), Table("fields", caption, columns, found)]


def _together(reader: Reader, countries: list[str]) -> Table:
    found = reader.rows(
        """select country_iso2, any_value(country_name) as country_name, partner_iso2,
               any_value(partner_name) as partner_name, sum(joint_applications) as joint_applications,
               min(filing_year) as first_year, max(filing_year) as last_year
           from marts.patent_collaboration where list_contains($countries, country_iso2)
           group by country_iso2, partner_iso2
           order by round(sum(joint_applications), 6) desc, country_iso2, partner_iso2""",
        {"countries": countries},
    )
    columns = [
        Column("country_name", "Country"),
        Column("partner_name", "Partner"),
        Column("joint_applications", "Filed together", "count"),
        Column("first_year", "First"),
        Column("last_year", "Last"),
    ]
    return Table("together", "Applications with a partner country, all filing years", columns, found)


def _reconciled(reader: Reader, countries: list[str]) -> Table:
    found = reader.rows(
        """select filing_year, country_iso2, country_name, technology, our_applications, reference_applications,
                  coverage,
               explanation from marts.patent_reconciliation where list_contains($countries, country_iso2)
           order by filing_year desc, country_iso2, technology""",
        {"countries": countries},
    )
    columns = [
        Column("filing_year", "Filing year"),
        Column("country_name", "Country"),
        Column("technology", "Technology"),
        Column("our_applications", "Ours", "count"),
        Column("reference_applications", "Reference", "count"),
        Column("coverage", "Coverage", "share"),
        Column("explanation", "Explanation"),
    ]
    return Table("reconciled", "How far our applications stand for all PCT applications", columns, found)
