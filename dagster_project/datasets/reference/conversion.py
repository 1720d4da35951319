"""Conversions between HS revisions: the direct ones of the files, chained into one from every revision to the base.

What belongs here: the columns of weight files and conversion workbooks, which file counts for a step, and the chains.
Not here: the products of the base revision (see `classification`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

from dagster_project.datasets.reference.reading import ReferenceFile, require_six_digits
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_YEAR, UNSPECIFIED_GOODS

CONVERSION = pa.schema(
    [("from_revision", pa.string()), ("from_code", pa.string()), ("hs6", pa.string()), ("weight", pa.float64())]
)

Weights = dict[str, dict[str, float]]  # source code -> target code -> weight
Step = tuple[str, str]  # from revision, to revision
Edge = tuple[str, str]  # source code, target code


@dataclass(frozen=True)
class Table:
    """The direct conversion from one revision to another, and the file that it was read from."""

    file: ReferenceFile
    weights: Weights


@dataclass(frozen=True)
class Chained:
    """The conversions to the base revision.

    rows   those of the landing table
    edges  table by table along the chains, the pairs of codes that a landed conversion leads over
    """

    rows: list[dict[str, Any]]
    edges: Mapping[Step, Collection[Edge]]


def read_tables(files: Mapping[str, Sequence[ReferenceFile]]) -> tuple[dict[Step, Table], list[str]]:
    """Every direct conversion, and notes on repairs. Weight files come before UNSD's workbooks of one target a code.

    Rows of a table that another one replaces count as `superseded`. SourceError for a file that cannot be read, and
    when the weights of a code do not sum to 1.
    """
    tables: dict[Step, Table] = {}
    notes: list[str] = []
    for file in (*files.get("conversion_workbook", ()), *files.get("conversion_weights", ())):
        if file.kind == "conversion_workbook":
            step, weights = _step_of_workbook(file), _one_target_each(file)
        else:
            step, weights = _step_of_weights(file), _weights(file, notes)
        if step in tables:
            _set_aside_superseded(tables[step])
        tables[step] = Table(file, weights)
    return tables, notes


def base_codes(tables: Mapping[Step, Table], base: str) -> set[str]:
    """Every code of the base revision that a conversion from or to it names."""
    codes: set[str] = set()
    for (source, target), table in tables.items():
        if source == base:
            codes |= table.weights.keys()
        elif target == base:
            codes |= {into for targets in table.weights.values() for into in targets}
    return codes


def chain_to_base(tables: Mapping[Step, Table], base: str) -> Chained:
    """For every revision with a chain of tables to the base: its codes, their targets and positive weights."""
    rows: list[dict[str, Any]] = []
    edges: dict[Step, set[Edge]] = {}
    for revision in sorted({source for source, _ in tables} - {base}):
        path = _shortest_path(tables, revision, base)
        if not path:
            continue
        first, *later = pairwise(path)
        weights = tables[first].weights
        for step in later:
            weights = _chain(weights, tables[step].weights)
        converted = {code: targets for code, targets in sorted(weights.items()) if code != UNSPECIFIED_GOODS}
        for code, targets in converted.items():
            rows += [
                {"from_revision": revision, "from_code": code, "hs6": target, "weight": weight}
                for target, weight in sorted(targets.items())
                if weight > 0
            ]
        for step, passed in _edges_along(tables, path, converted):
            edges.setdefault(step, set()).update(passed)
    return Chained(rows, edges)


def count_rows(tables: Mapping[Step, Table], base: str, chained: Chained, only_converted: Collection[str]) -> None:
    """Count each row of each table: as landed when a landed conversion leads over it, else by the rule that applies.

    A row also counts as landed when it names one of `only_converted`: codes of the base revision that are products
    because a conversion table names them.
    """
    for step, table in tables.items():
        for code, targets in table.weights.items():
            for into, weight in targets.items():
                base_code = code if step[0] == base else into if step[1] == base else None
                if (code, into) in chained.edges.get(step, ()) or base_code in only_converted:
                    table.file.land()
                elif step not in chained.edges:
                    table.file.set_aside("not_on_the_way")
                elif weight == 0:
                    table.file.set_aside("zero_weight")
                elif code == UNSPECIFIED_GOODS:
                    table.file.set_aside("no_code")
                else:
                    table.file.set_aside("dead_end")


def _set_aside_superseded(table: Table) -> None:
    table.file.set_aside("superseded", sum(len(targets) for targets in table.weights.values()))


def _step_of_workbook(file: ReferenceFile) -> Step:
    years = (file.parameters["from_year"], file.parameters["to_year"])
    if not set(years) <= REVISION_OF_YEAR.keys():
        raise SourceError(
            file.address,
            found=f"the HS editions {' and '.join(years)} in its name",
            expected=f"two of {', '.join(REVISION_OF_YEAR)}",
            remedy="Give the file its publisher's name again.",
        )
    return REVISION_OF_YEAR[years[0]], REVISION_OF_YEAR[years[1]]


def _step_of_weights(file: ReferenceFile) -> Step:
    return file.parameters["from_revision"].upper(), file.parameters["to_revision"].upper()


def _one_target_each(file: ReferenceFile) -> Weights:
    """UNSD's conversion sheet: every source code wholly becomes one target code."""
    columns = (f"from hs{file.parameters['from_year']}", f"to hs{file.parameters['to_year']}")
    weights: Weights = {}
    for row in file.sheet_rows(None, columns):
        if not any(row[column] for column in columns):
            file.set_aside("no_code")
            continue
        source, target = (require_six_digits(row[column], file) for column in columns)
        if source not in weights:
            weights[source] = {target: 1.0}
            continue
        if target not in weights[source]:
            raise SourceError(
                f"{file.address}, source code {source}",
                found=f"the targets {next(iter(weights[source]))} and {target}",
                expected="one target for each source code",
                remedy="Is this the conversion sheet, not the correlation sheet? Fetch the publisher's workbook again.",
            )
        file.set_aside("duplicate_equal")
    return weights


