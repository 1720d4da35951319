"""Rows of the dbt Python models of input-output tables: from Arrow tables of a year to Arrow tables, by edition.

What belongs here: reading a table's flows from rows, and measures as rows with nulls. Not here: the measures themselves
(see `measures`), and dbt (the models in `dbt/models/intermediate/chains`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.datasets.chains.measures import Flows, carbon, is_chain, ratio, sectors, shock, supplier_shares
from dagster_project.python_models import rows_of_year

_KEY = [("edition", pa.string()), ("year", pa.int32()), ("country_iso3", pa.string()), ("sector", pa.string())]
# What `sectors` gives besides its ratios: the sums over countries are made of these.
_PARTS = (
    *("v", "y", "ly", "lly", "v_l", "v_ll", "ones_b", "v_b", "b_x", "b_y", "at_home", "abroad", "exports", "iv", "fv"),
    *("l_at_home", "l_abroad", "simple", "embodied"),
)
_RATIOS = (
    *("plv_gvc", "ply_gvc", "lookthrough_foreign_share", "input_source_hhi", "top_source_share"),
    *("forward_domestic", "forward_traditional", "forward_simple", "forward_complex"),
    *("backward_domestic", "backward_traditional", "backward_simple", "backward_complex"),
    *("bm_backward_share", "bm_participation", "bm_forward_share"),
)
SECTORS = pa.schema(
    [
        *_KEY,
        *[(name, pa.float64()) for name in ("gross_output_usd", "total_inputs_usd", "imported_inputs_usd")],
        *[(name, pa.float64()) for name in (*_PARTS, *_RATIOS)],
        ("top_source_iso3", pa.string()),
    ]
)
SUPPLIERS = pa.schema(
    [
        *[("edition", pa.string()), ("year", pa.int32()), ("exporter_iso3", pa.string())],
        *[("country_iso3", pa.string()), ("sector", pa.string())],
        *[("face_value_share", pa.float64()), ("lookthrough_share", pa.float64())],
    ]
)
_LOSSES = (
    *("direct_loss_usd", "propagated_loss_usd", "final_use_loss_usd", "returned_loss_usd"),
    *("intermediate_export_loss_usd", "export_loss_usd", "gross_output_usd"),
)
SHOCKS = pa.schema(
    [
        *[("edition", pa.string()), ("year", pa.int32()), ("exporter_iso3", pa.string())],
        *[("country_iso3", pa.string()), ("sector", pa.string()), ("cut", pa.float64())],
        *[(name, pa.float64()) for name in _LOSSES],
    ]
)
CARBON = pa.schema(
    [
        *[("edition", pa.string()), ("year", pa.int32()), ("emitter_iso3", pa.string())],
        *[("country_iso3", pa.string()), ("sector", pa.string())],
        *[(name, pa.float64()) for name in ("kg_per_usd", "at_home_kg_per_usd", "coverage")],
    ]
)


@dataclass(frozen=True)
class Table:
    """One edition of a year: its sectors with output."""

    edition: str
    year: int
    countries: Sequence[str]
    labels: Sequence[tuple[str, str]]
    flows: Flows


def tables_of_year(
    year: int, flows: Any, final: Any, output: Any, editions: Collection[str] | None = None
) -> Iterator[Table]:
    """The tables of a year (of these editions), one after the other: they fill memory.

    The arguments are relations as dbt has them.
    """
    columns = ("edition", "country_iso3", "sector", "position", "gross_output_usd")
    rows = rows_of_year(output, year, *columns)
    for edition in sorted(set(rows["edition"].to_pylist())):
        if editions is not None and edition not in editions:
            continue
        own = {"edition": edition}
        yield _table(
            year,
            edition,
            sorted(
                (row["position"], row["country_iso3"], row["sector"], row["gross_output_usd"])
                for row in rows.to_pylist()
                if row["edition"] == edition
            ),
            rows_of_year(flows, year, "src_position", "dst_position", "value_usd", only=own),
            rows_of_year(final, year, "src_iso3", "src_sector", "dst_iso3", "value_usd", only=own),
        )


def _table(
    year: int, edition: str, rows: Sequence[tuple[int, str, str, float]], flows: pa.Table, final: pa.Table
) -> Table:
    living = [(position, (country, sector), x) for position, country, sector, x in rows if x > 0]
    labels = [label for _, label, _ in living]
    countries = sorted({country for country, _ in labels})
    place = np.full(max((row[0] for row in rows), default=-1) + 1, -1)
    place[[position for position, _, _ in living]] = np.arange(len(living))
    z = np.zeros((len(labels), len(labels)))
    source, target = (place[flows[name].to_numpy()] for name in ("src_position", "dst_position"))
    z[source, target] = flows["value_usd"].to_numpy()
    number = {country: at for at, country in enumerate(countries)}
    return Table(
        edition,
        year,
        countries,
        labels,
        Flows(
            z,
            np.array([x for *_, x in living]),
            np.array([number[country] for country, _ in labels], np.int64),
            len(countries),
            _abroad(labels, final) if len(final) else None,
        ),
    )


def _abroad(labels: Sequence[tuple[str, str]], final: pa.Table) -> np.ndarray:
    """Final use of each label's product in other countries.

    What is used at home is the rest of y: what the publisher's rounding leaves is taken for use at home.
    """
    place = {label: number for number, label in enumerate(labels)}
    found = np.zeros(len(labels))
    columns = (final[name].to_pylist() for name in ("src_iso3", "src_sector", "dst_iso3", "value_usd"))
    for country, sector, user, value in sorted(zip(*columns, strict=True)):
        if user != country and (country, sector) in place:
            found[place[country, sector]] += value
    return found


def sector_rows(tables: Iterator[Table]) -> pa.Table:
    """One row (SECTORS) per table and sector with output."""
    return _together(tables, SECTORS, _sector_columns)


def _sector_columns(table: Table) -> Mapping[str, Any]:
    flows = table.flows
    found = sectors(flows)
    imported = flows.inputs - flows.home_inputs
    return {
        **_labels(table, np.arange(len(table.labels))),
        "gross_output_usd": flows.x,
        "total_inputs_usd": flows.inputs,
        "imported_inputs_usd": imported,
        **{name: found[name] for name in _PARTS},
        **_lengths(flows, found),
        **_parts_of_output(flows, found),
        **_by_source(table, imported),
        "lookthrough_foreign_share": 1.0 - ratio(found["own_b"] - 1.0, found["ones_b"] - 1.0),
    }


def _lengths(flows: Flows, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    crossing, embodied = flows.x - found["ly"], 1.0 - found["v_l"]
    forward = np.where(is_chain(crossing, flows.x), crossing, np.nan)
    backward = np.where(is_chain(embodied), embodied, np.nan)
    return {
        "plv_gvc": ratio(found["b_x"] - found["lly"], forward),
        "ply_gvc": ratio(found["ones_b"] - found["v_ll"], backward),
    }


def _parts_of_output(flows: Flows, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Where a sector's value added and its final product go, and Borin and Mancini's shares of its exports."""
    x, y, v_l, exports = flows.x, np.where(found["y"] == 0, np.nan, found["y"]), found["v_l"], found["exports"]
    forward = {
        "domestic": found["l_at_home"] / x,
        "traditional": found["l_abroad"] / x,
        "simple": found["simple"] / x,
    }
    backward = {
        "domestic": v_l * found["at_home"] / y,
        "traditional": v_l * found["abroad"] / y,
        "simple": found["embodied"] * found["at_home"] / y,
    }
    rows = {f"forward_{name}": part for name, part in forward.items()}
    rows["forward_complex"] = 1.0 - sum(forward.values())
    rows |= {f"backward_{name}": part for name, part in backward.items()}
    rows["backward_complex"] = 1.0 - sum(backward.values())
    sold = np.where(exports > 0, exports, np.nan)
    participation = 1.0 - v_l * (found["abroad"] + found["crossing"]) / sold
    own = np.where(np.isnan(sold), np.nan, 1.0 - v_l)
    return rows | {
        "bm_backward_share": own,
        "bm_participation": participation,
        "bm_forward_share": participation - own,
    }


