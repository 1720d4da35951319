"""Reference landing: from the archived files to the tables of countries, products and conversions, and their account.

What belongs here: the order of the steps and the writing of tables. Not here: what the tables hold (see `areas`,
`classification` and `conversion`), and how files are read and their rows counted (see `reading`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.datasets.reference.areas import COUNTRIES, read_countries
from dagster_project.datasets.reference.classification import PRODUCTS, read_categories, read_products
from dagster_project.datasets.reference.conversion import (
    CONVERSION,
    base_codes,
    chain_to_base,
    count_rows,
    read_tables,
)
from dagster_project.datasets.reference.reading import ReferenceFile
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import RULE_COUNTS, RuleCounts, replaced_directory, write_parquet


def land(load: Load) -> Landed:
    """Write landing/reference/{countries,products,hs_conversion}.parquet and reference_rule_counts.parquet.

    SourceError when there is no country list or no BEC table of the base revision, and for a file that cannot be used
    whole; AccountingError when a row is unaccounted for. Nothing is written then.
    """
    base = load.settings.hs_revision
    files: dict[str, list[ReferenceFile]] = {}
    for entry in load.entries:
        files.setdefault(entry.parameters["kind"], []).append(ReferenceFile(load.archive, entry))
    conversions, warnings = read_tables(files)
    countries = read_countries(files)
    categories = read_categories(files, base)
    only_converted = base_codes(conversions, base) - categories.keys()
    products = read_products(files, base, categories, only_converted)
    chained = chain_to_base(conversions, base)
    count_rows(conversions, base, chained, only_converted)
    tables = {
        "countries": pa.Table.from_pylist(countries, COUNTRIES),
        "products": pa.Table.from_pylist(products, PRODUCTS),
        "hs_conversion": pa.Table.from_pylist(chained.rows, CONVERSION),
    }
    all_files = [file for of_kind in files.values() for file in of_kind]
    warnings += [remark for file in all_files for remark in file.remarks]
    counts = _by_group(all_files)
    for group, count in counts.items():
        count.check(f"reference landing, {group}")
    with replaced_directory(load.landing / "reference") as building:
        for name, table in tables.items():
            pq.write_table(table, building / f"{name}.parquet")
    rows = [{"source": group, "rule": rule, "n": n} for group, count in counts.items() for rule, n in count.as_rows()]
    write_parquet(pa.Table.from_pylist(rows, RULE_COUNTS), load.landing / "reference_rule_counts.parquet")
    return Landed(
        counts,
        notes={"base_revision": base, "revisions_converted": sorted({row["from_revision"] for row in chained.rows})},
        warnings=warnings,
        rows={name: table.num_rows for name, table in tables.items()},
    )


def _by_group(files: Sequence[ReferenceFile]) -> Mapping[str, RuleCounts]:
    """The account of each source and kind of file; several files of one kind are added up."""
    summed: dict[str, RuleCounts] = {}
    for file in sorted(files, key=lambda file: file.group):
        summed[file.group] = summed.get(file.group, RuleCounts(0, 0)) + file.counts()
    return summed
