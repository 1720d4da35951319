"""Runs bare.sql, then prices.sql: python -m bench.bare DROP OUT. Nothing else runs in this process: it is measured."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent


def main(drop: Path, out: Path) -> None:
    """Write the marts of a drop folder (one written by `bench.generate`) below `out`."""
    (out / "parquet").mkdir(parents=True)
    seeds = HERE.parent / "dbt" / "seeds"
    os.chdir(out)
    with duckdb.connect() as connection:
        for name, path in (("drop", drop), ("seeds", seeds)):
            connection.execute(f"set variable {name} = '{path}'")
        for script in ("bare.sql", "prices.sql"):
            connection.execute((HERE / script).read_text(encoding="utf-8"))
            print(f"up to the end of {script}: {time.process_time():.1f} s of processor time", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