def _by_source(table: Table, imported: np.ndarray) -> dict[str, Any]:
    """The countries that a sector's imported inputs come from; of equal ones the first in the alphabet."""
    flows = table.flows
    foreign = flows.by_source.copy()
    foreign[flows.country, np.arange(len(flows.x))] = 0.0
    share = np.divide(foreign, imported, out=np.full(foreign.shape, np.nan), where=imported > 0)
    some = imported > 0
    top = np.argmax(np.where(np.isnan(share), -1.0, np.round(share, 12)), axis=0)
    return {
        "input_source_hhi": (share * share).sum(axis=0),
        "top_source_share": share[top, np.arange(len(flows.x))],
        "top_source_iso3": [table.countries[at] if is_some else None for at, is_some in zip(top, some, strict=True)],
    }


def _labels(table: Table, at: np.ndarray) -> dict[str, pa.Array]:
    """Country and sector of the labels at these places."""
    columns = zip(("country_iso3", "sector"), zip(*table.labels, strict=True), strict=True)
    return {name: pa.array(texts, pa.string()).take(pa.array(at)) for name, texts in columns}


def supplier_rows(tables: Iterator[Table]) -> pa.Table:
    """One row (SUPPLIERS) per table, exporter, and sector of another country that uses anything."""
    return _together(tables, SUPPLIERS, _supplier_columns)


