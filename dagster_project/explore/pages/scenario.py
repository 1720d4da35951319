"""A supplier that delivers less: what each importer and industry loses at first, and what others could deliver.

The rules are those of the command `chokepoint scenario` and of the mart `scenario_losses`; here they are asked by the
codes of countries, in two passes over one year of flows, so that an answer over all goods comes within a second. Not
here: losses through stages of production (see `chains`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.errors import SettingError
from dagster_project.explore import charts
from dagster_project.explore.choice import Choice, Unanswerable
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
    money,
    written,
)
from dagster_project.explore.pages import parts
from dagster_project.explore.pages.exporter import first_exporter
from dagster_project.explore.reader import Country, Reader, Row
from dagster_project.scenarios import SCOPE, goods_of

CUT, SPARE = 50.0, 10.0
MOST_SPARE = 100.0
CAVEAT = "A first-order loss is no forecast, and the spare capacity is assumed: docs/shocks-and-relocation.md."


@dataclass(frozen=True)
class Question:
    """`exporter` delivers the part `cut` less of `goods`; others can sell `spare` times more. One importer or all."""

    exporter: Country
    goods: tuple[str, ...]
    cut: float
    spare: float
    year: int
    importer: Country | None = None


def page(reader: Reader, choice: Choice) -> Page:
    """The page of one scenario."""
    parts.require(reader, "trade_flows", "product_centrality")
    years = reader.years("trade_flows")
    question = Question(
        exporter=choice.country(reader, "exporter", first_exporter(reader)),
        goods=_groups(choice),
        cut=choice.number("cut", CUT, 0, 100) / 100,
        spare=choice.number("spare", SPARE, 0, MOST_SPARE) / 100,
        year=choice.year(years),
        importer=choice.country(reader, "importer") if choice.text("importer") else None,
    )
    n_goods = prepare(reader, question)
    losses = losses_by_importer(reader, question)
    return Page(
        f"{question.exporter.name} delivers {100 * question.cut:g} % less",
        _sections(reader, choice, question, losses) if losses else [_nothing(reader, question)],
        lead=_lead(question, n_goods, losses),
        controls=[
            parts.country_control(reader, question.exporter.iso3, "exporter", "Exporter"),
            Control(
                "goods",
                "Goods: scope, or first digits of HS codes",
                "text",
                ",".join(question.goods),
                suggestions="chapters",
            ),
            Control("cut", "Not delivered", "range", f"{100 * question.cut:g}", step=1, unit=" %"),
            Control("spare", "Others can sell more", "range", f"{100 * question.spare:g}", step=1, unit=" %"),
            _importer_control(reader, question),
            parts.year_control(years, question.year),
        ],
        related=[
            ("The hold of the exporter", choice.link("/exporter", iso3=question.exporter.iso3, year=question.year))
        ],
    )


def _importer_control(reader: Reader, question: Question) -> Control:
    listed = parts.country_control(reader, question.importer.iso3 if question.importer else "", "importer", "Importer")
    return Control(listed.name, listed.title, listed.kind, listed.value, [("", "all"), *listed.options])


def _groups(choice: Choice) -> tuple[str, ...]:
    try:
        return tuple(
            dict.fromkeys(
                goods_of(part.split(" ")[0], "choice goods")
                for part in choice.text("goods", SCOPE).split(",")
                if part.strip()
            )
        )
    except SettingError as error:
        raise Unanswerable(error.where, found=error.found, expected=error.expected, remedy=error.remedy) from None


def prepare(reader: Reader, question: Question) -> int:
    """The goods and their losses as temporary tables of this request; returns how many goods there are."""
    inside = " or ".join(
        "in_scope" if part == SCOPE else f"starts_with(hs6, $part{place})" for place, part in enumerate(question.goods)
    )
    values: dict[str, Any] = {f"part{place}": part for place, part in enumerate(question.goods) if part != SCOPE}
    reader.cursor.execute(
        f"""create or replace temp table asked as
            select hs6 from marts.product_centrality where year = $year and ({inside})""",
        {"year": question.year, **values},
    )
    # One pass over the year: what each exporter sells of each good, and what each importer buys of them all.
    reader.cursor.execute(
        f"""create or replace temp table traded as
            select exporter_code, importer_code, hs6, sum(value_usd) as value_usd
            from {reader.of_year("trade_flows", question.year)} semi join asked using (hs6)
            group by grouping sets ((exporter_code, hs6), (importer_code))"""
    )
    reader.cursor.execute(
        """create or replace temp table sold as
            select hs6, sum(value_usd) filter (exporter_code = $exporter) as lost_from_usd,
                sum(value_usd) filter (exporter_code <> $exporter) as others_usd
            from traded where hs6 is not null group by hs6""",
        {"exporter": question.exporter.code},
    )
    # And one of the exporter's own rows: what each importer loses of each good, and what of it nobody could replace.
    reader.cursor.execute(
        f"""create or replace temp table lost as
            select f.importer_code, f.importer_iso3, f.importer_name, f.hs6, f.value_usd,
                $cut * f.value_usd as loss_usd,
                $cut * f.value_usd * (
                    1 - least(1, $spare * coalesce(s.others_usd, 0) / nullif($cut * s.lost_from_usd, 0))
                ) as shortfall_usd
            from {reader.of_year("trade_flows", question.year)} as f join sold as s using (hs6)
            where f.exporter_code = $exporter""",
        {"exporter": question.exporter.code, "cut": question.cut, "spare": question.spare},
    )
    found = reader.one("select count(*) as n from asked")
    return int(found["n"]) if found else 0


def losses_by_importer(reader: Reader, question: Question) -> list[Row]:
    """Every importer that loses something, the largest loss first."""
    return reader.rows(
        """with bought as (
                select importer_code, value_usd as import_value_usd from traded where importer_code is not null
            ),
            losses as (
                select importer_code, any_value(importer_iso3) as importer_iso3,
                    any_value(importer_name) as importer_name,
                    count(*) as n_goods, sum(loss_usd) as loss_usd, sum(shortfall_usd) as shortfall_usd
                from lost group by importer_code
            )
            select *, loss_usd / import_value_usd as loss_share, 1 - shortfall_usd / loss_usd as replaceable_share
            from losses join bought using (importer_code) where loss_usd > 0
            order by round(loss_usd, 2) desc, importer_code"""
    )


def alternatives(reader: Reader, question: Question) -> list[Row]:
    """Who else sells the goods that are cut, the largest first."""
    return reader.rows(
        f"""with others as (
                select exporter_code, count(*) as n_goods, sum(value_usd) as export_value_usd
                from traded semi join (select hs6 from sold where lost_from_usd > 0) using (hs6)
                where exporter_code <> $exporter group by exporter_code
            )
            select exporter_code, exporter_iso3, exporter_name, n_goods, export_value_usd,
                $spare * export_value_usd as spare_usd,
                export_value_usd / (select sum(export_value_usd) from others) as share
            from others join {_exporters(reader, question.year)} using (exporter_code)
            order by round(export_value_usd, 2) desc, exporter_code""",
        {"exporter": question.exporter.code, "spare": question.spare},
    )


def _exporters(reader: Reader, year: int) -> str:
    """The names of the year's exporters, as a table expression: of a mart with few rows, where there is one."""
    names = "exporter_code", "exporter_iso3", "exporter_name"
    mart = "bilateral_totals" if reader.has("bilateral_totals", *names) else "trade_flows"
    return f"(select distinct {', '.join(names)} from {reader.of_year(mart, year)})"


