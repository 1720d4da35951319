"""Compares the marts of two releases row by row: keys identical, doubles equal to 1e-9 relative, the rest equal.

A double that is a difference of larger numbers is held against their size, not its own: see `SIZES`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

TOLERANCE = 1e-9
KEYS = {
    "trade_flows": ("year", "exporter_code", "importer_code", "hs6"),
    "bilateral_totals": ("year", "exporter_code", "importer_code"),
    "product_centrality": ("year", "hs6"),
    "exporter_position": ("year", "exporter_code"),
    "import_vulnerability": ("year", "importer_code", "hs6"),
    "vulnerability_summary": ("year", "importer_code", "category"),
    "industry_vulnerability": ("year", "importer_code", "hs2"),
    "destination_ranks": ("year", "exporter_code", "importer_code"),
    "relocation": ("year", "exporter_code", "importer_code", "bec_class"),
    "shock_exposure_industry": ("year", "exporter_code", "importer_code", "hs2"),
    "shock_exposure": ("year", "exporter_code", "importer_code"),
    "supplier_removal": ("year", "exporter_code", "importer_code", "hs6"),
    "supplier_removal_summary": ("year", "exporter_code", "importer_code"),
    "capacity_concentration": ("year", "product_level", "product_code"),
    "supply_share": ("year", "product_level", "product_code", "exporter_code"),
    "import_suppliers": ("year", "importer_code", "hs6", "supplier_code"),
    "diversification": ("year", "importer_code", "product_level", "product_code"),
    "diversification_regions": ("year", "importer_code", "product_level", "product_code", "trade_region"),
    "category_transitions": ("importer_code", "hs6"),
    "export_price_index": ("year", "exporter_code", "product_level", "product_code", "basis"),
    "involution": ("year", "exporter_code", "hs6"),
    "involution_summary": ("year", "exporter_code"),
    "import_price_contribution": ("year", "importer_code", "product_level", "product_code", "exporter_code"),
}
LOGARITHMS = ("chain_drift", "within", "switching", "relative_contribution", "import_price_change")
EFFECTS = ("price_effect", "quantity_effect")
SIZES = dict.fromkeys(LOGARITHMS, "1") | dict.fromkeys(EFFECTS, "l.value_usd + l.value_usd_prev")


def differences(one: Path, other: Path) -> list[str]:
    """What differs between the marts of two directories laid out like a release; empty when they are equal.

    Both the DuckDB files and the Parquet files are compared.
    """
    found = []
    with duckdb.connect() as connection:
        for name, folder in (("one", one), ("other", other)):
            connection.execute(f"attach '{folder / 'chokepoint.duckdb'}' as {name} (read_only)")
        for mart, key in KEYS.items():
            pairs = [(_parquet(one, mart), _parquet(other, mart))]
            if mart != "trade_flows":
                pairs.append((f"one.marts.{mart}", f"other.marts.{mart}"))
            for left, right in pairs:
                if left is None or right is None:  # of a mart without a row there need not be a file
                    found += [f"{mart}: rows in one only" for each in (left, right) if each and _rows(connection, each)]
                    continue
                found += [f"{mart}: {text}" for text in _compare(connection, left, right, key)]
    return found


def _parquet(release: Path, mart: str) -> str | None:
    """The mart's Parquet files: one per year, or one; None where there is none."""
    files = f"{mart}/*/*.parquet" if (release / "parquet" / mart).is_dir() else f"{mart}.parquet"
    if not any((release / "parquet").glob(files)):
        return None
    return f"read_parquet('{release}/parquet/{files}', hive_partitioning = false)"


def _rows(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    assert row is not None
    return int(row[0])


def _compare(connection: duckdb.DuckDBPyConnection, left: str, right: str, key: tuple[str, ...]) -> list[str]:
    columns, others = (_columns(connection, relation) for relation in (left, right))
    if columns != others:
        return [f"columns differ: {sorted(set(columns.items()) ^ set(others.items()))}"]
    values = [name for name in columns if name not in key]
    counts = ", ".join(f"count(*) filter ({_differs(name, columns[name])})" for name in values)
    row = connection.execute(f"""
        select count(*) filter (l.{key[0]} is null or r.{key[0]} is null), {counts}
        from {left} as l full join {right} as r using ({", ".join(key)})
    """).fetchone()
    assert row is not None
    unmatched, *different = row
    return [f"{unmatched} keys are in one only"] * bool(unmatched) + [
        f"{name} differs in {n} rows" for name, n in zip(values, different, strict=True) if n
    ]


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe select * from {relation}").fetchall()}


def _differs(name: str, type_: str) -> str:
    if type_ != "DOUBLE":
        return f"l.{name} is distinct from r.{name}"
    size = SIZES.get(name, f"greatest(abs(l.{name}), abs(r.{name}))")
    return f"(l.{name} is null) <> (r.{name} is null) or not abs(l.{name} - r.{name}) <= {TOLERANCE} * ({size})"
