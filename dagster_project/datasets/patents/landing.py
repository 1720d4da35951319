"""PCT patents: from archived payloads to one normalised shape, whichever source they come from.

What belongs here: the normalised tables, the rules that both patent sources share, and how what is found is written.
Not here: the sources' own columns (see `patentsview`, `bigquery`) and any measure (windows, cohorts and shares
are dbt's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dagster_project.archive.store import Entry
from dagster_project.datasets.patents import bigquery, patentsview
from dagster_project.datasets.patents.files import (
    BIGQUERY_KIND,
    CONCORDANCE_KIND,
    NCSES_KIND,
    OECD_KIND,
    PATENTSVIEW_TABLES,
)
from dagster_project.datasets.patents.load import PatentLoad
from dagster_project.datasets.patents.totals import read_concordance, read_totals
from dagster_project.errors import SourceError
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import RuleCounts, copy_query, replaced_directory, scratch_database
from dagster_project.sql import literal

# What each source's module leaves behind as temporary tables.
NORMALISED = {
    "publications": "pct_id, wo_number, pct_application_number, us_patent_id, family_id, family_size, filing_date, "
    "us_filing_date, publication_date, grant_date, title, citations_until, source, source_release",
    "applicants": "pct_id, seq, applicant_id, name, type, part_interest, country_text",
    "fields": "pct_id, seq, wipo_field_id, wipo_field, wipo_sector",
    "citations": "cited_pct_id, citing_id, citing_pct_id, citing_date, category, is_self",
}

# An application without a known priority is published 18 months after filing (PCT articles 2(xi) and 21(2)(a)).
_MONTHS_TO_PUBLICATION = 18

# landing/patents/<name>.parquet
TABLES: Mapping[str, str] = {
    "pct_publications": f"""
        select pct_id, wo_number, pct_application_number, us_patent_id, family_id, family_size, filing_date,
            filing_date_basis,
            cast(
                coalesce(year(filing_date), try_cast(split_part(pct_application_number, '/', 3) as integer)) as integer
            ) as filing_year,
            publication_date,
            cast(coalesce(publication_date, filing_date + interval {_MONTHS_TO_PUBLICATION} month) as date)
                as window_start,
            publication_date is null as window_start_estimated, citations_until, grant_date, title, source,
            source_release
        from (
            select * exclude (filing_date),
                case when filing_date is null and us_filing_date <= publication_date then us_filing_date
                    else filing_date end as filing_date,
                case when filing_date is not null then 'pct_application'
                    when us_filing_date <= publication_date then 'us_application'
                    when pct_application_number is not null then 'application_number' end as filing_date_basis
            from publications
        )
        order by pct_id
    """,
    "pct_applicants": """
        select p.pct_id,
            cast(row_number() over same_publication - 1 as integer) as seq,
            a.applicant_id, a.name, a.type, coalesce(a.part_interest, false) as part_interest,
            case when regexp_full_match(a.country_text, '[A-Z]{2}') and a.country_text not in ('XX', 'ZZ')
                then a.country_text end as country_iso2,
            1.0::double / count(*) over (partition by p.pct_id) as weight
        from publications as p left join applicants as a on a.pct_id = p.pct_id
        window same_publication as (partition by p.pct_id order by a.seq nulls last, a.applicant_id, a.name)
        order by p.pct_id, seq
    """,
    "pct_fields": """
        select p.pct_id,
            cast(row_number() over same_publication - 1 as integer) as seq,
            f.wipo_field_id, f.wipo_field, f.wipo_sector,
            1.0::double / count(*) over (partition by p.pct_id) as weight
        from publications as p left join fields as f on f.pct_id = p.pct_id
        window same_publication as (partition by p.pct_id order by f.seq nulls last, cast(f.wipo_field_id as integer))
        order by p.pct_id, seq
    """,
    "pct_citations": "select cited_pct_id, citing_id, citing_pct_id, citing_date, category, is_self from citations",
    "wipo_fields": """
        select field_id, min(field_name) as field_name, min(sector_name) as sector_name from (
            select distinct field_id, field_name, sector_name from concordance
            union all
            select distinct wipo_field_id, wipo_field, wipo_sector from fields
            where wipo_field_id not in (select field_id from concordance)
        )
        group by field_id order by cast(field_id as integer)
    """,
    "reference_totals": "from reference_totals order by source, family, field, economy, year",
}


def land(load: Load) -> Landed:
    """Write landing/patents/*.parquet, landing/quarantine/patents and landing/patents_rule_counts.parquet.

    The archived payloads are of one patent-level source: PatentsView's granted tables or a BigQuery export of WO
    publications, with the reference tables where they are there. Where both sources are there, PatentsView is
    landed and the export only fills what PatentsView leaves open of the same publication, because citations by US
    patents and by WO publications cannot be ranked in one cohort. SourceError names a missing table or column.
    """
    one_each, exports, totals = _sorted_out(load.entries)
    folder = load.landing / "patents"
    with scratch_database(load.landing, load.settings.resources) as connection, replaced_directory(folder) as building:
        work = PatentLoad(connection, load.archive, building)
        read_concordance(work, one_each.get(CONCORDANCE_KIND))
        read_totals(work, totals)
        tables = {name: entry for name, entry in one_each.items() if name in PATENTSVIEW_TABLES}
        if exports:
            bigquery.normalise(work, exports)
        if tables:
            if exports:
                work.connection.execute("create temp table export as select * from publications")
            patentsview.normalise(work, tables)
            if exports:
                _fill_from_export(work)
        _note_unknowns(work, patentsview.SOURCE if tables else bigquery.SOURCE)
        return _write(work, load.landing, building)


def _sorted_out(entries: Sequence[Entry]) -> tuple[dict[str, Entry], list[Entry], list[Entry]]:
    """The payloads of which there is one each, by kind; the shards of the export; the tables of totals."""
    one_each: dict[str, Entry] = {}
    exports: list[Entry] = []
    totals: list[Entry] = []
    for entry in entries:
        kind = entry.parameters["kind"]
        if kind == BIGQUERY_KIND:
            exports.append(entry)
        elif kind in (NCSES_KIND, OECD_KIND):
            totals.append(entry)
        elif kind in one_each:
            raise SourceError(
                f"patents/, table {kind}",
                found=f"two files: {one_each[kind].part} and {entry.part}",
                expected="one",
                remedy="Take one of the two out of the folder.",
            )
        else:
            one_each[kind] = entry
    if not exports and not any(name in one_each for name in PATENTSVIEW_TABLES):
        raise SourceError(
            "patents/",
            found="no patent-level table" + (f", only {', '.join(e.part for e in entries)}" if entries else ""),
            expected=f"PatentsView's tables ({', '.join(PATENTSVIEW_TABLES)}) or a BigQuery export of WO publications",
            remedy="Place them in the drop folder's patents/ folder, or set CHOKEPOINT_PATENT_SOURCE=off.",
        )
    return one_each, exports, totals


def _fill_from_export(load: PatentLoad) -> None:
    """Fill family, numbers and dates of PatentsView's publications from an export that holds the same publication."""
    load.connection.execute("""
        create temp table filled_by as
        select * from (
            select p.pct_id, e.* exclude (pct_id) from publications as p join export as e on e.wo_number = p.wo_number
            union all
            select p.pct_id, e.* exclude (pct_id) from publications as p
            join export as e on e.pct_application_number = p.pct_application_number where p.wo_number is null
        )
        qualify row_number() over (partition by pct_id order by wo_number) = 1
    """)
    load.connection.execute("""
        create or replace temp table publications as
        select p.* replace (
            coalesce(p.family_id, e.family_id) as family_id,
            coalesce(p.family_size, e.family_size) as family_size,
            coalesce(p.wo_number, e.wo_number) as wo_number,
            coalesce(p.pct_application_number, e.pct_application_number) as pct_application_number,
            coalesce(p.filing_date, e.filing_date) as filing_date,
            coalesce(p.publication_date, e.publication_date) as publication_date
        )
        from publications as p left join filled_by as e on e.pct_id = p.pct_id
    """)
    key = f"{bigquery.SOURCE}/wo_publications"
    known = load.counts.pop(key)
    fills = load.one("select count(distinct wo_number) from filled_by")
    rules = {**known.rules, "fills_patentsview": fills, "not_in_patentsview": known.landed - fills}
    load.account(key, RuleCounts(known.rows_read, 0, rules, known.quarantined))


def _note_unknowns(load: PatentLoad, source: str) -> None:
    """Count what the normalised tables do not know, publication by publication."""
    country = "regexp_full_match(country_text, '[A-Z]{2}') and country_text not in ('XX', 'ZZ')"
    queries = {
        "without_applicant": "select count(*) from publications where pct_id not in (select pct_id from applicants)",
        "applicants_without_country": f"select count(*) from applicants where not coalesce({country}, false)",
        "without_field": "select count(*) from publications where pct_id not in (select pct_id from fields)",
        "without_publication_date": "select count(*) from publications where publication_date is null",
        "without_wo_number": "select count(*) from publications where wo_number is null",
        "without_application_number": "select count(*) from publications where pct_application_number is null",
        "filing_date_from_us_application": "select count(*) from publications "
        "where filing_date is null and us_filing_date <= publication_date",
        "without_filing_year": "select count(*) from publications where filing_date is null "
        "and not coalesce(us_filing_date <= publication_date, false) and pct_application_number is null",
    }
    for name, query in queries.items():
        load.note(f"{source}/publications", name, load.one(query))


def _write(load: PatentLoad, landing: Path, building: Path) -> Landed:
    """Write the normalised tables, the quarantine and the counts; remove the working copies of zipped tables."""
    tables = {name: copy_query(load.connection, query, building / f"{name}.parquet") for name, query in TABLES.items()}
    for path in building.iterdir():
        if path.suffix != ".parquet":
            path.unlink()
    with replaced_directory(landing / "quarantine" / "patents") as quarantine:
        quarantined = copy_query(
            load.connection,
            "from quarantine order by archive_entry, source_row nulls last, reason, raw",
            quarantine / "part-0.parquet",
        )
    counted = [(key, rule, n) for key, counts in load.counts.items() for rule, n in counts.as_rows()]
    counted += [(key, f"noted:{name}", n) for key, names in load.noted.items() for name, n in names.items()]
    values = ", ".join(f"({literal(key)}, {literal(rule)}, {n})" for key, rule, n in sorted(counted))
    copy_query(
        load.connection,
        f"select source, rule, cast(n as bigint) as n from (values {values}) as v(source, rule, n)",
        landing / "patents_rule_counts.parquet",
    )
    return Landed(load.counts, load.noted, load.warnings, rows={**tables, "quarantine_patents": quarantined})