def _nothing(reader: Reader, question: Question) -> Section:
    sellers = reader.rows(
        f"""select exporter_name as name
            from (select exporter_code, sum(value_usd) as usd from traded where hs6 is not null group by exporter_code)
            join {_exporters(reader, question.year)} using (exporter_code)
            order by round(usd, 2) desc, exporter_code limit 5"""
    )
    who = f" Those who sell most of them: {', '.join(str(row['name']) for row in sellers)}." if sellers else ""
    why = (
        "nothing is cut"
        if not question.cut
        else f"{question.exporter.name} sells none of these goods in {question.year}"
    )
    return Section("Losses", [Note(f"Nobody loses anything: {why}.{who}", "absent")])


def _lead(question: Question, n_goods: int, losses: list[Row]) -> str:
    total, short = (sum(row[key] for row in losses) for key in ("loss_usd", "shortfall_usd"))
    text = (
        f"{question.exporter.name} delivers {100 * question.cut:g} % less of {_called(question.goods)} ({n_goods:,} "
        f"goods) in {question.year}; others can sell {100 * question.spare:g} % more. {len(losses):,} importers lose "
        f"{money(total)} USD at first; others could deliver {money(total - short)} of it, and not {money(short)}."
    )
    mine = _of(question, losses)
    if question.importer and mine:
        text += (
            f" {question.importer.name} loses {money(mine['loss_usd'])} USD, {written(mine['loss_share'], 'share')} of "
            f"its imports of these goods; {money(mine['shortfall_usd'])} could not be replaced."
        )
    elif question.importer and losses:
        text += f" The release holds no flow of them to {question.importer.name}."
    return text


def _called(goods: tuple[str, ...]) -> str:
    return ", ".join("all goods in scope" if part == SCOPE else f"HS {part}" for part in goods)


def _of(question: Question, losses: list[Row]) -> Row | None:
    code = question.importer.code if question.importer else None
    return next((row for row in losses if row["importer_code"] == code), None)


def _sections(reader: Reader, choice: Choice, question: Question, losses: list[Row]) -> list[Section]:
    return [
        parts.section(reader, "Losses by importer", [], lambda: _losses(choice, question, losses)),
        parts.section(reader, "Losses by industry", [], lambda: _industries(reader, choice, question)),
        parts.section(reader, "Goods that nobody could replace", [], lambda: [_goods(reader, choice, question)]),
        parts.section(reader, "Who else sells them", [], lambda: _alternatives(reader, choice, question)),
    ]


