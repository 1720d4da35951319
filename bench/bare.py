"""Runs bare.sql: python -m bench.bare DROP OUT. Nothing else happens in this process, so that it can be measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent


def main(drop: Path, out: Path) -> None:
    """Write the marts of a drop folder (one written by `bench.generate`) below `out`."""
    (out / "parquet").mkdir(parents=True)
    statements = (HERE / "bare.sql").read_text(encoding="utf-8")
    seeds = HERE.parent / "dbt" / "seeds"
    os.chdir(out)
    with duckdb.connect() as connection:
        for name, path in (("drop", drop), ("seeds", seeds)):
            connection.execute(f"set variable {name} = '{path}'")
        connection.execute(statements)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