def _supplier_columns(table: Table) -> Mapping[str, Any]:
    face, through = supplier_shares(table.flows)
    exporter, user = (each.ravel() for each in np.indices(face.shape))
    kept = (exporter != table.flows.country[user]) & ~np.isnan(face.ravel())
    exporter, user = exporter[kept], user[kept]
    return {
        "exporter_iso3": pa.array(table.countries, pa.string()).take(pa.array(exporter)),
        **_labels(table, user),
        "face_value_share": face[exporter, user],
        "lookthrough_share": through[exporter, user],
    }


def intensities_of_year(year: int, emissions: Any) -> dict[str, dict[tuple[str, str], float]]:
    """Edition -> label -> kg of CO2 per USD, of a year. The argument is a relation as dbt has it."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows_of_year(emissions, year, "edition", "country_iso3", "sector", "kg_co2_per_usd").to_pylist():
        found.setdefault(row["edition"], {})[row["country_iso3"], row["sector"]] = row["kg_co2_per_usd"]
    return found


def carbon_rows(tables: Iterator[Table], known: Mapping[str, Mapping[tuple[str, str], float]]) -> pa.Table:
    """One row (CARBON) per table, country that emits, and sector; `known` are the intensities of every table."""

    def columns(table: Table) -> Mapping[str, Any]:
        own = known[table.edition]
        found = carbon(table.flows, np.array([own.get(label, np.nan) for label in table.labels], np.float64))
        emitter, product = (each.ravel() for each in np.indices(found.by_emitter.shape))
        return {
            "emitter_iso3": pa.array(table.countries, pa.string()).take(pa.array(emitter)),
            **_labels(table, product),
            "kg_per_usd": found.by_emitter.ravel(),
            "at_home_kg_per_usd": found.at_home[product],
            "coverage": found.covered[product],
        }

    return _together(tables, CARBON, columns)


def shock_rows(tables: Iterator[Table], goods: frozenset[str], cuts: Sequence[tuple[str, float]]) -> pa.Table:
    """One row (SHOCKS) per table, exporter in it, and sector of another country.

    `goods` are the sectors that make goods, `cuts` the exporters with the part of their goods that is cut.
    """

    def columns(table: Table) -> Iterator[Mapping[str, Any]]:
        for exporter, cut in cuts:
            if exporter in table.countries:
                yield _shock_columns(table, exporter, goods, cut)

    return _together(tables, SHOCKS, columns)


def _shock_columns(table: Table, exporter: str, goods: frozenset[str], cut: float) -> Mapping[str, Any]:
    flows, number = table.flows, table.countries.index(exporter)
    makes_goods = np.array([sector in goods for _, sector in table.labels], bool)
    found = shock(flows, number, makes_goods, cut)
    at, lost = found.members, found.propagated
    x, block = flows.x[at], flows.blocks[number]
    exported = lost * (flows.sales - flows.home_sales)[at] / x
    final = None if flows.abroad is None else flows.abroad[at]
    return {
        "exporter_iso3": pa.repeat(exporter, len(at)),
        **_labels(table, at),
        "cut": np.full(len(at), cut),
        "direct_loss_usd": found.direct,
        "propagated_loss_usd": lost,
        "final_use_loss_usd": lost * flows.y[at] / x,
        "returned_loss_usd": lost * flows.z[at, block].sum(axis=1) / x,
        "intermediate_export_loss_usd": exported,
        "export_loss_usd": np.full(len(at), np.nan) if final is None else exported + lost * final / x,
        "gross_output_usd": x,
    }


def _together(
    tables: Iterator[Table],
    schema: pa.Schema,
    columns: Callable[[Table], Mapping[str, Any] | Iterator[Mapping[str, Any]]],
) -> pa.Table:
    made = [schema.empty_table()]
    for table in tables:
        if not table.labels:
            continue
        found = columns(table)
        for each in [found] if isinstance(found, Mapping) else found:
            n = len(next(iter(each.values())))
            key = {"edition": pa.repeat(table.edition, n), "year": pa.repeat(pa.scalar(table.year, pa.int32()), n)}
            made.append(pa.table([_column({**key, **each}[field.name], field) for field in schema], schema=schema))
    return pa.concat_tables(made)


def _column(values: Any, field: pa.Field) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    return pa.array(values, field.type, from_pandas=True)
