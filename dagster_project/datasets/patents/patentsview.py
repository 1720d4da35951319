"""PatentsView's granted tables as normalised PCT publications, applicants, fields and citations.

What belongs here: PatentsView's columns and what they mean. Only PCT applications that were granted in the United
States are in these tables. Not here: rules that both patent sources share (see `landing`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.archive.store import Entry
from dagster_project.datasets.patents.load import PatentLoad
from dagster_project.datasets.patents.numbers import create_number_table
from dagster_project.errors import SourceError
from dagster_project.landing.tables import RuleCounts

SOURCE = "patentsview"
REQUIRED_TABLES = (
    "g_pct_data",
    "g_patent",
    "g_wipo_technology",
    "g_assignee_disambiguated",
    "g_location_disambiguated",
)

# Text that says yes or no in the `withdrawn` column; empty is no.
_TRUE, _FALSE = "('1', '1.0', 't', 'true', 'y', 'yes')", "('', '0', '0.0', 'f', 'false', 'n', 'no')"


def normalise(load: PatentLoad, tables: Mapping[str, Entry]) -> None:
    """Create the temporary tables publications, applicants, fields and citations (columns: `landing.NORMALISED`).

    `tables` maps the PatentsView table name to its payload. Without g_us_patent_citation there are no citations and
    `citations_until` is null; without g_application no filing date is filled in. SourceError when one of
    REQUIRED_TABLES is missing.
    """
    missing = [name for name in REQUIRED_TABLES if name not in tables]
    if missing:
        raise SourceError(
            "patents/, PatentsView tables",
            found=f"only {', '.join(sorted(tables))}",
            expected=f"also {', '.join(missing)} (as .tsv, .tsv.zip or .tsv.gz)",
            remedy="Place the missing tables in the drop folder's patents/ folder.",
        )
    _read_pct_rows(load, tables["g_pct_data"])
    _read_patents(load, tables["g_patent"])
    _judge_pct_rows(load, tables["g_pct_data"])
    _read_us_filing_dates(load, tables.get("g_application"))
    _publications(load, "g_us_patent_citation" in tables)
    _fields(load, tables["g_wipo_technology"])
    _applicants(load, tables["g_assignee_disambiguated"], tables["g_location_disambiguated"])
    _citations(load, tables.get("g_us_patent_citation"), tables["g_assignee_disambiguated"])


def _read_pct_rows(load: PatentLoad, entry: Entry) -> None:
    """Table pct_rows: one row per line, with a reason where it cannot be used. Accounted in `_judge_pct_rows`."""
    query = """
        select row_number() over () as source_row, {patent_id} as patent_id,
            coalesce(lower({pct_doc_type}), '') as document_type, {pct_doc_number} as number_text,
            {published_or_filed_date|published_filed_date} as date_text, cast(to_json(received) as varchar) as line
        from {table} as received
    """
    required = (
        "patent_id",
        ("published_or_filed_date", "published_filed_date"),
        "pct_doc_number",
        "pct_doc_type",
    )
    malformed = load.table("pct_lines", entry, required, query)
    load.connection.execute(f"create or replace temp table malformed_pct_rows as select {malformed} as n")
    create_number_table(load.connection, "pct_numbers", "select number_text as text from pct_lines")
    load.connection.execute("""
        create or replace temp table pct_rows as
        select source_row, patent_id, document_type, number_text, number, date_text,
            try_cast(date_text as date) as document_date, reason, case when reason is not null then line end as raw
        from (
            select *, case
                    when coalesce(patent_id, '') = '' then 'missing_patent_id'
                    when document_type not in ('pct_application', 'wo_grant') then 'unknown_document_type'
                    when number is null then 'unreadable_number'
                end as reason
            from (
                select l.*, case l.document_type when 'wo_grant' then n.wo_number
                        when 'pct_application' then n.pct_application_number end as number
                from pct_lines as l left join pct_numbers as n on n.text = l.number_text
            )
        )
    """)
    load.connection.execute("drop table pct_lines")
    load.quarantine(
        entry, "select reason, number_text as detail, source_row, raw from pct_rows where reason is not null"
    )


def _read_patents(load: PatentLoad, entry: Entry) -> None:
    """Table patents: date and state of every US patent (any may cite), the title only of those with a PCT row."""
    query = f"""
        select patent_id, patent_date, is_withdrawn, title, reason,
            case when reason is not null then cast(to_json({{{{'patent_id': patent_id, 'withdrawn': withdrawn_text}}}})
                as varchar) end as raw
        from (
            select {{patent_id}} as patent_id, try_cast({{patent_date}} as date) as patent_date,
                coalesce(lower({{withdrawn}}), '') as withdrawn_text, withdrawn_text in {_TRUE} as is_withdrawn,
                case when p.pct_patent is not null then {{patent_title}} end as title,
                case when coalesce({{patent_id}}, '') = '' then 'missing_patent_id'
                    when withdrawn_text not in {_TRUE} and withdrawn_text not in {_FALSE} then 'unknown_withdrawn'
                end as reason
            from {{table}} as received
            left join (select distinct patent_id as pct_patent from pct_rows) as p on p.pct_patent = {{patent_id}}
        )
    """
    malformed = load.table("patent_rows", entry, ("patent_id", "patent_date", "withdrawn"), query)
    load.quarantine(
        entry,
        "select reason, patent_id as detail, cast(null as bigint) as source_row, raw from patent_rows "
        "where reason is not null",
    )
    load.connection.execute("""
        create or replace temp table patents as
        select patent_id, min(patent_date) as patent_date, bool_or(is_withdrawn) as is_withdrawn, min(title) as title
        from patent_rows where reason is null group by patent_id
    """)
    rows = load.one("select count(*) from patent_rows")
    quarantined = load.pairs("select reason, count(*) from patent_rows where reason is not null group by reason")
    withdrawn = load.one("select count(*) from patents where is_withdrawn")
    kept = load.one("select count(*) from patents where not is_withdrawn")
    usable = rows - sum(quarantined.values())
    load.account(
        f"{SOURCE}/g_patent",
        RuleCounts(
            rows + malformed,
            kept,
            {"withdrawn": withdrawn, "duplicate_row": usable - withdrawn - kept},
            _with_malformed(quarantined, malformed),
        ),
    )
    load.note(f"{SOURCE}/g_patent", "no_date", load.one("select count(*) from patents where patent_date is null"))
    load.connection.execute("drop table patent_rows")


def _judge_pct_rows(load: PatentLoad, entry: Entry) -> None:
    """Table judged_pct_rows: which row gives each patent its application number and which its WO number."""
    load.connection.execute("""
        create or replace temp table judged_pct_rows as
        select r.*, case
                when r.reason is not null then null
                when p.patent_id is null then 'patent_not_found'
                when p.is_withdrawn then 'withdrawn'
                when row_number() over same_number > 1 then 'duplicate_row'
                when row_number() over same_type > 1 then 'further_number'
            end as rule
        from pct_rows as r
        left join patents as p on p.patent_id = r.patent_id
        window
            same_number as (
                partition by r.patent_id, r.document_type, r.number, r.reason
                order by r.document_date nulls last, r.source_row
            ),
            same_type as (
                partition by r.patent_id, r.document_type, r.reason
                order by r.document_date nulls last, r.number, r.source_row
            )
    """)
    malformed = load.one("select n from malformed_pct_rows")
    quarantined = load.pairs("select reason, count(*) from judged_pct_rows group by reason")
    load.account(
        f"{SOURCE}/g_pct_data",
        RuleCounts(
            load.one("select count(*) from judged_pct_rows") + malformed,
            load.one("select count(*) from judged_pct_rows where reason is null and rule is null"),
            load.pairs("select rule, count(*) from judged_pct_rows where reason is null group by rule"),
            _with_malformed(quarantined, malformed),
        ),
    )
    unreadable = "date_text <> '' and document_date is null and reason is null and rule is null"
    load.note(
        f"{SOURCE}/g_pct_data", "unreadable_date", load.one(f"select count(*) from judged_pct_rows where {unreadable}")
    )


def _read_us_filing_dates(load: PatentLoad, entry: Entry | None) -> None:
    """Table us_filings: the US filing date of patents with a PCT row; empty without g_application."""
    if entry is None:
        load.connection.execute(
            "create or replace temp table us_filings as select '' as patent_id, date '2000-01-01' as d where false"
        )
        return
    query = """
        select p.pct_patent as patent_id,
            case when p.pct_patent is not null then try_cast({filing_date} as date) end as d,
            p.pct_patent is not null and {filing_date} <> '' and d is null as is_unreadable, count(*) as n
        from {table} as received
        left join (select distinct patent_id as pct_patent from pct_rows) as p on p.pct_patent = {patent_id}
        group by all
    """
    malformed = load.table("us_filings", entry, ("patent_id", "filing_date"), query)
    rows = load.one("select sum(n) from us_filings")
    other = load.one("select sum(n) from us_filings where patent_id is null")
    load.account(
        f"{SOURCE}/g_application",
        RuleCounts(rows + malformed, rows - other, {"not_pct": other}, _with_malformed({}, malformed)),
    )
    unreadable = load.one("select sum(n) from us_filings where is_unreadable")
    load.note(f"{SOURCE}/g_application", "unreadable_date", unreadable)


def _publications(load: PatentLoad, with_citations: bool) -> None:
    """Tables publications and publication_patents (which US patents belong to one publication, earliest first).

    Several US patents can come from one international application: they are one publication. A patent with only one of
    the two document types is linked to the others through the number they share.
    """
    until = "(select max(patent_date) from patents where not is_withdrawn)" if with_citations else "cast(null as date)"
    connection = load.connection
    connection.execute("""
        create or replace temp table publication_patents as
        with per_patent as (
            select patent_id,
                max(number) filter (document_type = 'pct_application') as pct_application_number,
                max(number) filter (document_type = 'wo_grant') as wo_number,
                max(document_date) filter (document_type = 'pct_application') as filing_date,
                max(document_date) filter (document_type = 'wo_grant') as publication_date
            from judged_pct_rows where reason is null and rule is null group by patent_id
        ),
        published as (
            select pct_application_number, min(wo_number) as wo_number
            from per_patent where wo_number is not null and pct_application_number is not null group by all
        )
        select t.*, coalesce(t.wo_number, w.wo_number, t.pct_application_number) as pct_id, p.patent_date, p.title,
            row_number() over (
                partition by coalesce(t.wo_number, w.wo_number, t.pct_application_number)
                order by p.patent_date nulls last, length(t.patent_id), t.patent_id
            ) as rank
        from per_patent as t
        join patents as p using (patent_id)
        left join published as w using (pct_application_number)
    """)
    connection.execute(f"""
        create or replace temp table publications as
        select m.pct_id, min(m.wo_number) as wo_number, min(m.pct_application_number) as pct_application_number,
            max(m.patent_id) filter (m.rank = 1) as us_patent_id, cast(null as varchar) as family_id,
            cast(null as integer) as family_size, min(m.filing_date) as filing_date,
            min(u.d) as us_filing_date, min(m.publication_date) as publication_date,
            max(m.patent_date) filter (m.rank = 1) as grant_date, max(m.title) filter (m.rank = 1) as title,
            {until} as citations_until, '{SOURCE}' as source,
            'patents granted to ' || cast((select max(patent_date) from patents) as varchar) as source_release
        from publication_patents as m
        left join us_filings as u on u.patent_id = m.patent_id
        group by m.pct_id
    """)
    patents = load.one("select count(*) from publication_patents")
    landed = load.one("select count(*) from publications")
    load.account(f"{SOURCE}/publications", RuleCounts(patents, landed, {"same_publication": patents - landed}))


def _fields(load: PatentLoad, entry: Entry) -> None:
    """Table fields: distinct WIPO fields per publication. PatentsView keeps the top three, more where they tie."""
    query = """
        select p.pct_patent as patent_id,
            case when p.pct_patent is not null then {wipo_field_id} end as field_text,
            case when p.pct_patent is not null then try_cast({wipo_field_sequence} as double) end as seq,
            case when p.pct_patent is not null then {wipo_field_title} end as wipo_field,
            case when p.pct_patent is not null then {wipo_sector_title} end as wipo_sector,
            count(*) as n
        from {table} as received
        left join (select patent_id as pct_patent from publication_patents) as p on p.pct_patent = {patent_id}
        group by all
    """
    malformed = load.table("field_rows", entry, ("patent_id", "wipo_field_id"), query)
    load.connection.execute("""
        create or replace temp table judged_fields as
        select m.pct_id, f.*, cast(try_cast(f.field_text as double) as integer) as field_number,
            case when try_cast(f.field_text as double) between 1 and 35 then null else 'other_scheme' end as rule,
            m.rank = min(m.rank) over (
                partition by m.pct_id, try_cast(f.field_text as double) between 1 and 35
            ) as of_first_patent
        from field_rows as f join publication_patents as m on m.patent_id = f.patent_id
    """)
    load.connection.execute("""
        create or replace temp table fields as
        select pct_id, min(seq) as seq, cast(field_number as varchar) as wipo_field_id, min(wipo_field) as wipo_field,
            min(wipo_sector) as wipo_sector
        from judged_fields where rule is null and of_first_patent group by pct_id, field_number
    """)
    rules = load.pairs("""
        select case when patent_id is null then 'not_pct' end, sum(n) from field_rows group by 1
        union all select rule, sum(n) from judged_fields group by rule
        union all select 'other_patent_of_publication', sum(n) from judged_fields
            where rule is null and not of_first_patent having count(*) > 0
    """)
    rows, landed = load.one("select sum(n) from field_rows"), load.one("select count(*) from fields")
    used = load.one("select sum(n) from judged_fields where rule is null and of_first_patent")
    rules["duplicate_row"] = used - landed
    load.account(
        f"{SOURCE}/g_wipo_technology", RuleCounts(rows + malformed, landed, rules, _with_malformed({}, malformed))
    )


def _applicants(load: PatentLoad, assignees: Entry, locations: Entry) -> None:
    """Table applicants: distinct assignees per publication with the country of their location."""
    malformed = load.table(
        "locations",
        locations,
        ("location_id", "disambig_country"),
        "select {location_id} as location_id, min(upper({disambig_country})) as country, count(*) as n from {table} "
        "group by all",
    )
    rows, landed = load.one("select sum(n) from locations"), load.one("select count(*) from locations")
    load.account(
        f"{SOURCE}/g_location_disambiguated",
        RuleCounts(rows + malformed, landed, {"duplicate_row": rows - landed}, _with_malformed({}, malformed)),
    )
    query = """
        select p.pct_patent as patent_id,
            case when p.pct_patent is not null then try_cast({assignee_sequence} as double) end as seq,
            case when p.pct_patent is not null then nullif({assignee_id}, '') end as applicant_id,
            case when p.pct_patent is not null then coalesce(
                nullif({disambig_assignee_organization}, ''),
                nullif(trim(concat_ws(' ', nullif({disambig_assignee_individual_name_first}, ''),
                    nullif({disambig_assignee_individual_name_last}, ''))), '')
            ) end as name,
            case when p.pct_patent is not null then regexp_replace({assignee_type}, '\\.0$', '') end as type_text,
            case when p.pct_patent is not null then nullif({location_id}, '') end as location_id,
            count(*) as n
        from {table} as received
        left join (select patent_id as pct_patent from publication_patents) as p on p.pct_patent = {patent_id}
        group by all
    """
    malformed = load.table("assignee_rows", assignees, ("patent_id", "assignee_id", "location_id"), query)
    # A leading 1 before another digit is a part interest: the applicant counts like any other.
    load.connection.execute("""
        create or replace temp table judged_assignees as
        select m.pct_id, m.rank = min(m.rank) over (partition by m.pct_id) as of_first_patent, a.*, l.country,
            nullif(right(type_text, 1), '') as type,
            regexp_full_match(coalesce(type_text, ''), '1[1-9]') as part_interest,
            coalesce(applicant_id, 'unidentified:' || coalesce(cast(a.seq as varchar), '') || coalesce(name, '')) as who
        from assignee_rows as a
        join publication_patents as m on m.patent_id = a.patent_id
        left join locations as l on l.location_id = a.location_id
    """)
    load.connection.execute("""
        create or replace temp table applicants as
        select pct_id, seq, applicant_id, name, type, part_interest, country as country_text
        from judged_assignees where of_first_patent
        qualify row_number() over (
            partition by pct_id, who order by country is null, seq nulls last, country, name, type
        ) = 1
    """)
    rows, landed = load.one("select sum(n) from assignee_rows"), load.one("select count(*) from applicants")
    rules = load.pairs("""
        select case when patent_id is null then 'not_pct' end, sum(n) from assignee_rows group by 1
        union all select case when not of_first_patent then 'other_patent_of_publication' end, sum(n)
            from judged_assignees group by 1
    """)
    rules["duplicate_row"] = load.one("select sum(n) from judged_assignees where of_first_patent") - landed
    load.account(
        f"{SOURCE}/g_assignee_disambiguated",
        RuleCounts(rows + malformed, landed, rules, _with_malformed({}, malformed)),
    )


def _citations(load: PatentLoad, entry: Entry | None, assignees: Entry) -> None:
    """Table citations: one row per publication and distinct citing US patent, with the publication it belongs to.

    The citation table has over 140 million rows. It is read once, in a stream; rows that cite no PCT publication fall
    into a single group, so that what is kept is as large as the result and every row is still counted.
    """
    connection = load.connection
    connection.execute("""
        create or replace temp table citations (
            cited_pct_id varchar, citing_id varchar, citing_pct_id varchar, citing_date date, category varchar,
            is_self boolean
        )
    """)
    if entry is None:
        return
    connection.execute("""
        create or replace temp table cited as
        select cast(row_number() over (order by pct_id) as integer) as cited_number, pct_id from publications
    """)
    connection.execute("""
        create or replace temp table cited_patents as
        select m.patent_id as cited_patent, c.cited_number from publication_patents as m join cited as c using (pct_id)
    """)
    query = """
        select c.cited_number, case when c.cited_number is not null then {patent_id} end as citing_id,
            min(case when c.cited_number is not null then replace(lower({citation_category}), 'cited by ', '') end)
                as category,
            count(*) as n
        from {table} as received
        left join cited_patents as c on c.cited_patent = {citation_patent_id}
        group by all
    """
    malformed = load.table("citing_pairs", entry, ("patent_id", "citation_patent_id"), query)
    _citing_patents(load, assignees)
    connection.execute("""
        insert into citations
        select c.pct_id, p.citing_id, own.pct_id, g.patent_date, nullif(p.category, ''),
            coalesce(list_has_any(a.assignees, g.assignees), false)
        from citing_pairs as p
        join cited as c on c.cited_number = p.cited_number
        join citing_patents as g on g.patent_id = p.citing_id and not g.is_withdrawn and g.patent_date is not null
        left join cited_assignees as a on a.cited_number = p.cited_number
        left join cited as own on own.cited_number = g.own_number
    """)
    rows, landed = load.one("select sum(n) from citing_pairs"), load.one("select count(*) from citations")
    rules = {
        "not_pct": load.one("select sum(n) from citing_pairs where cited_number is null"),
        "duplicate_row": load.one("select sum(n - 1) from citing_pairs where cited_number is not null"),
        **load.pairs("""
            select case when g.patent_id is null then 'citing_patent_not_found' when g.is_withdrawn then
                'citing_patent_withdrawn' when g.patent_date is null then 'citing_patent_without_date' end, count(*)
            from citing_pairs as p left join patents as g on g.patent_id = p.citing_id
            where p.cited_number is not null and (g.patent_id is null or g.is_withdrawn or g.patent_date is null)
            group by 1
        """),
    }
    load.account(
        f"{SOURCE}/g_us_patent_citation", RuleCounts(rows + malformed, landed, rules, _with_malformed({}, malformed))
    )


def _citing_patents(load: PatentLoad, assignees: Entry) -> None:
    """Tables cited_assignees and citing_patents: who holds the two ends of a citation, and the publication that a
    citing patent comes from, if it is one of those that can be cited.

    Only assignees that hold a PCT publication can cite themselves, so only those are kept, as numbers.
    """
    connection = load.connection
    connection.execute("""
        create or replace temp table assignee_numbers as
        select applicant_id as known_assignee, cast(row_number() over (order by applicant_id) as integer) as number
        from (select distinct applicant_id from applicants where applicant_id is not null)
    """)
    connection.execute("""
        create or replace temp table cited_assignees as
        select c.cited_number, list(n.number) as assignees
        from applicants as a join cited as c using (pct_id)
        join assignee_numbers as n on n.known_assignee = a.applicant_id group by c.cited_number
    """)
    load.table(
        "assignees_of_patents",
        assignees,
        ("patent_id", "assignee_id"),
        "select {patent_id} as holder, list(distinct k.number) as assignees from {table} as received "
        "join assignee_numbers as k on k.known_assignee = {assignee_id} group by all",
        again=True,
    )
    connection.execute("""
        create or replace temp table citing_patents as
        select p.patent_id, p.patent_date, p.is_withdrawn, a.assignees, m.cited_number as own_number
        from patents as p left join assignees_of_patents as a on a.holder = p.patent_id
        left join cited_patents as m on m.cited_patent = p.patent_id
    """)


def _with_malformed(quarantined: Mapping[str, int], malformed: int) -> dict[str, int]:
    return {**quarantined, **({"malformed_row": malformed} if malformed else {})}