def _losses(choice: Choice, question: Question, losses: list[Row]) -> list[Item]:
    total, short = (sum(row[key] for row in losses) for key in ("loss_usd", "shortfall_usd"))
    tiles = [
        Tile("Lost at first", f"{money(total)} USD", f"by {len(losses):,} importers"),
        Tile("Others could deliver", f"{money(total - short)} USD", written((total - short) / total, "share")),
        Tile("Nobody could", f"{money(short)} USD", written(short / total, "share")),
    ]
    parted = [
        {"label": row["importer_name"] or "–", "value": row[key], "part": text}
        for row in losses[:12]
        for key, text in (("shortfall_usd", "not replaced"), ("replaced_usd", "replaced by others"))
        for row in [{**row, "replaced_usd": row["loss_usd"] - row["shortfall_usd"]}]
    ]
    table = Table(
        "losses",
        f"What each importer loses if {question.exporter.name} delivers {100 * question.cut:g} % less",
        [
            Column(
                "importer_name",
                "Importer",
                link=lambda row: choice.link(importer=row["importer_iso3"]) if row["importer_iso3"] else None,
            ),
            Column("loss_usd", "Loss, USD", "usd"),
            Column("loss_share", "Of its imports of these", "share"),
            Column("replaceable_share", "Replaceable", "share"),
            Column("shortfall_usd", "Not replaced, USD", "usd"),
            Column("n_goods", "Goods", "count"),
        ],
        losses,
    )
    chart = Chart(
        charts.stacked(parted, "label", "value", "part", "Loss, USD", ["not replaced", "replaced by others"], "usd"),
        "Bars of the largest losses, divided into what others could deliver and what nobody could.",
        CAVEAT,
    )
    return [Tiles(tiles), chart, table]


def _within(question: Question) -> tuple[str, dict[str, Any], str]:
    """A condition on the importer, its values, and the words for it."""
    if question.importer is None:
        return "true", {}, "all importers"
    return "importer_code = $importer", {"importer": question.importer.code}, question.importer.name


def _industries(reader: Reader, choice: Choice, question: Question) -> list[Item]:
    inside, values, who = _within(question)
    found = reader.rows(
        f"""select hs6[:2] as hs2, count(distinct hs6) as n_goods, sum(loss_usd) as loss_usd,
                sum(shortfall_usd) as shortfall_usd,
                1 - sum(shortfall_usd) / nullif(sum(loss_usd), 0) as replaceable_share
            from lost where {inside} group by 1 order by round(sum(loss_usd), 2) desc, hs2""",
        values,
    )
    for row in found:
        row["hs2_name"] = reader.names.chapters.get(row["hs2"], "")
    bars = [
        {"label": parts.chapter(reader, row["hs2"]), "value": row["loss_usd"], "link": choice.link(goods=row["hs2"])}
        for row in found[:12]
    ]
    table = Table(
        "industries",
        f"Losses by industry (HS chapter), {who}",
        [
            Column("hs2", "HS2", link=lambda row: choice.link(goods=row["hs2"])),
            Column("hs2_name", "Industry"),
            Column("n_goods", "Goods", "count"),
            Column("loss_usd", "Loss, USD", "usd"),
            Column("replaceable_share", "Replaceable", "share"),
            Column("shortfall_usd", "Not replaced, USD", "usd"),
        ],
        found,
    )
    chart = Chart(
        charts.bars(bars, "label", "value", "Loss, USD", "usd", "link", uneven=True),
        "Bars of the industries that lose most; the table below has them all. Select one to ask for its goods alone.",
    )
    return [*([chart] if bars else []), table]


def _goods(reader: Reader, choice: Choice, question: Question) -> Table:
    inside, values, who = _within(question)
    found = reader.rows(
        f"""select hs6, sum(loss_usd) as loss_usd, sum(shortfall_usd) as shortfall_usd,
                1 - sum(shortfall_usd) / nullif(sum(loss_usd), 0) as replaceable_share, count(*) as n_importers
            from lost where {inside} group by hs6 having round(sum(shortfall_usd), 2) > 0
            order by round(sum(shortfall_usd), 2) desc, hs6""",
        values,
    )
    columns = [
        parts.good_column(choice, question.year),
        Column("hs6_name", "Good"),
        Column("shortfall_usd", "Not replaced, USD", "usd"),
        Column("loss_usd", "Loss, USD", "usd"),
        Column("replaceable_share", "Replaceable", "share"),
        Column("n_importers", "Importers", "count"),
    ]
    empty = "None: the others' spare capacity is enough for every good."
    return Table(
        "goods", f"Goods of which a part could not be replaced, {who}", columns, parts.named(reader, found), empty
    )


def _alternatives(reader: Reader, choice: Choice, question: Question) -> list[Item]:
    found = alternatives(reader, question)
    columns = [
        parts.country_column(choice, "exporter", "Exporter", "/exporter", question.year),
        Column("n_goods", "Of the goods", "count"),
        Column("export_value_usd", "Exports of them, USD", "usd"),
        Column("share", "Of the others' exports", "share"),
        Column("spare_usd", "Could sell in addition, USD", "usd"),
    ]
    empty = "Nobody else sells any of these goods."
    return [Table("alternatives", "Other exporters of the goods that are cut", columns, found, empty)]
