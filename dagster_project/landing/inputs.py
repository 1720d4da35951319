"""The table of inputs: which datasets a run uses, from which source, and whether they are synthetic.

What belongs here: the one landing table that says what the other landing tables are made of. Not here: their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from dagster_project.landing import vouched
from dagster_project.landing.tables import copy_query

INPUTS = "inputs"  # its name


@dataclass(frozen=True)
class Input:
    """A dataset that is on: the source that the settings choose, and whether any of its payloads is synthetic."""

    dataset: str
    source: str
    is_synthetic: bool
    n_payloads: int


def inputs_path(landing: Path) -> Path:
    """Where the table lies."""
    return landing / f"{INPUTS}.parquet"


def land_inputs(landing: Path, inputs: Sequence[Input]) -> Path:
    """Write the table whole, one row per dataset that is on, and return its path; no row means off."""
    path = inputs_path(landing)
    building = path.with_name(".building-inputs.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            "create table inputs (dataset varchar, source varchar, is_synthetic boolean, n_payloads bigint)"
        )
        connection.executemany("insert into inputs values (?, ?, ?, ?)", [astuple(each) for each in inputs])
        copy_query(connection, "select * from inputs order by dataset", building)
    building.replace(path)
    vouched.vouch_for_tables(landing, INPUTS, [path])
    return path
