"""Any mart, filtered by any of its columns: for what no other page asks.

Not here: what a mart means beyond its columns' descriptions.
"""

from __future__ import annotations

import re
from typing import Any

from dagster_project.explore.choice import Choice, Unanswerable
from dagster_project.explore.content import Column, Control, Item, Note, Page, Section, Table
from dagster_project.explore.reader import Reader
from dagster_project.sql import identifier

MOST = 1000  # rows of an answer, and of its CSV: more is what the files themselves are for
OPERATORS = {">=": ">=", "<=": "<=", ">": ">", "<": "<", "!": "<>", "": "="}
NUMBER = re.compile(r"(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w*INT\w*|DOUBLE|FLOAT|DECIMAL.*)")
# Choices of this page that are no columns; a column of such a name cannot be filtered by.
OWN = frozenset({"name", "release", "order"})


def page(reader: Reader, choice: Choice) -> Page:
    """One mart: its first rows by its key, or by another order, within the conditions on its columns."""
    name = choice.one_of(
        "name",
        sorted(reader.manifest["marts"]),
        "vulnerability_summary" if reader.has("vulnerability_summary") else min(reader.manifest["marts"]),
    )
    facts = reader.manifest["marts"][name]
    conditions, values = _conditions(choice, facts["columns"])
    order = choice.one_of("order", [sign + column for column in facts["columns"] for sign in ("", "-")])
    relation = f"marts.{identifier(name)}"
    if facts.get("years") and choice.text("year") in facts["years"]:
        relation = reader.of_year(name, int(choice.text("year")))
    found = reader.rows(
        f"select * from {relation} {'where ' + ' and '.join(conditions) if conditions else ''} "
        f"order by {_ordered(order, facts)} limit {MOST + 1}",
        values,
    )
    columns = [
        Column(column, column, _kind(column, about["type"]), about=about["description"])
        for column, about in facts["columns"].items()
    ]
    items: list[Item] = [
        Table("rows", f"{name}{': the first ' + format(MOST, ',') if len(found) > MOST else ''}", columns, found[:MOST])
    ]
    if len(found) > MOST:
        items.append(
            Note(f"There are more. Add conditions, or read the files of the release, such as {facts['files'][0]}.")
        )
    about = [
        {"column": column, "type": each["type"], "meaning": each["description"]}
        for column, each in facts["columns"].items()
    ]
    meaning = [Column("column", "Column"), Column("type", "Type"), Column("meaning", "Meaning")]
    return Page(
        name,
        [Section("Rows", items), Section("Columns", [Table("columns", "What the columns mean", meaning, about)])],
        lead=f"{facts['description']} {facts['rows']:,} rows; key: {', '.join(facts['key'])}.",
        controls=[
            Control("name", "Mart", "select", name, [(each, each) for each in sorted(reader.manifest["marts"])]),
            *(Control(column, f"{column}", "text", choice.text(column)) for column in _offered(facts, choice)),
            Control(
                "order",
                "Order",
                "select",
                order,
                [
                    ("", "by key"),
                    *(
                        (sign + each, each + (", largest first" if sign else ""))
                        for each in facts["columns"]
                        for sign in ("", "-")
                    ),
                ],
            ),
        ],
    )


def _offered(facts: Any, choice: Choice) -> list[str]:
    """Fields are offered for the key, for codes of countries, and for columns that have a condition already."""
    return [
        column
        for column in facts["columns"]
        if column not in OWN and (column in facts["key"] or column.endswith("_iso3") or choice.text(column))
    ]


def _conditions(choice: Choice, columns: Any) -> tuple[list[str], dict[str, Any]]:
    """A condition per choice that is a column: a value, with `>`, `>=`, `<`, `<=`, `!` or `~` (a part) before it."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for column, text in choice.given.items():
        if column in OWN or column not in columns:
            continue
        place = f"value{len(values)}"
        if text.startswith("~"):
            conditions.append(f"contains(lower({identifier(column)}::varchar), lower(${place}))")
            values[place] = text[1:]
            continue
        sign = next(each for each in OPERATORS if text.startswith(each))
        conditions.append(f"{identifier(column)} {OPERATORS[sign]} ${place}")
        values[place] = _value(column, text.removeprefix(sign).strip(), columns[column]["type"])
    return conditions, values


def _value(column: str, text: str, kind: str) -> Any:
    if kind == "BOOLEAN" and text.casefold() in ("true", "false", "yes", "no"):
        return text.casefold() in ("true", "yes")
    if kind == "VARCHAR":
        return text
    try:
        if NUMBER.fullmatch(kind):
            return float(text) if kind in ("DOUBLE", "FLOAT") or "." in text else int(text)
    except ValueError:
        pass
    else:
        if not NUMBER.fullmatch(kind) and kind != "BOOLEAN":
            return text
    raise Unanswerable(
        f"choice {column}",
        found=repr(text),
        expected=f"a value of the type {kind}, with >, >=, <, <= or ! before it if you like",
        remedy="Correct it.",
    )


def _ordered(order: str, facts: Any) -> str:
    """The order asked for, and then the key, so that it is total."""
    first = (
        [f"{identifier(order.removeprefix('-'))} {'desc' if order.startswith('-') else 'asc'} nulls last"]
        if order
        else []
    )
    return ", ".join([*first, *(f"{identifier(column)} nulls last" for column in facts["key"])])


def _kind(column: str, kind: str) -> str:
    if column in ("year", "filing_year") or column.endswith("_code") or not NUMBER.fullmatch(kind):
        return "text"
    if column.endswith("_usd"):
        return "usd"
    return "share" if column.endswith("_share") or column == "share" else "number"
