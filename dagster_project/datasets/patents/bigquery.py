"""The BigQuery export of WO publications as normalised PCT publications, applicants, fields and citations.

What belongs here: the columns of Google's table `patents.publications` and what they mean. Not here: WIPO's concordance
itself (see `totals`) and rules that both patent sources share (see `landing`).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.datasets.patents.load import PatentLoad
from dagster_project.datasets.patents.numbers import create_number_table
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import spill_folder, unreadable
from dagster_project.landing.tables import RuleCounts
from dagster_project.sources.text import plain_text
from dagster_project.sql import identifier, literal, one_file, parquet

SOURCE = "google_patents"

# Every column used, in the shape of the table; `family_size` is the exporter's own addition (count of the countries in
# which the family was published) because an export of WO rows alone cannot give it.
_SHAPE = {
    "publication_number": "VARCHAR",
    "application_number": "VARCHAR",
    "country_code": "VARCHAR",
    "kind_code": "VARCHAR",
    "pct_number": "VARCHAR",
    "family_id": "VARCHAR",
    "family_size": "VARCHAR",
    "publication_date": "VARCHAR",
    "filing_date": "VARCHAR",
    "title_localized": [{"text": "VARCHAR", "language": "VARCHAR"}],
    "assignee_harmonized": [{"name": "VARCHAR", "country_code": "VARCHAR"}],
    "ipc": [{"code": "VARCHAR"}],
    "cpc": [{"code": "VARCHAR"}],
    "citation": [{"publication_number": "VARCHAR", "application_number": "VARCHAR", "category": "VARCHAR"}],
}
_REQUIRED = ("publication_number", "publication_date", "assignee_harmonized")
_MAX_LINE_BYTES = 64_000_000


def normalise(load: PatentLoad, entries: Sequence[Entry]) -> None:
    """Create the temporary tables publications, applicants, fields and citations (columns: `landing.NORMALISED`).

    Needs the temporary table `concordance` (see `totals.read_concordance`). SourceError when an export lacks
    a required column, or has IPC codes while there is no concordance to read them by.
    """
    _read(load, entries)
    _publications(load)
    _applicants(load)
    _fields(load)
    _citations(load)


def _read(load: PatentLoad, entries: Sequence[Entry]) -> None:
    """Table wo_rows: one row per exported publication, with a reason or rule where it is not used."""
    for number, entry in enumerate(entries):
        raw = _parquet_rows(load, entry) if _is_parquet(entry) else _json_lines(load, entry)
        into = "create or replace temp table received_rows as" if number == 0 else "insert into received_rows"
        try:
            load.connection.execute(f"{into} select {number} as payload, source_row, line, r from ({raw})")
        except duckdb.Error as error:
            raise unreadable(entry.address, error) from error
    create_number_table(
        load.connection,
        "export_numbers",
        """
            select r.publication_number as text from received_rows union all select r.pct_number from received_rows
            union all select r.application_number from received_rows
            union all select c.publication_number from (select unnest(r.citation) as c from received_rows)
            union all select c.application_number from (select unnest(r.citation) as c from received_rows)
        """,
    )
    load.connection.execute("""
        create or replace temp table wo_rows as
        select payload, source_row, r, p.wo_number,
            coalesce(t.pct_application_number, a.pct_application_number) as pct_application_number,
            upper(coalesce(nullif(r.kind_code, ''), regexp_extract(r.publication_number, '-([A-Z]\\d?)$', 1))) as kind,
            cast(try_strptime(nullif(r.publication_date, '0'), '%Y%m%d') as date) as publication_date,
            cast(try_strptime(nullif(r.filing_date, '0'), '%Y%m%d') as date) as filing_date,
            case
                when r is null then 'malformed_row'
                when coalesce(r.publication_number, '') = '' then 'missing_publication_number'
                when upper(coalesce(r.country_code, left(r.publication_number, 2))) <> 'WO' then null
                when p.wo_number is null then 'unreadable_number'
            end as reason,
            case when reason is null and p.wo_number is null then 'not_wo' end as rule,
            case when reason is not null then line end as raw
        from received_rows as l
        left join export_numbers as p on p.text = l.r.publication_number
        left join export_numbers as t on t.text = l.r.pct_number
        left join export_numbers as a on a.text = l.r.application_number
    """)
    for number, entry in enumerate(entries):
        load.quarantine(
            entry,
            "select reason, r.publication_number as detail, source_row, raw from wo_rows "
            f"where reason is not null and payload = {number}",
        )
    load.connection.execute("drop table received_rows")


def _is_parquet(entry: Entry) -> bool:
    return entry.part.lower().endswith(".parquet")


def _json_lines(load: PatentLoad, entry: Entry) -> str:
    """A query for (source_row, line, r) of newline-delimited JSON, read as text so that a broken line is kept."""
    gzipped = entry.part.lower().endswith(".gz")
    file = plain_text(load.archive.open_path(entry), gzipped, entry.address, spill_folder(load.connection))
    compression = "gzip" if file.gzipped else "none"
    reader = (
        f"read_csv({one_file(file.path)}, columns={{'line': 'VARCHAR'}}, delim='\\x01', quote='', escape='', "
        f"header=false, auto_detect=false, compression='{compression}', max_line_size={_MAX_LINE_BYTES}, "
        "hive_partitioning=false)"
    )
    query = (
        "select row_number() over () as source_row, line, case when json_valid(line) and json_type(line) = 'OBJECT' "
        f"then json_transform(line, {literal(_json_shape())}) end as r from {reader} where line is not null"
    )
    try:
        keys = load.connection.execute(
            f"select distinct unnest(json_keys(line)) from (select line from {reader} where json_valid(line) "
            "and json_type(line) = 'OBJECT' limit 100)"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(entry.address, error) from error
    _require([key[0] for key in keys], entry)
    return query


def _parquet_rows(load: PatentLoad, entry: Entry) -> str:
    """A query for (source_row, line, r) of a Parquet file; the columns used go through JSON, as the lines do."""
    reader = parquet(load.archive.open_path(entry))
    try:
        described = load.connection.execute(f"describe select * from {reader}").fetchall()
    except duckdb.Error as error:
        raise unreadable(entry.address, error) from error
    names = [row[0] for row in described]
    _require(names, entry)
    used = ", ".join(f"{name}: {identifier(name)}" for name in names if name in _SHAPE)
    return (
        "select row_number() over () as source_row, line, "
        f"json_transform(line, {literal(_json_shape())}) as r from (select to_json({{{used}}}) as line from {reader})"
    )


def _json_shape() -> str:
    """The shape as JSON text for `json_transform`."""
    return str(_SHAPE).replace("'", '"')


def _require(found: Sequence[str], entry: Entry) -> None:
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise SourceError(
            f"{entry.address}, column {missing[0]}",
            found=f"only the columns {', '.join(sorted(found)) or '(none)'}",
            expected=", ".join(_REQUIRED),
            remedy="Export patents-public-data.patents.publications with its own column names, country_code = 'WO'.",
        )


def _publications(load: PatentLoad) -> None:
    """Table publications: one per international application, from its earliest A1 or A2 publication.

    An A3 (search report published later) repeats the application; A4, A8 and A9 correct it.
    """
    load.connection.execute("""
        create or replace temp table ranked_rows as
        with known_applications as (
            select *, coalesce(pct_application_number, max(pct_application_number) over (partition by wo_number),
                wo_number) as application
            from wo_rows where reason is null and rule is null
        ),
        identified as (select *, min(wo_number) over (partition by application) as pct_id from known_applications)
        select *, row_number() over (
                partition by pct_id
                order by kind not in ('A1', 'A2'), publication_date nulls last, kind, payload, source_row
            ) as rank
        from identified
    """)
    load.connection.execute(f"""
        create or replace temp table publications as
        with known as (
            select pct_id, min(pct_application_number) as pct_application_number, min(filing_date) as filing_date,
                min(publication_date) as publication_date, max(try_cast(r.family_size as integer)) as family_size
            from ranked_rows group by pct_id
        )
        select k.pct_id, k.pct_id as wo_number, k.pct_application_number, cast(null as varchar) as us_patent_id,
            nullif(f.r.family_id, '') as family_id, k.family_size, k.filing_date,
            cast(null as date) as us_filing_date, coalesce(f.publication_date, k.publication_date) as publication_date,
            cast(null as date) as grant_date,
            coalesce(list_filter(f.r.title_localized, t -> t.language = 'en')[1].text, f.r.title_localized[1].text)
                as title,
            (select max(publication_date) from ranked_rows) as citations_until, '{SOURCE}' as source,
            'publications to ' || cast((select max(publication_date) from ranked_rows) as varchar) as source_release
        from known as k join ranked_rows as f on f.pct_id = k.pct_id and f.rank = 1
    """)
    rows, landed = load.one("select count(*) from wo_rows"), load.one("select count(*) from publications")
    not_wo = load.one("select count(*) from wo_rows where rule is not null")
    quarantined = load.pairs("select reason, count(*) from wo_rows group by reason")
    load.account(
        f"{SOURCE}/wo_publications",
        RuleCounts(
            rows,
            landed,
            {"not_wo": not_wo, "same_application": rows - landed - not_wo - sum(quarantined.values())},
            quarantined,
        ),
    )
    unreadable = (
        "select count(*) from ranked_rows where (r.publication_date <> '0' and publication_date is null) "
        "or (r.filing_date <> '0' and filing_date is null)"
    )
    load.note(f"{SOURCE}/wo_publications", "unreadable_date", load.one(unreadable))


def _applicants(load: PatentLoad) -> None:
    """Table applicants: distinct harmonised assignee names, from the first of a publication's rows that names any."""
    load.connection.execute("""
        create or replace temp table applicants as
        with named as (
            select pct_id, rank, unnest(r.assignee_harmonized) as a,
                generate_subscripts(r.assignee_harmonized, 1) - 1 as seq
            from ranked_rows
        ),
        first_named as (
            select * from named where coalesce(trim(a.name), '') <> ''
            qualify rank = min(rank) over (partition by pct_id)
        )
        select pct_id, seq, upper(trim(a.name)) as applicant_id, trim(a.name) as name, cast(null as varchar) as type,
            false as part_interest, upper(trim(a.country_code)) as country_text
        from first_named
        qualify row_number() over (
            partition by pct_id, upper(trim(a.name)) order by coalesce(trim(a.country_code), '') = '', seq
        ) = 1
    """)


