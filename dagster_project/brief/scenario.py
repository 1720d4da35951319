"""A scenario asked at the terminal, over a published release: what each importer loses, and who else sells the goods.

What belongs here: the questions to the release, and the two tables that answer them. The rules are those of the mart
`scenario_losses`. Not here: scenarios in files (see `scenarios`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.brief.data import Rows, rows
from dagster_project.errors import ReleaseError, SettingError
from dagster_project.places import command
from dagster_project.publish.read import Release
from dagster_project.scenarios import MOST_SPARE, SCOPE, exporter_of, goods_of, number_of

SHOWN = 15
NEEDED = ("trade_flows", "product_centrality")


@dataclass(frozen=True)
class Question:
    """`exporter` (alpha-3) delivers the part `cut` less of `goods` (`scope`, or first digits). Year None: newest."""

    exporter: str
    goods: tuple[str, ...]
    cut: float
    spare: float
    year: int | None = None


@dataclass(frozen=True)
class Answer:
    """Losses by importer and the other exporters of the goods, the largest first; USD, shares 0..1."""

    question: Question
    release_id: str
    year: int
    n_goods: int
    losses: Rows
    alternatives: Rows


def question_of(exporter: str, goods: str, cut: str, spare: str, year: str) -> Question:
    """A question from a command line's texts; SettingError names the option, and what it expects."""
    parts = tuple(dict.fromkeys(goods_of(part, "--goods") for part in goods.split(",")))
    if year and not (year.isascii() and year.isdigit()):
        raise SettingError("--year", found=repr(year), expected="a year such as 2022", remedy="Correct it.")
    return Question(
        exporter_of(exporter, "--exporter"),
        parts,
        number_of(cut, "--cut", "cut", 0, 1),
        number_of(spare, "--spare", "spare", 0, MOST_SPARE),
        int(year) if year else None,
    )


def answer(release: Release, question: Question) -> Answer:
    """What the release says. SettingError for an exporter, goods or a year that it does not hold."""
    if missing := [name for name in NEEDED if name not in release.marts]:
        raise ReleaseError(
            f"release {release.release_id}",
            found=f"no mart {', '.join(missing)}",
            expected="a release with trade marts",
            remedy=f"Publish one with {command('run')} or {command('demo')}.",
        )
    with release.connect() as connection:
        year = _year(connection, question)
        n_goods = _prepare(connection, question, year)
        return Answer(question, release.release_id, year, n_goods, rows(connection, _LOSSES), rows(connection, _OTHERS))


def _year(connection: duckdb.DuckDBPyConnection, question: Question) -> int:
    held = [row["year"] for row in rows(connection, "select distinct year from marts.product_centrality order by 1")]
    if not held or question.year not in (None, *held):
        raise SettingError(
            "--year",
            found=str(question.year),
            expected=f"one of {', '.join(map(str, held))}" if held else "a release with a year of trade",
            remedy="Choose one of these, or publish the year.",
        )
    return question.year or int(held[-1])


def _prepare(connection: duckdb.DuckDBPyConnection, question: Question, year: int) -> int:
    """The goods and their flows as temporary tables; returns how many goods there are."""
    connection.execute("create temp table goods (hs6 varchar)")
    for part in question.goods:
        inside = "in_scope" if part == SCOPE else "starts_with(hs6, $part)"
        values: dict[str, Any] = {"year": year} if part == SCOPE else {"year": year, "part": part}
        found = rows(connection, f"select hs6 from marts.product_centrality where year = $year and {inside}", values)
        if not found:
            raise SettingError(
                "--goods",
                found=f"{part}, of which nobody trades anything in {year}",
                expected="scope, or the first digits of goods that the release holds (marts.product_centrality)",
                remedy="Correct it, or name another year.",
            )
        connection.executemany("insert into goods values (?)", [[row["hs6"]] for row in found])
    connection.execute(
        "create temp table flows as select exporter_iso3, exporter_name, importer_iso3, importer_name, hs6, value_usd, "
        "coalesce(exporter_iso3 = $exporter, false) as is_cut, $cut::double as cut, $spare::double as spare "
        "from marts.trade_flows semi join goods using (hs6) where year = $year",
        {"exporter": question.exporter, "cut": question.cut, "spare": question.spare, "year": year},
    )
    if not rows(connection, "from flows where is_cut limit 1"):
        sellers = rows(
            connection, "select exporter_iso3 as iso3 from flows group by 1 order by sum(value_usd) desc limit 10"
        )
        raise SettingError(
            "--exporter",
            found=f"{question.exporter}, which sells none of these goods in {year}",
            expected=f"an exporter of them, such as {', '.join(str(row['iso3']) for row in sellers)}",
            remedy="Name one of these, or other goods.",
        )
    return len(rows(connection, "select distinct hs6 from goods"))


