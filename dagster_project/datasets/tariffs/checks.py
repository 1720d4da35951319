"""The checks of tariff exclusions, at landing and in the marts: is each request accounted for, do the marts agree?

Not here: whether a single field can be read (landing quarantines those rows), structure and formulas (dbt holds those).
"""

from __future__ import annotations

from dagster_project.checks.accounting import Cause, Noted, accounting
from dagster_project.checks.declarations import (
    ARCHIVE_FILES,
    WHY,
    Check,
    Stage,
    between,
    no_rows,
    not_empty,
    not_null,
    one_of,
    prepared,
    unique,
)
from dagster_project.checks.views import PREVIOUS_RELEASE
from dagster_project.datasets.tariffs.recomputed import PREPARED, RECOMPUTED
from dagster_project.datasets.tariffs.value_checks import VALUES, VALUES_PREPARED
from dagster_project.datasets.tariffs.values import LISTS_WITH_REQUESTS, STATUSES

UNKNOWN_LIMIT = 0.05
NOT_LISTED_LIMIT = 0.10
# The first request was posted on 16 July 2018, the last on 31 January 2020; a later table may reach somewhat further.
FIRST_POSTED, LAST_POSTED = "2018-07-01", "2021-12-31"

_REQUEST_FACTS = """
    select count(*) as requests, count(*) filter (status in ('granted', 'partially_granted')) as granted,
        count(*) filter (status = 'denied') as denied, count(*) filter (status = 'unknown') as status_unknown,
        min(date_posted) as first_posted, max(date_posted) as last_posted
    from {batch}
"""
_BAD_REQUEST_CODES = """
    select request_id, hts10, hts8, hs6, archive_entry, source_row from {batch}
    where not coalesce(regexp_matches(hts10, '^[0-9]{{8}}([0-9]{{2}})?$'), false)
        or hts8 <> left(hts10, 8) or hs6 <> left(hts10, 6)
"""
_UNKNOWN_WORDS = """
    select status_raw, list_id, count(*) as n_rows, min(request_id) as example from {batch}
    where status = 'unknown' group by all order by n_rows desc, list_id, status_raw
"""
_MANY_UNKNOWN = f"""
    select list_id, count(*) filter (status = 'unknown') as status_unknown, count(*) as requests from {{batch}}
    group by list_id having status_unknown > {UNKNOWN_LIMIT} * requests
"""
_UNREADABLE_DATES = f"""
    with r as (
        select list_id, coalesce(any_value(f.file), 'archive entry ' || archive_entry) as file, count(*) as n_rows,
            min_by(unreadable_dates, source_row) as example, min(source_row) as source_row
        from (select * from {{batch}}) left join {ARCHIVE_FILES} as f using (archive_entry)
        where unreadable_dates is not null group by list_id, archive_entry
    )
    select *, format('list {{{{}}}}, {{{{}}}}: in {{{{:,}}}} of its requests', list_id, file, n_rows)
        || ' a date cannot be read, such as ' || example || ' in row ' || source_row
        || '. Read are 7/1/2019, 2019-07-01, 1-Jul-19 and July 1, 2019, with a time or without.' as {WHY}
    from r order by n_rows desc, list_id, file
"""
_MANY_UNREADABLE_DATES = f"""
    select list_id, count(unreadable_dates) as n_unreadable, count(*) as requests, min(unreadable_dates) as example,
        format('list {{{{}}}}: {{{{:,}}}} of {{{{:,}}}} requests have a date that cannot be read, such as ', list_id,
            n_unreadable, requests) || example || '. Mend that column: 7/1/2019, 2019-07-01 and July 1, 2019 are read.'
            as {WHY}
    from {{batch}} group by list_id having n_unreadable > {UNKNOWN_LIMIT} * requests
"""
_STRANGE_DAYS = f"""
    select request_id, list_id, date_posted, archive_entry, source_row from {{batch}}
    where date_posted not between date '{FIRST_POSTED}' and date '{LAST_POSTED}'
"""
_UNLISTED = """
    with r as (select * from {batch})
    select r.list_id, r.hts8, count(*) as n_rows, min(r.request_id) as example
    from r
    where exists (select 1 from tariff_lists)
        and not exists (
            select 1 from tariff_lists as l
            where l.hts8 = r.hts8 and (l.list_id = r.list_id or (l.list_id = '4' and r.list_id = '4A'))
        )
    group by all order by n_rows desc, list_id, hts8
"""
_MANY_UNLISTED = f"""
    with requests as (
        select list_id, count(*) as requests,
            count(*) filter (hts8 not in (select hts8 from tariff_lists)) as on_no_list
        from {{batch}} group by list_id
    )
    select * from requests
    where exists (select 1 from tariff_lists) and on_no_list > {NOT_LISTED_LIMIT} * requests
"""
_BAD_LINES = """
    select * from {batch}
    where not coalesce(regexp_matches(hts8, '^[0-9]{{8}}$'), false) or list_id is null or source is null
        or imports_2017_usd < 0 or not isfinite(imports_2017_usd)
"""
_REPEATED_LINES = """
    select source, hts8, list_id, count(*) as n_rows from {batch} group by all having count(*) > 1
"""
_BAD_EXCLUSIONS = """
    select * from {batch}
    where not coalesce(regexp_matches(hts10, '^[0-9]{{8}}([0-9]{{2}})?$'), false) or document is null
        or valid_from > valid_to
"""
# Exclusions of a list whose tariff lines the list does not have: the list file and the note are of other editions.
_EXCLUSIONS_OFF_LIST = """
    select list_id, left(hts10, 8) as hts8, count(*) as n_rows, min(document) as document
    from {batch}
    where exists (select 1 from tariff_lists) and left(hts10, 8) not in (select hts8 from tariff_lists)
    group by all order by n_rows desc, list_id, hts8
"""

