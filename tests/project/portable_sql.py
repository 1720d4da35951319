"""The rules that keep dbt's SQL the same on DuckDB and Spark, as functions over text.

What one engine alone knows stays in macros that dbt dispatches by engine; a sort says where nulls go, because the
engines disagree; ranks and thresholds compare rounded numbers, because the last bit of a double may differ.
Not here: which files are read (test_sql_style), and whether the results agree, which only a run on both can show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# What is refused, and what to write instead.
ONE_ENGINE = {
    r"varchar": "string",
    r"u?hugeint|int128": "a dispatch macro such as exact_sum",
    r"(list|array_agg|list_\w+|struct_\w+|named_struct|struct|row|unnest|explode)\s*\(": "a row per value",
    r"filter\s*\(": "case when … end inside the aggregate",
    r"(group|order) by all": "the columns",
    r"exclude\b": "the columns",
    r"(arg_max|arg_min|max_by|min_by)\s*\(": "code_of_largest",
    r"(?<!dbt\.)(to_years|to_months|to_days|add_months|date_\w+|datediff)\s*\(|interval\s": "add_years or dbt.dateadd",
    r"(read_parquet|read_csv|parquet_scan|read_json)\s*\(": "a source",
    r"(?<!dbt\.)(listagg|string_agg|group_concat|collect_list)\s*\(": "dbt.listagg",
    r"(strptime|strftime|date_format|to_date|to_timestamp|epoch)\s*\(": "a date that the landing step made",
    r"(regexp_\w+|rlike|similar to)\b": "like, or a column that the landing step made",
    r"(trunc|rint|quantile\w*|approx_\w+|bitstring_agg|bit_count)\s*\(": "a dispatch macro",
    r"(semi|anti|asof|positional)\s+join": "a left join and a test for null",
    r"union (all )?by name": "the columns in order",
    r"lateral view": "a join",
}
# The same for what is not a word.
ONE_ENGINE_SIGNS = {
    r"::": "cast(… as …)",
    r"(?<!:)//": "floor of a quotient",
    r"\*\*": "a product",
    r"\*\s+(except|replace)\s*\(": "the columns",
    r"`": "a plain name",
    r"\[-?\d*:-?\d*\]": "substr",
    r"\b\d+(\.\d+)?(BD|D|L)\b": "cast(… as …)",
}
_WORDS = [(re.compile(rf"\b({pattern})", re.I), remedy) for pattern, remedy in ONE_ENGINE.items()]
_SIGNS = [(re.compile(pattern), remedy) for pattern, remedy in ONE_ENGINE_SIGNS.items()]
_COMMENT = re.compile(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", re.S)
_COMPARISON = re.compile(r"\s(<=|>=|<>|<|>|=|between)\s", re.I)
# A difference compared with a margin as small as this is no threshold.
_MARGIN = re.compile(r"\b0\.0{5,}1\b")
_MAKES_DOUBLES = re.compile(r"exact_sum|\b(sqrt|avg|stddev\w*|ln|exp|pow)\s*\(|\bas double\)|\s/\s")
_TYPES_OF_DOUBLES = ("double", "float", "real")

Finding = tuple[int, str]


def findings(sql: str, doubles: frozenset[str]) -> list[Finding]:
    """Every rule over one file of SQL: (line, what was found and what to write). `doubles`: see `double_columns`."""
    text = without_comments(sql)
    return sorted([*one_engine(text), *nulls_without_a_place(text), *unrounded_doubles(text, doubles)])


def without_comments(sql: str) -> str:
    """The same text with comments of SQL and Jinja as spaces, so that lines keep their numbers."""
    return _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), sql)


def one_engine(text: str) -> Iterator[Finding]:
    """Constructs that one of the engines does not have, or means otherwise."""
    for pattern, remedy in [*_WORDS, *_SIGNS]:
        for found in pattern.finditer(text):
            yield _line(text, found.start()), f"found {found[0].strip()}; write {remedy}"
    for found in re.finditer(r"\b(dense_)?rank\s*\(\)", text, re.I):
        if not text[: found.start()].rstrip().endswith("cast("):
            yield (
                _line(text, found.start()),
                f"found {found[0]}, an int on Spark; write cast({found[0]} over (…) as bigint)",
            )
    for found in re.finditer(r"\bround\s*\(", text, re.I):
        if len(_split(text[found.end() : _end(text, found.end())])) > 1:
            yield (
                _line(text, found.start()),
                "found round with places, which the engines compute in two ways; write comparable",
            )


def nulls_without_a_place(text: str) -> Iterator[Finding]:
    """Sort keys that do not say where nulls go: DuckDB puts them last, Spark first. A percentile leaves nulls out."""
    for position, key, in_percentile in _sort_keys(text):
        if not in_percentile and not re.search(r"\bnulls (first|last)$", key, re.I):
            yield _line(text, position), f"found order by {key}; write nulls last (or first)"


def unrounded_doubles(text: str, doubles: frozenset[str]) -> Iterator[Finding]:
    """Ranks, percentiles and thresholds over doubles as computed; `comparable` rounds them."""
    known = doubles | computed_doubles(text, doubles)
    for position, key, _ in _sort_keys(text):
        if found := _unrounded(key, known):
            yield _line(text, position), f"found order by over the double {found}; write comparable('{found}')"
    for sign in _COMPARISON.finditer(text):
        left, right = _left_of(text, sign.start()), _right_of(text, sign.end())
        rest_of_line = text[sign.end() : (text + "\n").index("\n", sign.end())]
        with_nothing = "0" in (left, right) and sign[1] != "between"
        if with_nothing or _MARGIN.search(rest_of_line):
            continue
        if found := _unrounded(left, known) or _unrounded(right, known):
            yield _line(text, sign.start()), f"found {sign[1]} over the double {found}; write comparable('{found}')"


def double_columns(documents: list[Any]) -> frozenset[str]:
    """Names of columns that some YAML beside a model or seed says to be doubles."""
    names: set[str] = set()
    for document in documents:
        for node in [*(document.get("models") or []), *(document.get("seeds") or [])]:
            types = [(column["name"], column.get("data_type")) for column in node.get("columns") or []]
            types += (node.get("config") or {}).get("column_types", {}).items()
            names |= {name for name, type_ in types if type_ in _TYPES_OF_DOUBLES}
    return frozenset(names)


def computed_doubles(text: str, doubles: frozenset[str]) -> frozenset[str]:
    """Names that the text itself gives to doubles: quotients, roots, exact sums, or such a column by another name."""
    found: set[str] = set()
    for position in re.finditer(r"\bas\s+(?!double\b|bigint\b|integer\b|string\b|date\b|boolean\b)(\w+)", text):
        expression = re.sub(r"\bcount\([^()]*(\([^()]*\)[^()]*)*\)", "", _expression_before(text, position.start()))
        if "comparable" in expression:
            continue
        renamed = re.fullmatch(r"\s*(?:\w+\.)?(\w+)\s*", expression)
        if _MAKES_DOUBLES.search(expression) or (renamed and renamed[1] in doubles):
            found.add(position[1])
    return frozenset(found)


def sql_in_yaml(value: Any, key: str = "") -> Iterator[str]:
    """Every type and piece of SQL in a YAML file of dbt: conditions of tests, rows of unit tests, types of columns.

    Not `meta`: a source's place is DuckDB's own setting, and a picture's query is asked of the release, a DuckDB file.
    """
    if key in ("meta", "description", "name"):
        return
    if isinstance(value, Mapping):
        for inner, part in value.items():
            yield from sql_in_yaml(part, str(inner))
    elif isinstance(value, list):
        for part in value:
            yield from sql_in_yaml(part, key)
    elif isinstance(value, str):
        yield value


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _end(text: str, start: int) -> int:
    """Where the bracket closes that is open at `start`, or the text ends."""
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in "([{") - (text[position] in ")]}")
        if depth < 0:
            return position
    return len(text)


def _split(text: str) -> list[str]:
    """The parts between commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _sort_keys(text: str) -> Iterator[tuple[int, str, bool]]:
    """(position, key, whether an aggregate's percentile sorts by it) of every `order by`."""
    for found in re.finditer(r"(.?)\border\s+by\s", text, re.I):
        clause = text[found.end() : _end(text, found.end())]
        if found[1] in ("'", '"'):  # a clause handed to a macro
            clause = clause[: clause.index(found[1])]
        clause = re.split(r"\b(?:rows between|range between|limit|union|offset)\b", clause, flags=re.I)[0]
        in_percentile = bool(
            re.search(r"percentile_\w+\([^()]*\)\s+within group \(\s*$", text[: found.start() + 1], re.I)
        )
        for key in _split(clause):
            yield found.start(), " ".join(key.split()), in_percentile


