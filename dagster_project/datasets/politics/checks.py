"""The checks of ideal points at landing: one per state and session, in range, under a code that is in use.

Not here: whether a single field can be read (landing quarantines those rows).
"""

from __future__ import annotations

from dagster_project.checks.accounting import Noted, accounting
from dagster_project.checks.declarations import Check, Stage, between, no_rows, not_empty, not_null
from dagster_project.datasets.politics.landing import REPAIRS, YEAR_BEFORE_FIRST_SESSION

# The points have mean 0 and a standard deviation near 1 over states and sessions; the largest in 78 sessions is 3.2.
LARGEST_POINT = 6.0
# Up to 1989 two states of Yemen voted under one code, YAR. That matters only when those years are asked for.
FIRST_YEAR_OF_OWN_CODES = 1990
# The Assembly's 19th session (1964) held no recorded votes.
SESSION_WITHOUT_VOTES = 19
FALL_LIMIT = 0.10

_FACTS = """
    select count(*) as points, count(distinct ccode) as states, min(session) as first_session,
        max(session) as last_session, max(year) as last_year, count(*) filter (iso3 is distinct from upper(iso3c))
            as codes_repaired, count(*) filter (iso3 is null) as points_without_code
    from {batch}
"""
_WRONG_YEARS = f"""
    select ccode, session, year from {{batch}}
    where year <> session + {YEAR_BEFORE_FIRST_SESSION} or year > year(current_date)
"""
_REPEATED = """
    select ccode, session, count(*) as n_rows, min(iso3) as first_iso3, max(iso3) as last_iso3 from {batch}
    group by ccode, session having count(*) > 1
"""
_UNREPAIRED = f"""
    select ccode, session, iso3c, iso3 from {{batch}}
    where iso3 in ({", ".join(f"'{code}'" for code in REPAIRS)})
"""
_SHARED_CODES = f"""
    select iso3, year, count(*) as n_states, min(ccode) as first_ccode, max(ccode) as last_ccode from {{batch}}
    where iso3 is not null and year >= {FIRST_YEAR_OF_OWN_CODES} group by iso3, year having count(*) > 1
"""
_WITHOUT_CODE = "select ccode, count(*) as n_rows from {batch} where iso3 is null group by ccode"
_MISSING_SESSIONS = f"""
    select missing.session from (
        select unnest(range(min(session), max(session) + 1)) as session from {{batch}}
    ) as missing
    where missing.session not in (select session from {{batch}}) and missing.session <> {SESSION_WITHOUT_VOTES}
"""
_FALLEN_SESSIONS = f"""
    with sizes as (
        select session, count(*) as states, lag(count(*)) over (order by session) as states_before
        from {{batch}} group by session
    )
    select * from sizes where states < (1 - {FALL_LIMIT}) * states_before
"""
_NOTED = {
    "without_iso3": Noted("points without a country code, which are in no mart", 0.02),
    "repaired_*": Noted("points under a code that ISO has withdrawn", 0.05),
}

POLITICS_LANDING = Stage(
    name="landing of politics",
    keys={"ideal_points": ("ccode", "session")},
    checks=(
        Check(
            "points_plausible",
            "ideal_points",
            "ERROR",
            f"There are points, one per state and session, of sessions that have been, within {LARGEST_POINT:g} of 0.",
            (
                not_empty(),
                not_null("ccode"),
                not_null("session"),
                not_null("ideal_point"),
                between("session", 1, None),
                between("ideal_point", -LARGEST_POINT, LARGEST_POINT),
                between("n_votes", 0, None),
                no_rows(_WRONG_YEARS),
                no_rows(_REPEATED, counted_by="n_rows"),
            ),
            facts=_FACTS,
        ),
        Check(
            "codes_are_of_today",
            "ideal_points",
            "ERROR",
            f"No point stands under a code that ISO has withdrawn: {', '.join(REPAIRS)} are repaired.",
            (no_rows(_UNREPAIRED),),
        ),
        Check(
            "one_state_per_code",
            "ideal_points",
            "ERROR",
            f"From {FIRST_YEAR_OF_OWN_CODES} on, no two states share a code in a year (before, the two Yemens do).",
            (no_rows(_SHARED_CODES, counted_by="n_states"),),
        ),
        Check(
            "codes_known",
            "ideal_points",
            "WARN",
            "Every point has a country code; one without is in no mart.",
            (no_rows(_WITHOUT_CODE, counted_by="n_rows"),),
        ),
        Check(
            "sessions_complete",
            "ideal_points",
            "WARN",
            f"No session is missing between the first and the last (but the {SESSION_WITHOUT_VOTES}th, without votes), "
            f"and none has lost more than {FALL_LIMIT:.0%} of the states of the one before.",
            (no_rows(_MISSING_SESSIONS), no_rows(_FALLEN_SESSIONS)),
        ),
        *accounting("politics", about="politics_rule_counts", by=("source",), quarantine_by=("source",), noted=_NOTED),
    ),
)