_LISTS_CONTRADICT = """
    select e.document, e.list_id, t.list_id as list_of_paragraph, count(*) as n_rows
    from (select * from {batch}) as e
    join tariff_exclusion_tranches as t on e.document = t.document
    where e.list_id <> t.list_id group by all
"""

_NOTED = {
    "date_unreadable": Noted("rows with a date that cannot be read", UNKNOWN_LIMIT),
    "status_unknown": Noted("requests with a status word that is not known", UNKNOWN_LIMIT),
    "requester_missing": Noted("requests without a requester", UNKNOWN_LIMIT),
    "hts_zero_padded": Noted("codes of chapters 01 to 09 that had lost their leading zero", 0.30),
    "hts_from_text": Noted("exclusions whose code was found in their text only", UNKNOWN_LIMIT),
    "dates_in_text": Noted("exclusions with a term of their own in their text", 0.50, stops=False),
}
_CAUSES = (
    Cause("hts_rounded", "A spreadsheet rounded the code away (8.41E+09). Export the file again with codes as text."),
    Cause("hts_length", "HTS numbers have 8 or 10 digits. Is that the column of codes, exported as text?"),
    Cause("list_unknown", "Neither the docket nor a column nor the file's name tells the list. Put it in the name."),
    Cause("malformed_row", "The line has more or fewer fields than the header, or quotation marks that do not close."),
)

TARIFF_LANDING = Stage(
    name="tariff landing",
    keys={"tariff_requests": ("request_id", "archive_entry", "source_row")},
    checks=(
        Check(
            "requests_plausible",
            "tariff_requests",
            "ERROR",
            "There are requests, each once, on lists 1, 2, 3 and 4A, with a known kind of outcome and a whole code.",
            (
                not_empty(),
                not_null("request_id"),
                unique("request_id"),
                not_null("list_id"),
                one_of("list_id", *LISTS_WITH_REQUESTS),
                not_null("status"),
                one_of("status", *STATUSES),
                no_rows(_BAD_REQUEST_CODES),
            ),
            facts=_REQUEST_FACTS,
        ),
        Check(
            "status_words_known",
            "tariff_requests",
            "WARN",
            "Every status word is known. Unknown ones count as no decision.",
            (no_rows(_UNKNOWN_WORDS, counted_by="n_rows"),),
        ),
        Check(
            "few_status_words_unknown",
            "tariff_requests",
            "ERROR",
            f"At most {UNKNOWN_LIMIT:.0%} of a list's requests have a status word that is not known.",
            (no_rows(_MANY_UNKNOWN),),
        ),
        Check(
            "dates_readable",
            "tariff_requests",
            "WARN",
            "Every date of a request can be read. A request without a day of posting is in no month.",
            (no_rows(_UNREADABLE_DATES, counted_by="n_rows"),),
        ),
        Check(
            "few_dates_unreadable",
            "tariff_requests",
            "ERROR",
            f"At most {UNKNOWN_LIMIT:.0%} of a list's requests have a date that cannot be read.",
            (no_rows(_MANY_UNREADABLE_DATES),),
        ),
        Check(
            "posted_while_requests_were_taken",
            "tariff_requests",
            "WARN",
            f"Requests were posted between {FIRST_POSTED} and {LAST_POSTED}; other days are misread or misprinted.",
            (no_rows(_STRANGE_DAYS),),
        ),
        Check(
            "lines_on_their_list",
            "tariff_requests",
            "WARN",
            "Every request names a tariff line of its list. Others were reclassified since, or misfiled.",
            (no_rows(_UNLISTED, counted_by="n_rows"),),
        ),
        Check(
            "lines_mostly_on_a_list",
            "tariff_requests",
            "ERROR",
            f"At most {NOT_LISTED_LIMIT:.0%} of a list's requests name a tariff line that is on no list at all.",
            (no_rows(_MANY_UNLISTED),),
        ),
        Check(
            "lines_plausible",
            "tariff_lists",
            "ERROR",
            "Lines have eight digits and a list, once per source, and no negative imports.",
            (no_rows(_BAD_LINES), no_rows(_REPEATED_LINES, counted_by="n_rows")),
        ),
        Check(
            "exclusions_plausible",
            "tariff_exclusions",
            "ERROR",
            "Exclusions name a code of eight or ten digits, a list and a document, and end after they begin.",
            (one_of("list_id", *LISTS_WITH_REQUESTS), not_null("list_id"), no_rows(_BAD_EXCLUSIONS)),
        ),
        Check(
            "exclusions_of_listed_lines",
            "tariff_exclusions",
            "WARN",
            "Excluded products lie in tariff lines of the lists; others carry the codes of a later edition.",
            (no_rows(_EXCLUSIONS_OFF_LIST, counted_by="n_rows"),),
        ),
        Check(
            "lists_agree_with_paragraphs",
            "tariff_exclusions",
            "ERROR",
            "An exclusion lifts the duty of the list that its paragraph of the note is about.",
            (no_rows(_LISTS_CONTRADICT, counted_by="n_rows"),),
        ),
        *accounting(
            "tariffs",
            about="quarantine_tariffs",
            by=("source",),
            quarantine_by=("source",),
            noted=_NOTED,
            causes=_CAUSES,
        ),
    ),
)

