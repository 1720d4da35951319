"""A job of one asset in the warehouse's pool, with the executor of the graph; its data directory is an argument of the
environment, where a file `busy` keeps the asset at work. For tests of locks and pools. Holds no tests.
"""

import os
import time
from pathlib import Path

import dagster as dg

from dagster_project.runs import run_executor
from dagster_project.settings import load_settings


@dg.asset(pool="warehouse")
def touched() -> None:
    """Nothing at all; it takes as long as the file is there."""
    while (Path(os.environ["SMALL_JOB_DATA"]) / "busy").exists():
        time.sleep(0.1)


def job() -> dg.JobDefinition:
    settings = load_settings({"CHOKEPOINT_DATA_DIR": os.environ["SMALL_JOB_DATA"]}, dotenv=None)
    named = dg.define_asset_job("refresh", selection="*")
    return dg.Definitions(assets=[touched], jobs=[named], executor=run_executor(settings)).resolve_job_def("refresh")


if __name__ == "__main__":
    with dg.DagsterInstance.get() as instance:
        result = dg.execute_job(dg.reconstructable(job), instance=instance)
    raise SystemExit(0 if result.success else 1)