_LOSSES = """
    with goods as (
        select hs6, sum(cut * value_usd) filter (is_cut) as all_lost_usd,
            coalesce(sum(spare * value_usd) filter (not is_cut), 0) as pool_usd
        from flows group by hs6
    ),
    lost as (
        select importer_iso3, importer_name, sum(value_usd) as import_value_usd,
            sum(cut * value_usd) filter (is_cut) as loss_usd,
            sum(cut * value_usd * (1 - least(1, pool_usd / all_lost_usd))) filter (is_cut) as shortfall_usd
        from flows join goods using (hs6) group by importer_iso3, importer_name
    )
    select *, loss_usd / import_value_usd as loss_share, 1 - shortfall_usd / loss_usd as replaceable_share
    from lost where loss_usd > 0 order by loss_usd desc, importer_iso3
"""
_OTHERS = """
    with cut_goods as (select distinct hs6 from flows where is_cut),
    others as (
        select exporter_iso3, exporter_name, count(distinct hs6) as n_goods, sum(value_usd) as export_value_usd,
            sum(spare * value_usd) as spare_usd
        from flows semi join cut_goods using (hs6) where not is_cut
        group by exporter_iso3, exporter_name
    )
    select *, export_value_usd / (select sum(export_value_usd) from others) as share
    from others order by export_value_usd desc, exporter_iso3
"""


def text(found: Answer) -> str:
    """The answer as lines for a terminal: a heading, losses by importer, and alternatives. Money in million USD."""
    asked = found.question
    total = _sum(found.losses, "loss_usd")
    falls_short = _sum(found.losses, "shortfall_usd")
    lines = [
        f"{asked.exporter} delivers {100 * asked.cut:g} % less of {', '.join(asked.goods)} ({found.n_goods} goods), "
        f"{found.year}; others can sell {100 * asked.spare:g} % more. Release {found.release_id}.",
        f"All {len(found.losses)} importers lose {_millions(total)} million USD at first; of it, others could deliver "
        f"{_millions(total - falls_short)} and not {_millions(falls_short)}.",
        "",
        *_table(
            found.losses,
            ("importer", "loss, m USD", "of its imports", "replaceable", "shortfall, m USD"),
            lambda row: (
                _named(row, "importer"),
                _millions(row["loss_usd"]),
                f"{100 * row['loss_share']:.2f} %",
                f"{100 * row['replaceable_share']:.1f} %",
                _millions(row["shortfall_usd"]),
            ),
        ),
        "",
        *_table(
            found.alternatives,
            ("other exporters", "goods", "exports, m USD", "share", "more, m USD"),
            lambda row: (
                _named(row, "exporter"),
                str(row["n_goods"]),
                _millions(row["export_value_usd"]),
                f"{100 * row['share']:.1f} %",
                _millions(row["spare_usd"]),
            ),
        ),
        "",
        "A first-order loss is no forecast, and the spare capacity is assumed: docs/shocks-and-relocation.md.",
    ]
    return "\n".join(lines)


def _table(found: Rows, head: Sequence[str], cells: Any) -> list[str]:
    lines = [head, *(cells(row) for row in found[:SHOWN])]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    shown = [
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    ]
    if not found:
        return [shown[0], "none"]
    more = len(found) - SHOWN
    return [*shown, f"and {more} more"] if more > 0 else shown


def _named(row: Mapping[str, Any], who: str) -> str:
    return f"{row[f'{who}_iso3'] or '-'} {row[f'{who}_name'] or ''}".strip()


def _sum(found: Rows, column: str) -> float:
    return float(sum(row[column] for row in found))


def _millions(usd: float) -> str:
    return f"{usd / 1e6:,.1f}"