_RATES_AGAINST_LANDING = """
    with landed as (
        select list_id, count(*) as requests,
            count(*) filter (status in ('granted', 'partially_granted')) as granted,
            count(*) filter (status = 'denied') as denied
        from stg_tariff_requests group by list_id
    ),
    m as (select * from {batch})
    select list_id, m.requests, landed.requests as requests_landed, m.granted, landed.granted as granted_landed,
        m.denied, landed.denied as denied_landed
    from m full join landed using (list_id)
    where m.requests is distinct from landed.requests or m.granted is distinct from landed.granted
        or m.denied is distinct from landed.denied
"""
_PARTS_AGAINST_RATES = """
    with parts as (
        select list_id, sum(requests) as requests, sum(granted) as granted, sum(denied) as denied from {batch}
        group by list_id
    )
    select list_id, p.requests, r.requests as requests_of_list, p.granted, r.granted as granted_of_list,
        p.denied, r.denied as denied_of_list
    from parts as p full join exclusion_rates as r using (list_id)
    where p.requests is distinct from r.requests or p.granted is distinct from r.granted
        or p.denied is distinct from r.denied
"""


def _groups_against_landing(column: str, value: str) -> str:
    """Groups of a list whose requests are not those that landed with the group's value; null makes no group."""
    return f"""
        with landed as (
            select list_id, {value} as {column}, count(*) as requests_landed
            from stg_tariff_requests where {value} is not null group by all
        ),
        groups as (select list_id, {column}, requests, granted + denied as decided from {{batch}})
        select * from groups full join landed using (list_id, {column})
        where requests is distinct from requests_landed or decided > requests
    """


_MONTHS = _groups_against_landing("month_posted", "date_trunc('month', date_posted)::date")
_REQUESTERS = _groups_against_landing("requester", "requester")
_OVERLAPS = """
    with intervals as (select * from {batch})
    select a.list_id, a.hts10, a.valid_from, a.valid_to, b.valid_from as next_from
    from intervals as a join intervals as b
        on a.list_id = b.list_id and a.hts10 = b.hts10 and a.valid_from < b.valid_from
    where coalesce(a.valid_to, date '9999-12-31') >= b.valid_from
"""
_BEFORE_THE_DUTY = """
    select list_id, hts10, valid_from, effective_date from {batch} join tariff_list_terms using (list_id)
    where valid_from < effective_date
"""
_CODES_NOT_IN_FORCE = """
    select list_id, hts10, min(document) as document, count(*) as n_rows from stg_tariff_exclusions
    where source = 'htsus_note_20' and (list_id, hts10) not in (select (list_id, hts10) from {batch})
    group by all
"""
_BASIS_FACTS = """
    select count(*) as intervals, count(*) filter (validity_basis = 'stated') as stated,
        count(*) filter (validity_basis = 'one_year_rule') as one_year_rule,
        count(*) filter (validity_basis = 'end_unknown') as end_unknown, max(valid_to) as last_day
    from {batch}
"""
_DUTY_NOT_AS_SCHEDULED = """
    select r.list_id, t.heading, r.additional_duty, r.scheduled_duty, r.schedule_edition, h.is_suspended, h.general_rate
    from {batch} as r
    join tariff_list_terms as t on r.list_id = t.list_id
    left join stg_tariff_headings as h on t.heading = h.heading
    where exists (select 1 from stg_tariff_headings) and r.scheduled_duty is distinct from r.additional_duty
"""
_UNESTIMATED = "select specification, term, n, n_granted, n_clusters, note from {batch} where estimate is null"
_SHARE_CHANGED = """
    with now as (select * from {batch})
    select now.list_id, before.requests as requests_before, now.requests, before.approval_share as share_before,
        now.approval_share
    from now join previous.exclusion_rates as before using (list_id)
    where now.requests < before.requests or abs(now.approval_share - before.approval_share) > 0.05
"""

