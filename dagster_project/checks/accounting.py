"""The checks that every landing shares: rows read = landed + set aside by a named rule + quarantined.

Not here: what is particular to a dataset's tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.checks.declarations import Check, no_rows, not_empty

QUARANTINE_LIMIT = 0.05


def accounting(
    dataset: str, *, about: str, by: Sequence[str], quarantine_by: Sequence[str] | None = None
) -> tuple[Check, ...]:
    """The check of a dataset's table `<dataset>_rule_counts`, and the three of its table `quarantine_<dataset>`.

    about          the table whose asset carries the check of the counts
    by             rows are accounted for within each group of these columns; rows without a readable year are a group
    quarantine_by  those of the columns that the quarantine table has too; None for a dataset without quarantine, whose
                   files are used whole or not at all
    """
    counts = f"{dataset}_rule_counts"
    facts = f"""
        select coalesce(sum(n) filter (rule = 'rows_read'), 0)::bigint as rows_read,
            coalesce(sum(n) filter (rule = 'landed'), 0)::bigint as rows_landed,
            coalesce(sum(n) filter (starts_with(rule, 'quarantined:')), 0)::bigint as rows_quarantined
        from {counts}
    """
    accounted = Check(
        "rows_accounted_for",
        about,
        "ERROR",
        f"Rows read = rows landed + rows set aside by a named rule + rows quarantined, per {' and '.join(by)}.",
        (not_empty(), no_rows(_unaccounted(by))),
        on=counts,
        facts=facts,
    )
    if quarantine_by is None:
        return (accounted,)
    quarantine = f"quarantine_{dataset}"
    return (
        accounted,
        Check(
            "nothing_quarantined",
            quarantine,
            "WARN",
            "No row was unusable. Quarantined rows are listed by reason; they are in no mart.",
            (no_rows(_listed(quarantine_by), counted_by="n_rows"),),
            facts=facts,
        ),
        Check(
            "few_quarantined",
            quarantine,
            "ERROR",
            f"At most {QUARANTINE_LIMIT:.0%} of the rows of a source were unusable, in all and per {' and '.join(by)}.",
            (no_rows(_large_shares(by, quarantine)),),
            on=counts,
            facts=facts,
        ),
        Check(
            "counts_match_rows",
            quarantine,
            "ERROR",
            "Every row counted as quarantined lies in the quarantine table, with its reason.",
            (no_rows(_miscounted(counts, quarantine_by)),),
        ),
    )


def _unaccounted(by: Sequence[str]) -> str:
    return f"""
        select {", ".join(by)}, coalesce(sum(n) filter (rule = 'rows_read'), 0) as rows_read,
            coalesce(sum(n) filter (rule <> 'rows_read' and not starts_with(rule, 'noted:')), 0) as rows_accounted_for
        from {{batch}} group by all having rows_read <> rows_accounted_for or min(n) < 0
    """


def _listed(by: Sequence[str]) -> str:
    return f"""
        select {", ".join([*by, "reason"])}, count(*) as n_rows, min(detail) as example,
            min(archive_entry) as archive_entry
        from {{batch}} group by all order by n_rows desc
    """


def _large_shares(by: Sequence[str], quarantine: str) -> str:
    """Groups that lost too much, with their most frequent reasons and a row that was lost for the first of them."""
    # The year of rows whose year cannot be read holds nothing else: they count in the source's total only.
    yearly = "year" in by
    having = "having grouping(year) = 1 or year is not null" if yearly else ""
    columns = "s.* replace (coalesce(s.year::varchar, 'all') as year)" if yearly else "s.*"
    same_group = " and ".join(f"r.{column} is not distinct from s.{column}" for column in by)
    same_year = "and (s.year is null or q.year = s.year)" if yearly else ""
    return f"""
        with shares as (
            select {", ".join(by)}, sum(n) filter (starts_with(rule, 'quarantined:')) as rows_quarantined,
                sum(n) filter (rule = 'rows_read') as rows_read
            from {{batch}} group by grouping sets (({", ".join(by)}), (source)) {having}
        ),
        large as (
            select * from shares where rows_quarantined > {QUARANTINE_LIMIT} * rows_read
        ),
        reasons as (
            select {", ".join(by)}, rule[13:] as reason, sum(n)::bigint as n from {{batch}}
            where starts_with(rule, 'quarantined:') and n > 0
            group by grouping sets (({", ".join(by)}, rule), (source, rule))
        ),
        placed as (
            select s.*, r.reason, r.n, row_number() over (
                partition by {", ".join(f"s.{column}" for column in by)} order by r.n desc, r.reason
            ) as place
            from large as s join reasons as r on {same_group}
        ),
        named as (
            select {", ".join(by)}, rows_quarantined, rows_read,
                string_agg(concat(reason, ' ', n), ', ' order by place) as reasons,
                any_value(reason) filter (place = 1) as first_reason
            from placed where place <= 3 group by all
        ),
        examples as (
            select source, year, reason, min(detail) as example, min(archive_entry) as archive_entry
            from {quarantine} group by all
        )
        select {columns.replace("s.*", "s.* exclude (first_reason)")}, rows_quarantined / rows_read as share,
            (select min(example) from examples as q
                where q.source = s.source and q.reason = s.first_reason {same_year}) as example,
            (select min(archive_entry) from examples as q
                where q.source = s.source and q.reason = s.first_reason {same_year}) as archive_entry
        from named as s
    """


def _miscounted(counts: str, by: Sequence[str]) -> str:
    keys = ", ".join([*by, "reason"])
    # A year that cannot be read is null, and nulls do not join.
    columns = ", ".join([*("coalesce(year, 0) as year" if key == "year" else key for key in by)])
    columns = f"{columns}, " if columns else ""
    return f"""
        with counted as (
            select {columns}rule[13:] as reason, sum(n) as rows_counted from {counts}
            where starts_with(rule, 'quarantined:') group by all
        ),
        found as (select {columns}reason, count(*) as rows_found from {{batch}} group by all)
        select {keys}, coalesce(rows_counted, 0) as rows_counted, coalesce(rows_found, 0) as rows_found
        from counted full join found using ({keys})
        where coalesce(rows_counted, 0) <> coalesce(rows_found, 0)
    """
