"""The checks of market returns at landing, and which checks its marts have.

Not here: whether a single field can be read (landing quarantines those rows); values by another road (`recomputed`).
"""

from __future__ import annotations

from dagster_project.checks.accounting import Cause, Noted, accounting
from dagster_project.checks.declarations import Check, Stage, between, no_rows, not_empty, not_null

# A day on which so large a part of all stocks doubles or halves is no day of any market.
WILD_DAY_SHARE = 0.2
_REPEATED = """
    select security_id, return_date, count(*) as n_rows from {batch} group by all having count(*) > 1
"""
_FUTURE = "select security_id, return_date from {batch} where return_date > current_date"
_WILD_DAYS = f"""
    select return_date, count(*) as n_rows, count(*) filter (abs(simple_return) > 0.5) as n_wild from {{batch}}
    group by return_date having count(*) >= 20 and n_wild > {WILD_DAY_SHARE} * n_rows
"""
_SILENT_STOCKS = """
    select security_id, industry from contagion_securities
    where kind = 'stock' and security_id not in (select security_id from {batch})
"""
_FACTS = """
    select count(*) as returns, count(distinct security_id) as securities, min(return_date)::varchar as first_day,
        max(return_date)::varchar as last_day from {batch}
"""
_UNKNOWN_ROLES = """
    select event_id, security_id from {batch}
    where event_id not in (select event_id from contagion_events)
        or security_id not in (select security_id from contagion_securities)
"""
_EVENTS_OUTSIDE = """
    select event_id, event_date::varchar as event_date,
        (select max(return_date) from contagion_returns)::varchar as last_day
    from {batch}
    where event_date not between (select min(return_date) from contagion_returns)
        and (select max(return_date) from contagion_returns)
"""

CONTAGION_LANDING = Stage(
    name="landing of contagion",
    keys={
        "contagion_events": ("event_id",),
        "contagion_securities": ("security_id",),
        "contagion_returns": ("security_id", "return_date"),
    },
    checks=(
        Check(
            "returns_plausible",
            "contagion_returns",
            "ERROR",
            "There are returns above -1, one per security and day, of days that have been.",
            (
                not_empty(),
                not_null("security_id"),
                not_null("return_date"),
                not_null("simple_return"),
                between("simple_return", -1, None, strictly_above=True),
                between("market_cap", 0, None, strictly_above=True),
                no_rows(_REPEATED, counted_by="n_rows"),
                no_rows(_FUTURE),
            ),
            facts=_FACTS,
        ),
        Check(
            "no_wild_day",
            "contagion_returns",
            "WARN",
            f"On no day did more than {WILD_DAY_SHARE:.0%} of the securities move by more than half.",
            (no_rows(_WILD_DAYS, counted_by="n_wild"),),
        ),
        Check(
            "stocks_have_returns",
            "contagion_returns",
            "WARN",
            "Every stock has a return; one without is in no figure.",
            (no_rows(_SILENT_STOCKS),),
        ),
        Check(
            "roles_known",
            "contagion_roles",
            "ERROR",
            "Every role is of an event and a security that are there.",
            (not_empty(), no_rows(_UNKNOWN_ROLES)),
        ),
        Check(
            "events_within_returns",
            "contagion_events",
            "WARN",
            "Every event lies in the days that returns are there for.",
            (no_rows(_EVENTS_OUTSIDE),),
        ),
        *accounting(
            "contagion",
            about="contagion_rule_counts",
            by=("source",),
            quarantine_by=("source",),
            noted={"market_cap_unreadable": Noted("market values that are no number above 0", 0.05)},
            causes=(
                Cause("unknown_security", "Is securities.csv that of these returns? Ids are compared as they stand."),
                Cause("bad_date", "Dates are read as YYYY-MM-DD only: write them so."),
                Cause("conflicting_duplicate", "Two exports seem to be mixed in one file: keep one of them."),
            ),
        ),
    ),
)