TARIFF_MARTS = Stage(
    name="tariff marts",
    keys={"exclusion_rates": ("list_id",), "exclusion_determinants": ("list_id", "hs6")},
    checks=(
        Check(
            "rates_match_requests",
            "exclusion_rates",
            "ERROR",
            "Requests, grants and denials of every list are those that landed.",
            (not_empty(), between("approval_share", 0, 1), no_rows(_RATES_AGAINST_LANDING)),
        ),
        Check(
            "rates_stable",
            "exclusion_rates",
            "WARN",
            "No list lost requests, and no approval share moved by more than five points, since the previous release.",
            (no_rows(_SHARE_CHANGED),),
            requires=PREVIOUS_RELEASE,
        ),
        Check(
            "duties_as_scheduled",
            "exclusion_rates",
            "WARN",
            "The duty that the seed list_rate_history has in force is the one in chapter 99 of the tariff schedule. "
            "Others changed, were suspended, or their heading is gone.",
            (no_rows(_DUTY_NOT_AS_SCHEDULED),),
        ),
        Check(
            "industries_sum_to_rates",
            "exclusion_rates_by_industry",
            "ERROR",
            "The chapters of a list sum to the list.",
            (no_rows(_PARTS_AGAINST_RATES),),
        ),
        Check(
            "end_uses_sum_to_rates",
            "exclusion_rates_by_end_use",
            "ERROR",
            "The end uses of a list sum to the list.",
            (no_rows(_PARTS_AGAINST_RATES), between("approval_share", 0, 1)),
        ),
        Check(
            "requesters_match_requests",
            "exclusion_requesters",
            "ERROR",
            "Every requester has the requests that landed under its name; requests without one are in no row.",
            (no_rows(_REQUESTERS), between("approval_share", 0, 1)),
        ),
        Check(
            "months_match_requests",
            "exclusion_rates_by_month",
            "ERROR",
            "The requests of every month are those posted in it; requests without a day are in no month.",
            (no_rows(_MONTHS), between("approval_share", 0, 1)),
        ),
        Check(
            "determinants_sum_to_rates",
            "exclusion_determinants",
            "ERROR",
            "The goods of a list sum to the list, and shares of imports are shares.",
            (
                no_rows(_PARTS_AGAINST_RATES),
                between("china_import_share", 0, 1 + 1e-6),
                between("us_import_value_usd", 0, None, strictly_above=True),
            ),
        ),
        Check(
            "intervals_do_not_overlap",
            "exclusions_in_force",
            "ERROR",
            "No product is excluded twice at a time, and none before the duty it is excluded from.",
            (no_rows(_OVERLAPS), no_rows(_BEFORE_THE_DUTY)),
            facts=_BASIS_FACTS,
        ),
        Check(
            "granted_codes_were_in_force",
            "exclusions_in_force",
            "WARN",
            "Every code of the tariff schedule's note was in force once. Others replaced one whose term had ended.",
            (no_rows(_CODES_NOT_IN_FORCE, counted_by="n_rows"),),
        ),
        Check(
            "ends_known",
            "exclusions_in_force",
            "WARN",
            "Every interval has an end. Others belong to a paragraph that the seed exclusion_tranches does not know.",
            (no_rows("select * from {batch} where valid_to is null"),),
        ),
        Check(
            "regression_estimated",
            "exclusion_regression",
            "WARN",
            "Every term could be estimated. Where trade covers few goods, some cannot: the note says why.",
            (no_rows(_UNESTIMATED),),
        ),
        *RECOMPUTED,
        *VALUES,
    ),
    prepare=prepared(PREPARED, VALUES_PREPARED),
)