def _weights(file: ReferenceFile, notes: list[str]) -> Weights:
    """A weight file: every source code becomes several target codes, in shares that sum to 1."""
    source, target = (revision.lower() for revision in _step_of_weights(file))
    weights: Weights = {}
    padded = 0
    for row in file.csv_rows(((source,), (target,), ("weight",))):
        if 5 in (len(row[source]), len(row[target])):
            padded += 1
            file.note("code_padded")
        code, into = _weight_code(row[source], file), _weight_code(row[target], file)
        weight, targets = _weight(row["weight"], file), weights.setdefault(code, {})
        if into not in targets:
            targets[into] = weight
            continue
        if targets[into] != weight:
            raise SourceError(
                f"{file.address}, source code {code}",
                found=f"the weights {targets[into]} and {weight} for the target {into}",
                expected="one weight for each pair of codes",
                remedy="Fetch the weight file again.",
            )
        file.set_aside("duplicate_equal")
    for code, targets in weights.items():
        if abs(sum(targets.values()) - 1) > 1e-6 or min(targets.values()) < 0:
            raise SourceError(
                f"{file.address}, source code {code}",
                found=f"weights that sum to {sum(targets.values())}",
                expected="non-negative weights that sum to 1",
                remedy="Fetch the weight file again; a file cut short looks like this.",
            )
    if padded:
        notes.append(
            f"{file.address}: {padded} rows have codes that had lost their leading zero, and were padded to six digits"
        )
    return weights


def _weight(text: str, file: ReferenceFile) -> float:
    try:
        weight = float(text.replace("_", "?"))  # Python reads 1_0 as 10
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise SourceError(
            file.address,
            found=f"the weight {text!r}",
            expected="a number from 0 to 1",
            remedy="Fetch the weight file again.",
        )
    return weight


def _weight_code(text: str, file: ReferenceFile) -> str:
    """A code of a weight file: the publisher's rows without a group have lost the leading zero of chapters 01-09."""
    code = text.zfill(6)
    if not re.fullmatch(r"\d{6}", code):
        raise SourceError(
            file.address,
            found=f"the HS code {text!r}",
            expected="five or six digits",
            remedy="Fetch the publisher's weight file again.",
        )
    return code


def _shortest_path(steps: Collection[Step], start: str, goal: str) -> list[str]:
    """The revisions on the shortest chain of conversion tables (breadth first); empty when there is none."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop(0)
        if path[-1] == goal:
            return path
        for source, target in sorted(steps):
            if source == path[-1] and target not in seen:
                seen.add(target)
                paths.append([*path, target])
    return []


def _chain(first: Weights, second: Weights) -> Weights:
    """Compose two conversions. A code that would lose part of its value is left out as a whole."""
    chained: Weights = {}
    for code, targets in first.items():
        reached = {middle: weight for middle, weight in targets.items() if weight > 0}
        if any(middle not in second for middle in reached):
            continue
        combined: dict[str, float] = {}
        for middle, weight in reached.items():
            for target, share in second[middle].items():
                combined[target] = combined.get(target, 0.0) + weight * share
        chained[code] = combined
    return chained


def _edges_along(
    tables: Mapping[Step, Table], path: Sequence[str], codes: Collection[str]
) -> list[tuple[Step, set[Edge]]]:
    """For each table along the path, the pairs of codes with a weight that the conversions of these codes lead over."""
    found: list[tuple[Step, set[Edge]]] = []
    for step in pairwise(path):
        weights = tables[step].weights
        edges = {(code, into) for code in codes for into, weight in weights[code].items() if weight > 0}
        found.append((step, edges))
        codes = {into for _, into in edges}
    return found
