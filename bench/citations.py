"""Landing of PCT citations at real volume: time and memory beside a bare DuckDB query that does the same.

Generates PatentsView tables (by default 50 million citations among 8 million patents, a fifth of them from
international applications), lands them, runs the bare query on the same packed files without a memory limit, each in
a process of its own, and checks that both found the same citations. Nothing in the data is real.

    python -m bench.citations --work bench/work/citations --keep
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

MEMORY_TARGET = 3 * 1024**3


def main() -> None:
    """Generate, land, run the bare query, print both; exit status 1 when they differ or memory is over the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="directory to work in; needs about 20 GB")
    parser.add_argument("--citations", type=int, default=50_000_000)
    parser.add_argument("--patents", type=int, default=8_000_000)
    parser.add_argument("--pct-share", type=float, default=0.2, help="share of patents from international applications")
    parser.add_argument("--keep", action="store_true", help="keep the generated files for another run")
    arguments = parser.parse_args()
    drop = arguments.work / f"drop-{arguments.citations}-{arguments.patents}-{arguments.pct_share}"
    if not (drop / "complete").exists():
        started = time.perf_counter()
        generate(drop, arguments.citations, arguments.patents, arguments.pct_share)
        print(f"generated {arguments.citations:,} citations in {time.perf_counter() - started:.0f} s", flush=True)
    landed = measured(land, drop, arguments.work)
    bare = measured(bare_query, drop, arguments.work)
    for what, run in (("landing (all tables, zips)", landed), ("bare DuckDB (citations, zips)", bare)):
        times = f"{run['seconds']:.1f} s, {run['cpu_seconds']:.1f} s of processor time"
        print(f"{what}: {times}, peak {run['peak'] / 1024**3:.2f} GB")
    part, busy = landed["citation_cpu_seconds"], bare["cpu_seconds"]
    print(f"  of the landing, the citations: {part:.1f} s of processor time")
    print(f"ratio of processor times {landed['cpu_seconds'] / busy:.2f} (citations alone {part / busy:.2f})")
    print(f"found {landed['found']} and {bare['found']}")
    if not arguments.keep:
        shutil.rmtree(arguments.work)
    if landed["found"] != bare["found"] or landed["peak"] > MEMORY_TARGET:
        raise SystemExit(f"expected equal results and at most {MEMORY_TARGET / 1024**3:.0f} GB of memory")


def measured(work: Callable[[Path, Path], dict[str, Any]], drop: Path, directory: Path) -> dict[str, Any]:
    """Run a function in a new process; what it returns, with its seconds and its peak memory in bytes."""
    result = directory / "result.json"
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(work, drop, directory, result))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} failed with {process.exitcode}")
    measured: dict[str, Any] = json.loads(result.read_text())
    return measured


def _measure(work: Callable[[Path, Path], dict[str, Any]], drop: Path, directory: Path, result: Path) -> None:
    started, busy = time.perf_counter(), time.process_time()
    found = work(drop, directory)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result.write_text(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak": peak, **found}))


def land(drop: Path, directory: Path) -> dict[str, Any]:
    """Our landing, from archived zips; archiving itself is not timed."""
    from dagster_project.archive.store import Archive
    from dagster_project.datasets.patents import landing as patents
    from dagster_project.datasets.patents import patentsview
    from dagster_project.datasets.patents.files import FILE_KINDS
    from dagster_project.landing.loads import Load
    from dagster_project.settings import load_settings
    from dagster_project.sources.files import find_files

    archive = Archive(directory / "archive")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    began = time.perf_counter()
    entries = [archive.put(payload, retrieved_at=now) for payload in find_files(drop, FILE_KINDS).payloads]
    archiving = time.perf_counter() - began
    spent: list[float] = []
    citations = patentsview._citations

    def timed(*arguments: Any) -> None:
        began = time.process_time()
        citations(*arguments)
        spent.append(time.process_time() - began)

    patentsview._citations = timed  # type: ignore[assignment]
    began, busy = time.perf_counter(), time.process_time()
    patents.land(Load(archive, entries, directory / "landing", load_settings({}, dotenv=None)))
    print(f"(archiving, not counted: {archiving:.1f} s)", flush=True)
    found = _summary(f"'{directory / 'landing' / 'patents' / 'pct_citations.parquet'}'")
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - busy,
        "citation_cpu_seconds": spent[0],
        "found": found,
    }


