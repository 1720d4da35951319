"""The patent models at real volume, chains of own citations and the CD index included: time and memory.

Generates landed patents (by default 4.5 million publications and 60 million citations), builds all models of patents in
a process of its own, and prints the seconds of each. Nothing in the data is real. Not here: landing them from files
(see `citations`).

    python -m bench.kaizen --work bench/work/kaizen --publications 450000 --citations 6000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

SECONDS_TARGET, MEMORY_TARGET = 600, 8 * 1024**3
LAST_DAY = "date '2023-12-31'"
# Publications are numbered by date over 45 years. An applicant files every 1.1 years, so that one of its own is there
# to be cited; one citation in eight is of an own publication. Of the other cited ones a third are among the one in 50
# that everybody cites. Half of the citing documents are publications themselves.
_DAYS = 45 * 365
_TABLES: Mapping[str, str] = {
    "pct_publications": """
        select format('WO{:010d}', i) as pct_id, day as filing_date, 'pct_application' as filing_date_basis,
            year(day)::integer as filing_year, (day + 540)::date as publication_date, (day + 540)::date as window_start,
            false as window_start_estimated, null::integer as family_size, {last_day} as citations_until,
            'google_patents' as source
        from (select i, date '1978-06-01' + (i * {days} // {n})::integer as day from range({n}) as r (i))
    """,
    "pct_applicants": """
        select format('WO{:010d}', i) as pct_id, 0 as seq, 'applicant ' || i % ({n} // 40) as applicant_id,
            ['CN', 'US', 'JP', 'DE', 'KR', 'FR', 'GB', 'NL'][1 + i % ({n} // 40) % 8] as country_iso2,
            1.0::double as weight
        from range({n}) as r (i)
    """,
    "pct_fields": """
        select format('WO{:010d}', i) as pct_id, seq, (1 + (hash(i) + seq * 7) % 35)::varchar as wipo_field_id,
            0.5::double as weight
        from range({n}) as r (i), range(2) as s (seq)
    """,
    "pct_citations": """
        with drawn as (
            select i, i % 2 = 0 as is_own_kind, hash(i) as h,
                {n} // 20 + (hash(i, 1) % ({n} - {n} // 20))::bigint as citing
            from range({m}) as r (i)
        ),
        chosen as (
            select *, case
                    when h % 8 = 0 then citing - ({n} // 40) * (1 + (h >> 8) % 3)
                    else (citing * (1 - pow((h >> 8) % 100003 / 100003.0, 3)))::bigint
                end as plain
            from drawn
        ),
        cited as (
            select *, case when h % 8 <> 0 and h % 3 = 0 then plain - plain % 50 else plain end as cited from chosen
        )
        select format('WO{:010d}', cited) as cited_pct_id,
            case when is_own_kind then format('WO{:010d}', citing) else 'patent ' || citing end as citing_id,
            case when is_own_kind then format('WO{:010d}', citing) end as citing_pct_id,
            date '1980-01-01' + (citing * {days} // {n})::integer as citing_date, 'isr' as category,
            h % 8 = 0 as is_self
        from cited where cited between 0 and citing - 1
        qualify row_number() over (partition by cited, citing, is_own_kind order by i) = 1
    """,
    "wipo_fields": """
        select i::varchar as field_id, 'Field ' || i as field_name, 'Sector' as sector_name from range(1, 36) as r (i)
    """,
    "reference_totals": """
        select 'oecd' as source, '' as family, '' as field, '' as economy, null::varchar as country_iso2,
            null::varchar as country_iso3, 0::integer as year, 0.0::double as value where false
    """,
}


def main() -> None:
    """Generate, build, print; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="directory to work in")
    parser.add_argument("--publications", type=int, default=4_500_000)
    parser.add_argument("--citations", type=int, default=60_000_000)
    parser.add_argument("--memory", default="auto", help="CHOKEPOINT_MEMORY")
    parser.add_argument("--keep", action="store_true", help="keep the generated tables for another run")
    arguments = parser.parse_args()
    if not (arguments.work / "landing" / "complete").exists():
        generate(arguments.work / "landing", arguments.publications, arguments.citations)
    process = multiprocessing.get_context("spawn").Process(target=build, args=(arguments.work, arguments.memory))
    process.start()
    process.join()
    if not arguments.keep:
        shutil.rmtree(arguments.work)
    raise SystemExit(process.exitcode)


def generate(landing: Path, publications: int, citations: int) -> None:
    """Write landing/patents/*.parquet and the list of countries."""
    for folder in ("patents", "reference"):
        (landing / folder).mkdir(parents=True, exist_ok=True)
    known = {"n": publications, "m": citations, "days": _DAYS, "last_day": LAST_DAY}
    with duckdb.connect(config={"temp_directory": str(landing / "spill"), "memory_limit": "3GB"}) as connection:
        connection.execute("set enable_progress_bar = false; set preserve_insertion_order = false")
        for name, query in _TABLES.items():
            filled = query.replace("{:010d}", "{{:010d}}").format(**known)
            began = time.perf_counter()
            connection.execute(f"copy ({filled}) to '{landing / 'patents' / f'{name}.parquet'}' (format parquet)")
            print(f"generated {name} in {time.perf_counter() - began:.0f} s", flush=True)
        connection.execute(f"""
            copy (
                select 156 as country_code, 'CN' as iso2, 'CHN' as iso3, 'China' as name, true as is_country,
                    null::date as valid_to
            ) to '{landing / "reference" / "countries.parquet"}'
        """)
    (landing / "complete").touch()


def build(work: Path, memory: str) -> None:
    """Build the models of patents; print the seconds of those that take more than one, of all, and the peak memory."""
    from dagster_project.dbt_project import run_dbt
    from dagster_project.settings import load_settings

    settings = load_settings({"CHOKEPOINT_DATA_DIR": str(work), "CHOKEPOINT_MEMORY": memory}, dotenv=None)
    (work / "warehouse.duckdb").unlink(missing_ok=True)

    def told(event: Mapping[str, Any]) -> None:
        if event["info"]["name"] == "LogModelResult" and event["data"]["execution_time"] > 1:
            name = event["data"]["node_info"]["node_name"]
            print(f"  {name:<28} {event['data']['execution_time']:6.1f} s", flush=True)

    began, used = time.perf_counter(), time.process_time()
    result = run_dbt(settings, ["run", "--select", "fqn:*.patents.*"], on_event=told)
    seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    used = time.process_time() - used
    print(f"all models of patents: {seconds:.0f} s ({used:.0f} s of processor), peak {peak / 1024**3:.2f} GB")
    if not result.success:
        failed = [each.message for each in getattr(result.result, "results", ()) if each.status == "error"]
        raise SystemExit(f"dbt failed: {result.exception or failed}")
    if seconds > SECONDS_TARGET or peak > MEMORY_TARGET:
        raise SystemExit(f"expected at most {SECONDS_TARGET} s and {MEMORY_TARGET / 1024**3:.0f} GB")


if __name__ == "__main__":
    main()