def _unrounded(expression: str, doubles: frozenset[str]) -> str | None:
    """The first double in the expression, unless it is rounded or only counted."""
    if re.search(r"comparable|\bcount\(", expression):
        return None
    columns = re.findall(r"\b(?:\w+\.)*([a-z_]\w*)\b", expression)
    return next((name for name in columns if name in doubles), None)


def _left_of(text: str, end: int) -> str:
    """The operand that ends at `end`: a name, a number, a call, or Jinja."""
    start = end
    if text[end - 1] in ")}":
        depth = 0
        while start > 0:
            start -= 1
            depth += (text[start] in ")]}") - (text[start] in "([{")
            if depth == 0:
                break
    while start > 0 and re.match(r"[\w.]", text[start - 1]):
        start -= 1
    return text[start:end]


def _right_of(text: str, start: int) -> str:
    """The operand that begins at `start`: the same."""
    end = start
    while end < len(text) and re.match(r"[\w.]", text[end]):
        end += 1
    if end < len(text) and text[end] in "({":
        end = _end(text, end + 1) + 1
    return text[start:end]


def _expression_before(text: str, end: int) -> str:
    """What comes before `as name`: back to a comma, `select` or bracket on the same level."""
    depth, start = 0, end
    while start > 0:
        letter = text[start - 1]
        depth += (letter in ")]}") - (letter in "([{")
        if depth < 0 or (depth == 0 and (letter == "," or re.search(r"\bselect\s$", text[max(0, start - 7) : start]))):
            break
        start -= 1
    return text[start:end]