def bare_query(drop: Path, directory: Path) -> dict[str, Any]:
    """One query over the tables, each unpacked first because DuckDB reads no zip, with DuckDB's own settings."""
    unpacked = directory / "unpacked"

    def table(name: str) -> str:
        with zipfile.ZipFile(drop / "patents" / f"{name}.tsv.zip") as archive:
            path = archive.extract(f"{name}.tsv", unpacked)
        return f"""read_csv('{path}', delim='\t', quote='"', escape='"', header=true, all_varchar=true)"""

    target = directory / "bare.parquet"
    began = time.perf_counter()
    with duckdb.connect(config={"temp_directory": str(directory / "spill")}) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"""
            copy (
                with cited as (
                    select patent_id, 'WO' || replace(pct_doc_number[3:], '/', '') as pct_id
                    from {table("g_pct_data")} where pct_doc_type = 'wo_grant'
                ),
                holders as (select patent_id, assignee_id from {table("g_assignee_disambiguated")}),
                pairs as (
                    select p.pct_id, p.patent_id as cited, c.patent_id as citing, min(c.citation_category) as category
                    from {table("g_us_patent_citation")} as c join cited as p on p.patent_id = c.citation_patent_id
                    group by all
                )
                select pairs.pct_id as cited_pct_id, pairs.citing as citing_id,
                    cast(g.patent_date as date) as citing_date, pairs.category,
                    coalesce(a.assignee_id = b.assignee_id, false) as is_self
                from pairs join {table("g_patent")} as g on g.patent_id = pairs.citing and g.withdrawn = '0'
                left join holders as a on a.patent_id = pairs.cited
                left join holders as b on b.patent_id = pairs.citing
            ) to '{target}' (format parquet, compression zstd)
        """)
    return {"seconds": time.perf_counter() - began, "found": _summary(f"'{target}'")}


def _summary(table: str) -> list[int]:
    """Rows, self-citations, and the sum of the citing days, for comparison."""
    query = f"""
        select count(*), count(*) filter (is_self),
            cast(sum(datediff('day', date '1970-01-01', citing_date)) as bigint)
        from {table}
    """
    with duckdb.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return [int(value) for value in row]


def generate(drop: Path, citations: int, patents: int, pct_share: float) -> None:
    """Write `drop/patents/*.tsv.zip`."""
    (drop / "patents").mkdir(parents=True, exist_ok=True)
    one_in = round(1 / pct_share)
    # Patents are numbered by date; a citing patent has a dozen references, mostly to the younger of the older ones.
    number, day = "3000000 + i", f"date '1976-01-06' + cast(7 * floor(i * 2400.0 / {patents}) as integer)"
    numbers = f"from range({patents}) as r(i)"
    of_pct = f"from range(0, {patents}, {one_in}) as r(i)"
    citing = f"{patents} - 1 - (i // 12) % ({patents} - 1000)"
    uniform = "(hash(i) % 1000003) / 1000003.0"
    tables = {
        "g_pct_data": f"""
            select {number} as patent_id, cast({day} as varchar) as published_or_filed_date, '' as pct_371_date,
                '' as pct_102_date, 'WO' as filed_country, 'A' as application_kind,
                'WO2010/' || lpad(cast(i as varchar), 8, '0') as pct_doc_number, 'wo_grant' as pct_doc_type {of_pct}
        """,
        "g_patent": f"""
            select {number} as patent_id, 'utility' as patent_type, cast({day} as varchar) as patent_date,
                'A method and an apparatus of number ' || i as patent_title, 'B2' as wipo_kind, 12 as num_claims,
                cast(i % 1000 = 7 as integer) as withdrawn, 'ipg' || i || '.xml' as filename {numbers}
        """,
        "g_application": f"""
            select i as application_id, {number} as patent_id, 'utility' as patent_application_type,
                cast({day} as varchar) as filing_date, '14' as series_code, '' as rule_47_flag {numbers}
        """,
        "g_wipo_technology": f"""
            select {number} as patent_id, 0 as wipo_field_sequence, 1 + i % 35 as wipo_field_id,
                'Sector' as wipo_sector_title, 'Field ' || (1 + i % 35) as wipo_field_title {numbers}
        """,
        "g_assignee_disambiguated": f"""
            select {number} as patent_id, 0 as assignee_sequence,
                'b1c4c5a2-0000-4000-8000-' || lpad(cast(hash(i) % 50000 as varchar), 12, '0') as assignee_id,
                '' as disambig_assignee_individual_name_first, '' as disambig_assignee_individual_name_last,
                'Company ' || hash(i) % 50000 as disambig_assignee_organization, 3 as assignee_type,
                'l' || hash(i) % 300 as location_id {numbers}
        """,
        "g_location_disambiguated": """
            select 'l' || i as location_id, 'City' as disambig_city, '' as disambig_state,
                chr(65 + cast(i % 20 as integer)) || 'X' as disambig_country, 0 as latitude, 0 as longitude,
                '' as county, '' as state_fips, '' as county_fips from range(300) as r(i)
        """,
        "g_us_patent_citation": f"""
            select 3000000 + {citing} as patent_id, i % 12 as citation_sequence,
                3000000 + cast(floor(({citing}) * (1 - {uniform} * {uniform})) as bigint) as citation_patent_id,
                '2001-05-01' as citation_date, 'Smith et al.' as record_name, 'B2' as wipo_kind,
                case when hash(i) % 5 < 2 then 'cited by examiner' else 'cited by applicant' end as citation_category
            from range({citations}) as r(i)
        """,
    }
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute("set enable_progress_bar = false")
        for name, query in tables.items():
            path = drop / f"{name}.tsv"
            connection.execute(f"copy ({query}) to '{path}' (format csv, header, delimiter '\t', force_quote *)")
            packed = drop / "patents" / f"{name}.tsv.zip"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                archive.write(path, path.name)
            path.unlink()
    (drop / "complete").touch()


if __name__ == "__main__":
    main()
