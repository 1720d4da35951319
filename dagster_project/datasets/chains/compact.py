"""The compact form of a table: Parquet files of flows and of output, and optionally of final use, in million USD.

Not here: which files belong together (see `files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.datasets.chains.table import (
    MILLION,
    IoTable,
    Label,
    country_of,
    refused,
    require_labels,
    text_of,
    without_dead_sectors,
)

_FLOWS = ("src_country", "src_sector", "dst_country", "dst_sector", "intermediate_usd_mn")
_FINAL = ("src_country", "src_sector", "dst_country", "final_usd_mn")
_OUTPUT = ("country", "sector", "gross_output_usd_mn")
_BATCH = 1 << 19  # rows


def read_parquet(files: Mapping[str, tuple[Path, str]]) -> IoTable:
    """The table in these files: what each holds -> its path, and its address for messages.

    SourceError, naming column or label, for files that are no whole table.
    """
    labels, output, n_rows = _read_output(*files["output"])
    place = {label: number for number, label in enumerate(labels)}
    flows = np.zeros((len(labels), len(labels)))
    counts = {"io_flows": {"rows_read": _add_flows(*files["intermediate_flows"], place, flows)}}
    counts["io_output"] = {"rows_read": n_rows}
    countries = sorted({country for country, _ in labels})
    final, destinations = None, countries
    if "final_flows" in files:
        final, destinations, counts["io_final"] = _read_final(*files["final_flows"], place, countries)
    table = IoTable(labels, flows, output, destinations, final, counts=counts)
    return without_dead_sectors(table)


def _read_output(path: Path, where: str) -> tuple[list[Label], np.ndarray, int]:
    table = _columns(path, where, _OUTPUT)
    rows = list(zip(*(table[name].to_pylist() for name in _OUTPUT), strict=True))
    require_labels([f"{country}_{sector}" for country, sector, _ in rows], where, "row")
    output: dict[Label, float] = {}
    for country, sector, value in rows:
        if value is None or not np.isfinite(value):
            raise refused(f"{where}, row {country}_{sector}", f"the output {value}", "a number, in million USD")
        label = (country_of(country), sector)
        output[label] = output.get(label, 0.0) + value * MILLION
    labels = sorted(output)
    return labels, np.array([output[label] for label in labels]), len(rows)


def _add_flows(path: Path, where: str, place: Mapping[Label, int], flows: np.ndarray) -> int:
    """Add the file's rows to the flows, batch by batch; return how many are not 0."""
    n_labels = len(place)
    seen = np.zeros(n_labels * n_labels, np.uint8)
    of_parts = False
    rows = 0
    for batch in _batches(path, where, _FLOWS):
        source, split = _positions(batch, "src_country", "src_sector", place, where)
        target, split_too = _positions(batch, "dst_country", "dst_sector", place, where)
        value = batch.column("intermediate_usd_mn").to_numpy(zero_copy_only=False).astype(np.float64)
        wrong = ~(value >= 0) | ~np.isfinite(value)
        if wrong.any():
            first = int(np.argmax(wrong))
            raise refused(
                where,
                f"the flow {value[first]:g} from {_named(batch, first, 'src')} to {_named(batch, first, 'dst')}",
                "intermediate use of 0 or more, in million USD",
            )
        cell = source * n_labels + target
        of_parts = of_parts or split or split_too
        np.add.at(seen, cell, 1)
        twice = seen[cell] > 1
        if twice.any() and not of_parts:  # parts of an economy share the cell of the whole
            first = int(np.argmax(twice))
            names = f"{_named(batch, first, 'src')} to {_named(batch, first, 'dst')}"
            raise refused(where, f"the flow from {names} twice", "every pair of labels once")
        np.add.at(flows.reshape(-1), cell, value * MILLION)
        rows += int(np.count_nonzero(value))
    return rows


def _read_final(
    path: Path, where: str, place: Mapping[Label, int], countries: Sequence[str]
) -> tuple[np.ndarray, list[str], dict[str, int]]:
    table = _columns(path, where, _FINAL)
    batches = table.combine_chunks().to_batches()
    known = sorted({*countries, *(country_of(name) for name in pc.unique(table["dst_country"]).to_pylist())})
    column = {country: number for number, country in enumerate(known)}
    final = np.zeros((len(place), len(known)))
    for batch in batches:
        source, _ = _positions(batch, "src_country", "src_sector", place, where)
        at = np.array([column[country_of(name)] for name in batch.column("dst_country").to_pylist()])
        value = batch.column("final_usd_mn").to_numpy(zero_copy_only=False).astype(np.float64)
        if not np.isfinite(value).all():
            first = int(np.argmin(np.isfinite(value)))
            raise refused(where, f"the final use {value[first]} of {_named(batch, first, 'src')}", "a number")
        np.add.at(final, (source, at), value * MILLION)
    return final, known, {"rows_read": int(np.count_nonzero(table["final_usd_mn"].to_numpy()))}


def _positions(
    batch: pa.RecordBatch, country: str, sector: str, place: Mapping[Label, int], where: str
) -> tuple[np.ndarray, bool]:
    """The place of each row's label in the table, and whether a label is a part of an economy."""
    countries, sectors = (pc.dictionary_encode(batch.column(name)) for name in (country, sector))
    names = [countries.dictionary.to_pylist(), sectors.dictionary.to_pylist()]
    known = np.array([[place.get((country_of(str(one)), other), -1) for other in names[1]] for one in names[0]])
    if countries.null_count or sectors.null_count or not len(batch):
        raise refused(where, f"rows without {country} or {sector}", "a country and a sector in every row")
    found = known[countries.indices.to_numpy(), sectors.indices.to_numpy()]
    if (found < 0).any():
        first = int(np.argmax(found < 0))
        label = _named(batch, first, country.partition("_")[0])
        raise refused(where, f"flows of {label}, which has no row in the file of output", "an output for every label")
    return found, any(country_of(str(one)) != one for one in names[0])


def _named(batch: pa.RecordBatch, row: int, side: str) -> str:
    country, sector = (str(batch.column(f"{side}_{part}")[row].as_py()) for part in ("country", "sector"))
    return text_of((country, sector))


def _columns(path: Path, where: str, names: Sequence[str]) -> pa.Table:
    return pa.Table.from_batches(list(_batches(path, where, names)))


def _batches(path: Path, where: str, names: Sequence[str]) -> list[pa.RecordBatch]:
    """The batches of these columns, texts as plain text or dictionaries. SourceError where one is missing."""
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise refused(where, f"a file that is no whole Parquet ({error})", "Parquet") from error
    there = file.schema_arrow.names
    if missing := [name for name in names if name not in there]:
        raise refused(where, f"only the columns {', '.join(there)}", f"the columns {', '.join(missing)} too")
    if not file.metadata.num_rows:
        raise refused(where, "no row", "a row for each label or flow")
    return file.iter_batches(_BATCH, columns=list(names))