def _fields(load: PatentLoad) -> None:
    """Table fields: WIPO fields of a publication's IPC codes, of its CPC codes where it has no IPC code.

    A code belongs to the field whose pattern matches and is the longest (G01N 33/% before G01N%).
    """
    connection = load.connection
    connection.execute("""
        create or replace temp table code_rows as
        with codes as (
            select pct_id, unnest(r.ipc).code as code, true as is_ipc from ranked_rows
            union all select pct_id, unnest(r.cpc).code, false from ranked_rows
        )
        select distinct pct_id, upper(replace(code, ' ', '')) as code from codes
        where coalesce(trim(code), '') <> ''
        qualify is_ipc = bool_or(is_ipc) over (partition by pct_id)
    """)
    if load.one("select count(*) from code_rows") and not load.one("select count(*) from concordance"):
        raise SourceError(
            "patents/, IPC codes of WO publications",
            found="no concordance of IPC codes with WIPO's technology fields",
            expected="wipo_ipc_technology_concordance*.csv (Field_number, Sector_en, Field_en, IPC_code)",
            remedy="Place WIPO's concordance in the drop folder's patents/ folder.",
        )
    # Patterns are written with the main group right-aligned in four places: G01N  33/%.
    connection.execute("""
        create or replace temp table code_fields as
        select code, field_id from (
            select code, left(code, 4) || case when position('/' in code) > 5
                then lpad(split_part(substr(code, 5), '/', 1), 4, ' ') || '/' || split_part(code, '/', 2)
                else substr(code, 5) end as aligned
            from (select distinct code from code_rows)
        ) as c
        join concordance as p on c.aligned like p.pattern
        qualify row_number() over (
            partition by code order by length(p.pattern) desc, p.pattern, cast(field_id as integer)
        ) = 1
    """)
    connection.execute("""
        create or replace temp table fields as
        select r.pct_id, cast(null as double) as seq, f.field_id as wipo_field_id, min(w.field_name) as wipo_field,
            min(w.sector_name) as wipo_sector
        from code_rows as r join code_fields as f using (code)
        join (select distinct field_id, field_name, sector_name from concordance) as w using (field_id)
        group by r.pct_id, f.field_id
    """)
    unmatched = "select count(*) from code_rows where code not in (select code from code_fields)"
    load.note(f"{SOURCE}/wo_publications", "code_without_field", load.one(unmatched))


