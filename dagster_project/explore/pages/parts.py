"""What pages share: sections that need marts, columns and controls that recur, and where a country or good leads.

Not here: any page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import duckdb

from dagster_project.explore.choice import Choice, Unanswerable
from dagster_project.explore.content import Column, Control, Item, Note, Section
from dagster_project.explore.reader import Reader, Row

Builder = Callable[[], Sequence[Item]]
LONG = 48  # letters
NOT_HERE = "Not in this release: "


def section(reader: Reader, title: str, marts: Iterable[str], build: Builder) -> Section:
    """A section, or a line in its place that says why there is none: a mart, or a column of one, is not there."""
    if lacking := [mart for mart in marts if mart not in reader.manifest["marts"]]:
        return Section(title, [Note(f"{NOT_HERE}{reason(reader, lacking[0])}.", "absent")])
    try:
        return Section(title, build())
    except duckdb.BinderException as error:
        lacking_column = str(error).splitlines()[0]
        text = f"{NOT_HERE}another version of the program made it, and it lacks a column ({lacking_column})."
        return Section(title, [Note(text, "absent")])


def reason(reader: Reader, mart: str) -> str:
    """Why a mart is not there."""
    said = reader.manifest.get("marts_left_out", {}).get(mart)
    return f"{mart}, as {said}" if said else f"it holds no mart {mart}"


def require(reader: Reader, *marts: str) -> None:
    """Unanswerable where the release lacks what a whole page is about."""
    for mart in marts:
        if mart not in reader.manifest["marts"] or (
            reader.manifest["marts"][mart]["partitioned"] and not reader.years(mart)
        ):
            raise Unanswerable(
                f"release {reader.release_id}",
                found=reason(reader, mart),
                expected=f"a release with rows in the mart {mart}",
                remedy="Publish one with the source switched on that the mart needs, or look at another page.",
            )


def country_control(
    reader: Reader, value: str, name: str = "iso3", title: str = "Country", *, union: bool = False
) -> Control:
    """A list of the release's countries, by name; with `union` the European Union as one economy too."""
    held = (each for each in reader.names.countries.values() if union or not each.is_union)
    known = sorted(held, key=lambda each: each.name.casefold())
    return Control(name, title, "select", value, [(each.iso3, f"{each.name} ({each.iso3})") for each in known])


def year_control(years: Sequence[int], value: int) -> Control:
    """The years, the newest first."""
    return Control("year", "Year", "select", str(value), [(str(year), str(year)) for year in reversed(years)])


def good_control(hs6: str, name: str = "hs6", title: str = "Good (HS6)") -> Control:
    """A field for a good's code, with all goods as suggestions."""
    return Control(name, title, "text", hs6, suggestions="goods")


def country_column(choice: Choice, who: str, title: str, path: str = "/country", year: int | None = None) -> Column:
    """A country's name, which leads to its page."""
    key = f"{who}_name" if who else "name"
    iso3 = f"{who}_iso3" if who else "iso3"
    return Column(key, title, link=lambda row: choice.link(path, iso3=row[iso3], year=year) if row.get(iso3) else None)


def good_column(choice: Choice, year: int | None = None, key: str = "hs6") -> Column:
    """A good's code, which leads to its page."""
    return Column(key, "HS6", link=lambda row: choice.link("/good", hs6=row[key], year=year))


def named(reader: Reader, rows: Sequence[Row]) -> list[Row]:
    """The rows with the name of their good."""
    return [{**row, "hs6_name": reader.names.goods.get(row["hs6"], "")} for row in rows]


def grain(description: str) -> str:
    """What a row of a mart is: the first sentence of its description."""
    return description.replace("\n", " ").partition(". ")[0].rstrip(".") + "."


def chapter(reader: Reader, hs2: str) -> str:
    """A chapter's code and name, in short."""
    return f"{hs2} {short(reader.names.chapters.get(hs2, ''))}".strip()


def short(name: str) -> str:
    """A name for a sentence or a list: what stands before its first semicolon, and not too much of that."""
    first = name.partition(";")[0]
    return first if len(first) <= LONG else f"{first[: LONG - 1]}…"
