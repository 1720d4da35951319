"""The checks that every landing shares: rows read = landed + set aside by a named rule + quarantined; what is noted.

Not here: what is particular to a dataset's tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.checks.declarations import ARCHIVE_FILES, WHY, Check, Severity, no_rows, not_empty
from dagster_project.sql import literal

QUARANTINE_LIMIT = 0.05


@dataclass(frozen=True)
class Cause:
    """Why rows of a quarantine reason cannot be used, and what to do: `said` of those whose detail matches."""

    reason: str
    said: str
    pattern: str = ""


@dataclass(frozen=True)
class Noted:
    """What the counts `noted:<name>` of a dataset mean, and how many there may be.

    limit   the largest share that is no sign of a misread file
    of      the table whose rows the share is of; None: the rows that were read of the same source (and year)
    stops   whether more than that stops the run, or a person should look
    """

    meaning: str
    limit: float
    of: str | None = None
    stops: bool = True


def accounting(
    dataset: str,
    *,
    about: str,
    by: Sequence[str],
    quarantine_by: Sequence[str] | None = None,
    noted: Mapping[str, Noted],
    causes: Sequence[Cause] = (),
) -> tuple[Check, ...]:
    """The checks of a dataset's table `<dataset>_rule_counts`, and the three of its table `quarantine_<dataset>`.

    about          the table whose asset carries the checks of the counts
    by             rows are accounted for within each group of these columns; rows without a readable year are a group
    quarantine_by  those of the columns that the quarantine table has too; None for a dataset without quarantine, whose
                   files are used whole or not at all
    noted          the names of the dataset's counts `noted:<name>`, each with its limit; a count that is not named
                   fails. A name may end in *, for all that begin so
    causes         what is likely behind reasons of quarantine; the first that fits is told
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
    judged = (accounted, *_noted_checks(counts, about, by, noted))
    if quarantine_by is None:
        return judged
    quarantine = f"quarantine_{dataset}"
    return (
        *judged,
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
            (no_rows(_large_shares(by, quarantine, causes)),),
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


def _noted_checks(counts: str, about: str, by: Sequence[str], noted: Mapping[str, Noted]) -> list[Check]:
    """The check of what stops above its limit; that of what a person should look at, where there is such a thing."""

    def check(name: str, severity: Severity, stops: bool, judged: str) -> Check:
        told = "; ".join(
            f"{key} at most {each.limit:.0%} ({each.meaning})" for key, each in noted.items() if each.stops is stops
        )
        rule = f"Of what landing notes beside the rows' rules, nothing is above its limit{': ' + told if told else ''}."
        return Check(name, about, severity, rule, (no_rows(_over_limits(by, noted, judged)),), on=counts)

    checks = [check("few_noted", "ERROR", True, "coalesce(stops, true)")]
    if not all(each.stops for each in noted.values()):
        checks.append(check("seldom_noted", "WARN", False, "not stops"))
    return checks


def _unaccounted(by: Sequence[str]) -> str:
    return f"""
        select {", ".join(by)}, coalesce(sum(n) filter (rule = 'rows_read'), 0) as rows_read,
            coalesce(sum(n) filter (rule <> 'rows_read' and not starts_with(rule, 'noted:')), 0) as rows_accounted_for
        from {{batch}} group by all having rows_read <> rows_accounted_for or min(n) < 0
    """


def _over_limits(by: Sequence[str], noted: Mapping[str, Noted], judged: str) -> str:
    """Counts of noted things above their limits; those that have no limit have none for `stops` either."""
    limits = [
        f"({literal(name.rstrip('*'))}, {name.endswith('*')}, {literal(each.meaning)}, {each.limit}, {each.stops}, "
        + (f"(select count(*) from {each.of})" if each.of else "null")
        + ")"
        for name, each in noted.items()
    ]
    where = f"concat_ws(', ', {', '.join(f'{column}::varchar' for column in by)})"
    of_group = " and ".join(f"r.{column} is not distinct from n.{column}" for column in by)
    return f"""
        with counts as (select * from {{batch}}),
        limits(begins, is_family, meaning, highest_share, stops, of_rows) as (values {", ".join(limits)}),
        n as (
            select {", ".join(by)}, rule[7:] as noted, sum(n)::bigint as n_noted from counts
            where starts_with(rule, 'noted:') group by all
        ),
        r as (select {", ".join(by)}, sum(n)::bigint as rows_read from counts where rule = 'rows_read' group by all),
        judged as (
            select n.*, meaning, highest_share, stops, coalesce(of_rows, rows_read, 0)::bigint as out_of
            from n left join r on {of_group}
            left join limits on case when is_family then starts_with(noted, begins) else noted = begins end
        )
        select * exclude (stops),
            {where} || ': ' || noted || format(' {{{{:,}}}} of {{{{:,}}}}', n_noted, out_of) || case
                when meaning is null then ', which no check knows. This is a defect of the program: please report it.'
                else printf(' (%s), more than %.0f %%. ', meaning, 100 * highest_share) || 'Look at that column of the '
                    || 'file: its reader does not know its form, or the file is not what it is taken for.'
            end as {WHY}
        from judged
        where n_noted > 0 and (meaning is null or n_noted > highest_share * out_of) and {judged}
        order by n_noted desc, {where}, noted
    """


def _listed(by: Sequence[str]) -> str:
    keys = ", ".join([*by, "reason"])
    return f"""
        with found as (
            select {keys}, count(*) as n_rows, {_FIRST} as first_row from {{batch}} group by all
        )
        select {keys}, n_rows, first_row.detail as example, {_FILE} as file, first_row.source_row as source_row
        from found left join {ARCHIVE_FILES} as f on f.archive_entry = first_row.archive_entry
        order by n_rows desc, {keys}
    """


# The first of several quarantined rows, and where it stands.
_FIRST = (
    "min_by({{'detail': detail, 'archive_entry': archive_entry, 'source_row': source_row}}, "
    "(archive_entry, coalesce(source_row, 0)))"
)
_FILE = "coalesce(f.file, 'archive entry ' || first_row.archive_entry)"


def likely_cause(causes: Sequence[Cause], reason: str, detail: str) -> str:
    """SQL for what the first cause that fits says of the SQL expressions for a reason and a row's detail; else null."""
    if not causes:
        return "null::varchar"
    cases = " ".join(
        f"when {reason} = {literal(each.reason)} "
        + (f"and regexp_matches({detail}, {literal(each.pattern)}) " if each.pattern else "")
        + f"then {literal(each.said)}"
        for each in causes
    )
    return f"case {cases} end"


def _large_shares(by: Sequence[str], quarantine: str, causes: Sequence[Cause]) -> str:
    """Groups that lost too much: their most frequent reasons, a row lost for the first one, and its likely cause."""
    # The year of rows whose year cannot be read holds nothing else: they count in the source's total only.
    yearly = "year" in by
    having = "having grouping(year) = 1 or year is not null" if yearly else ""
    keys = ", ".join("coalesce(s.year::varchar, 'all') as year" if key == "year" else f"s.{key}" for key in by)
    where = "s.source || coalesce(', ' || s.year, ', all years')" if yearly else "s.source"
    same_group = " and ".join(f"r.{column} is not distinct from s.{column}" for column in by)
    same_year = "and (s.year is null or q.year = s.year)" if yearly else ""
    return f"""
        with shares as (
            select {", ".join(by)}, sum(n) filter (starts_with(rule, 'quarantined:'))::bigint as rows_quarantined,
                sum(n) filter (rule = 'rows_read')::bigint as rows_read
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
            select source, year, reason, {_FIRST} as first_row from {quarantine} group by all
        ),
        shown as (
            select s.*, (
                select min_by(first_row, (first_row.archive_entry, coalesce(first_row.source_row, 0)))
                from examples as q
                where (q.source = s.source or starts_with(s.source, q.source || '/')) and q.reason = s.first_reason
                    {same_year}
            ) as first_row
            from named as s
        ),
        told as (
            select s.*, {_FILE} as file, {likely_cause(causes, "first_reason", "first_row.detail")} as cause
            from shown as s left join {ARCHIVE_FILES} as f on f.archive_entry = s.first_row.archive_entry
        )
        select {keys}, rows_quarantined, rows_read, rows_quarantined / rows_read as share, reasons, file,
            first_row.source_row as source_row, first_row.detail as example,
            {where} || format(': {{{{:,}}}} of {{{{:,}}}} rows', rows_quarantined, rows_read)
                || printf(' (%.1f %%) cannot be used: ', 100 * rows_quarantined / rows_read) || reasons || '.'
                || coalesce(' For example ' || file || coalesce(', row ' || first_row.source_row, '') || ': '
                    || coalesce(first_row.detail, first_reason) || '.', '')
                || coalesce(' ' || cause, '') as {WHY}
        from told as s order by rows_quarantined desc, {", ".join(f"s.{column} nulls first" for column in by)}
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