def _citations(load: PatentLoad) -> None:
    """Table citations: `citation[]` turned round, one row per cited and distinct citing publication of the export.

    The citing date is the citing publication's own first publication; a search report that came out later (A3) adds
    its citations to the same citing publication.
    """
    load.connection.execute("""
        create or replace temp table citations as
        with cites as (
            select citing.pct_id as citing_id, citing.publication_date as citing_date, unnest(f.r.citation) as c
            from ranked_rows as f join publications as citing using (pct_id)
        ),
        numbered as (
            select cites.*, p.wo_number as cited_wo, a.pct_application_number as cited_application
            from cites
            left join export_numbers as p on p.text = cites.c.publication_number
            left join export_numbers as a on a.text = cites.c.application_number
        ),
        matched as (
            select coalesce(w.pct_id, p.pct_id) as cited_pct_id, n.* from numbered as n
            left join publications as w on w.wo_number = n.cited_wo
            left join publications as p on p.pct_application_number = n.cited_application and w.pct_id is null
        ),
        holders as (
            select pct_id, list(applicant_id) as ids from applicants where applicant_id is not null group by pct_id
        )
        select m.cited_pct_id, m.citing_id, m.citing_id as citing_pct_id, m.citing_date,
            min(nullif(lower(m.c.category), '')) as category,
            coalesce(bool_or(list_has_any(a.ids, b.ids)), false) as is_self
        from matched as m
        left join holders as a on a.pct_id = m.cited_pct_id
        left join holders as b on b.pct_id = m.citing_id
        where m.cited_pct_id is not null and m.citing_date is not null and m.cited_pct_id <> m.citing_id
        group by m.cited_pct_id, m.citing_id, m.citing_date
    """)
