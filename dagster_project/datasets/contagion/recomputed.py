"""The contagion marts by another road: from the staged returns, by SQL of DuckDB's own regression functions.

Student's distribution is integrated by Simpson's rule, binomials are added up. Of many events and securities a sample
is recomputed. Not here: Dimson's estimator, which tests hold to a library; whether returns are plausible (`checks`).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, no_rows
from dagster_project.checks.recomputed import equals, sampled

_N_FIRMS, _N_INDUSTRIES, _N_EVENTS = 300, 20, 5
_MOST_PAIRED = 60  # firms of a group: all pairs of more would be dear
# Simpson's rule and lgamma err by less; both roads are far more exact than any use of these figures.
_TOLERANCE = "1e-6 * abs({value}) + 1e-8"
_LARGEST_T, _STEPS = 12, 1200

_WINDOWS = (
    "(values ('m1p1', -1, 1), ('d0', 0, 0), ('p0p1', 0, 1), ('m5p5', -5, 5)) as windows (event_window, first, last)"
)
# Numbered from day 0, the first trading day on or after the event's (after it, where it came after the close).
_DAYS = """
    with stocks as (select * from stg_contagion_securities where kind = 'stock'),
    calendars as (
        select security_id as market_id, return_date, simple_return as market,
            row_number() over (partition by security_id order by return_date) as n
        from stg_contagion_returns where security_id in (select market_id from stocks)
    ),
    zeros as (
        select event_id, market_id, min(n) as zero from stg_contagion_events cross join calendars
        where return_date >= event_date + after_close::integer group by all
    )
    select event_id, market_id, return_date, market, (n - zero)::integer as day
    from zeros join calendars using (market_id) where n - zero between -250 and 5
"""
_SEEN = """
    select wanted.event_id, s.security_id, s.industry, d.day, d.market, r.simple_return as own
    from ({wanted}) as wanted join stg_contagion_securities as s on {joined}
    join contagion_days as d on d.event_id = wanted.event_id and d.market_id = s.market_id
    left join stg_contagion_returns as r on r.security_id = s.security_id and r.return_date = d.return_date
    where s.kind = 'stock'
"""
_FIRM_SAMPLE = sampled("contagion_firms", "event_id, security_id", _N_FIRMS)
_FIRM_DAYS = _SEEN.format(wanted="from contagion_firm_sample", joined="s.security_id = wanted.security_id")
_PEER_DAYS = _SEEN.format(
    wanted=sampled("contagion_industries", "event_id, industry", _N_INDUSTRIES), joined="s.industry = wanted.industry"
)


def _model(keys: str, days: str) -> str:
    """A query of the market model by `keys`, over `days` with the columns own, market and day."""
    return f"""
        select {keys}, regr_count(own, market)::bigint as n_obs, regr_intercept(own, market) as alpha,
            regr_slope(own, market) as beta, regr_avgx(own, market) as market_mean, regr_sxx(own, market) as spread,
            sqrt(greatest(regr_syy(own, market) - regr_slope(own, market) * regr_sxy(own, market), 0)
                / nullif(regr_count(own, market)::bigint - 2, 0)) as sigma,
            count(*) filter (own is null or own = 0) / count(*) as zero_share
        from {days} where day between -250 and -11 group by all
    """


# The integral of Student's density from 0 to |t|, twice, taken from 1.
_P = f"""
    case when abs(t) > {_LARGEST_T} then 0 else 1 - 2 * abs(t) / {_STEPS} / 3
        * exp(lgamma((n_obs - 1) / 2) - lgamma((n_obs - 2) / 2)) / sqrt((n_obs - 2) * pi())
        * list_sum(list_transform(range(0, {_STEPS + 1}), lambda i:
            case when i in (0, {_STEPS}) then 1 when i % 2 = 1 then 4 else 2 end
            * pow(1 + pow(t * i / {_STEPS}, 2) / (n_obs - 2), -(n_obs - 1) / 2))) end
"""
# Of the days d and the model m.
_CAR = """
    count(own) as n_window, sum(own - alpha - beta * market) as car,
    sigma * sqrt(count(own) + count(own) * count(own) / m.n_obs
        + pow(sum(market) filter (own is not null) - count(own) * market_mean, 2) / spread) as car_se
"""
_FIRMS = f"""
    with models as ({_model("event_id, security_id", "contagion_firm_days")}),
    splits as (
        select event_id, security_id, day from contagion_firm_days where abs(own) > 0.3 and exists (
            select 1 from (
                values (1/10), (1/5), (1/4), (1/3), (1/2), (2/3), (3/2), (2), (3), (4), (5), (10)
            ) as t (ratio) where abs(1 + own - ratio) <= 0.02 * ratio
        )
    ),
    summed as (
        select k.event_id, k.security_id, event_window, first, last, coalesce(m.n_obs, 0) as n_obs, alpha, beta, sigma,
            zero_share, count(d.day) as n_days, {_CAR}
        from contagion_firm_sample as k cross join {_WINDOWS}
        left join models as m on m.event_id = k.event_id and m.security_id = k.security_id
        left join contagion_firm_days as d
            on d.event_id = k.event_id and d.security_id = k.security_id and d.day between first and last
        group by k.event_id, k.security_id, event_window, first, last, m.n_obs, alpha, beta, sigma, zero_share,
            market_mean, spread
    ),
    judged as (
        select s.*, car / nullif(car_se, 0) as t,
            case when n_days < last - first + 1 then 'window_outside_data'
                when s.security_id not in (select security_id from stg_contagion_returns) then 'no_returns'
                when n_obs < 120 then 'too_few_returns' when zero_share > 0.5 then 'thin_trading'
                when n_window = 0 then 'no_trade_in_window'
                when exists (
                    select 1 from splits as x where x.event_id = s.event_id and x.security_id = s.security_id
                        and (x.day between -250 and -11 or x.day between first and last)
                ) then 'possible_split' end as reason
        from summed as s
    )
    select event_id, security_id, event_window as "window", n_obs, n_window, zero_share, reason,
        case when reason is null then alpha end as alpha, case when reason is null then beta end as beta,
        case when reason is null then sigma end as sigma, case when reason is null then car end as car,
        case when reason is null then car_se end as car_se, case when reason is null then t end as t,
        case when reason is null then {_P} end as p_value
    from judged
"""
_WRONG_Q = """
    with ranked as (
        select *, count(*) over of_role as m, row_number() over (of_role order by p_value, security_id) as place
        from {batch} where p_value is not null window of_role as (partition by event_id, "window", role)
    ),
    again as (
        select *, least(1, min(p_value * m / place) over (
            partition by event_id, "window", role order by place desc rows unbounded preceding
        )) as recomputed from ranked
    )
    select event_id, security_id, "window", p_value, q_value, recomputed from again
    where q_value is null or abs(q_value - recomputed) > 1e-9
"""
_WRONG_ROLES = """
    select f.event_id, f.security_id, f.role, r.role as role_in_the_file from {batch} as f
    left join stg_contagion_roles as r on r.event_id = f.event_id and r.security_id = f.security_id
    where f.role is distinct from r.role
"""
# A group of one row: the CARs and t of its firms, which the check of contagion_firms holds to their returns.
_TESTS = """
    avg(car) as caar, avg(car) / nullif(stddev_samp(car), 0) * sqrt(count(*)) as t_cross,
    avg(t) / nullif(stddev_samp(t), 0) * sqrt(count(*)) as bmp, count(*) filter (car < 0) as n_negative,
    count(*) as n_firms
"""
_SIGN_P = """
    case when n_firms > 0 then least(1, 2 * list_sum(list_transform(
        range(greatest(n_negative, n_firms - n_negative), n_firms + 1),
        lambda k: exp(lgamma(n_firms + 1) - lgamma(k + 1) - lgamma(n_firms - k + 1) - n_firms * ln(2))
    ))) end
"""
_KP = "bmp * sqrt((1 - mean_correlation) / (1 + (n_firms - 1) * mean_correlation))"
_INDUSTRIES = f"""
    with peers as (
        select f.* from contagion_firms as f semi join contagion_peer_days using (event_id, industry)
        where reason is null and role is null
    ),
    portfolio as (
        select p.event_id, p.industry, p."window" as event_window, d.day, avg(d.own) as own, avg(d.market) as market
        from peers as p join contagion_peer_days as d using (event_id, security_id)
        where d.own is not null group by all having count(*) > 0
    ),
    models as ({_model("event_id, industry, event_window", "portfolio")}),
    summed as (
        select event_id, industry, event_window, n_obs, sigma, {_CAR}
        from models as m join {_WINDOWS} using (event_window)
        join portfolio as d using (event_id, industry, event_window)
        where d.day between first and last
        group by event_id, industry, event_window, n_obs, sigma, alpha, beta, market_mean, spread
    ),
    tested as (select event_id, industry, "window" as event_window, {_TESTS} from peers group by all),
    all_groups as (
        select distinct event_id, industry, event_window from contagion_peer_days cross join {_WINDOWS}
    ),
    joined as (
        select event_id, industry, event_window, coalesce(n_firms, 0) as n_firms, n_obs, car,
            car / nullif(car_se, 0) as t, caar, t_cross, bmp, coalesce(n_negative, 0) as n_negative
        from all_groups left join tested using (event_id, industry, event_window)
        left join summed using (event_id, industry, event_window)
    ),
    probable as (select *, {_P} as p, {_SIGN_P} as sign_p from joined)
    select event_id, industry, event_window as "window", n_firms as n_peers,
        case when n_firms >= 3 then car end as car, case when n_firms >= 3 then t end as t,
        case when n_firms >= 3 then p end as p_value, case when n_firms < 3 then 'too_few_peers' end as reason,
        case when n_firms < 3 then null when p >= 0.05 then 'none' when car < 0 then 'contagion'
            else 'competitive' end as verdict,
        caar as peer_caar, case when n_firms >= 2 then t_cross end as t_cross,
        case when n_firms >= 2 then bmp end as bmp, n_negative, sign_p
    from probable
"""
# Residuals of the firms of small groups, and the mean of all pairs' correlations.
_CORRELATED = """
    with residuals as (
        select f.event_id, {group} as g, f."window" as event_window, f.security_id, d.day,
            d.own - f.alpha - f.beta * d.market as residual
        from contagion_firms as f join {days} as d using (event_id, security_id)
        where f.reason is null and {where} and d.own is not null and d.day between -250 and -11
    ),
    small as (
        select event_id, g, event_window from residuals
        group by all having count(distinct security_id) between 2 and {most}
    ),
    pairs as (
        select a.event_id, a.g, a.event_window, corr(a.residual, b.residual) as r
        from residuals as a semi join small using (event_id, g, event_window)
        join residuals as b using (event_id, g, event_window, day)
        where a.security_id < b.security_id
        group by a.event_id, a.g, a.event_window, a.security_id, b.security_id having count(*) >= 60
    )
    select event_id, g, event_window, avg(r) as mean_correlation from pairs group by all
"""
_PEER_CORRELATIONS = _CORRELATED.format(
    group="f.industry", days="contagion_peer_days", where="f.role is null", most=_MOST_PAIRED
)
_WRONG_KP = f"""
    with again as (
        select c.*, n_peers as n_firms, bmp, kp, m.mean_correlation as in_the_mart
        from contagion_peer_correlations as c
        join {{batch}} as m on m.event_id = c.event_id and m.industry = c.g and m."window" = c.event_window
    )
    select event_id, g as industry, event_window, kp, {_KP} as kp_recomputed, in_the_mart, mean_correlation from again
    where abs(in_the_mart - mean_correlation) > 1e-8 or in_the_mart is null
        or abs(kp - {_KP}) > 1e-6 * abs(kp) or (kp is null) <> ({_KP} is null)
"""
_SUPPLIER_DAYS = _SEEN.format(
    wanted=f"""
        select event_id, security_id from stg_contagion_roles
        where role = 'supplier' and event_id in (
            select event_id from ({sampled("contagion_summary", "event_id", _N_EVENTS)}) as events
        )
    """,
    joined="s.security_id = wanted.security_id",
)
_SUPPLIER_CORRELATIONS = _CORRELATED.format(
    group="'suppliers'", days="contagion_supplier_days", where="f.role = 'supplier'", most=_MOST_PAIRED
)
_SUMMARY = f"""
    with suppliers as (
        select f.*, s.label from contagion_firms as f join stg_contagion_events as s using (event_id)
        where role = 'supplier'
    ),
    tested as (
        select event_id, "window", {_TESTS} from suppliers where reason is null group by all
    ),
    spread as (
        select i.event_id, i."window", count(*) as n_industries, count(verdict) as n_industries_measured,
            count(*) filter (verdict = 'contagion') as n_contagion,
            count(*) filter (verdict = 'competitive') as n_competitive
        from contagion_industries as i semi join suppliers using (event_id, industry) group by all
    ),
    counted as (
        select s.event_id, s."window", count(*) as n_suppliers,
            count(*) filter (s.reason is null) as n_suppliers_measured,
            count(*) filter (i.verdict = 'contagion') as n_suppliers_in_contagion,
            count(*) filter (s.car < 0 and s.p_value < 0.05) as n_suppliers_negative
        from suppliers as s left join contagion_industries as i using (event_id, industry, "window") group by all
    ),
    joined as (
        select event_id, "window", coalesce(n_industries, 0) as n_industries,
            coalesce(n_industries_measured, 0) as n_industries_measured, coalesce(n_contagion, 0) as n_contagion,
            coalesce(n_competitive, 0) as n_competitive, coalesce(n_suppliers, 0) as n_suppliers,
            coalesce(n_suppliers_measured, 0) as n_suppliers_measured,
            coalesce(n_suppliers_in_contagion, 0) as n_suppliers_in_contagion,
            coalesce(n_suppliers_negative, 0) as n_suppliers_negative, caar as supplier_caar, t_cross, bmp,
            coalesce(n_negative, 0) as n_negative, coalesce(n_firms, 0) as n_firms
        from (select distinct event_id, "window" from contagion_firms) as windows
        left join tested using (event_id, "window") left join spread using (event_id, "window")
        left join counted using (event_id, "window")
    )
    select * exclude (n_firms), n_suppliers_measured / 40 as n_suppliers_negative_expected, {_SIGN_P} as sign_p
    from joined
"""
_WRONG_SUPPLIER_KP = f"""
    with again as (
        select c.*, n_suppliers_measured as n_firms, bmp, kp, m.mean_correlation as in_the_mart
        from contagion_supplier_correlations as c
        join {{batch}} as m on m.event_id = c.event_id and m."window" = c.event_window
    )
    select event_id, event_window, kp, {_KP} as kp_recomputed, in_the_mart, mean_correlation from again
    where abs(in_the_mart - mean_correlation) > 1e-8 or in_the_mart is null
        or abs(kp - {_KP}) > 1e-6 * abs(kp) or (kp is null) <> ({_KP} is null)
"""

CONTAGION_MARTS = Stage(
    name="marts of contagion",
    prepare={
        "contagion_days": _DAYS,
        "contagion_firm_sample": _FIRM_SAMPLE,
        "contagion_firm_days": _FIRM_DAYS,
        "contagion_firms_again": _FIRMS,
        "contagion_peer_days": _PEER_DAYS,
        "contagion_peer_correlations": _PEER_CORRELATIONS,
        "contagion_supplier_days": _SUPPLIER_DAYS,
        "contagion_supplier_correlations": _SUPPLIER_CORRELATIONS,
    },
    checks=(
        Check(
            "abnormal_returns_recomputed",
            "contagion_firms",
            "ERROR",
            f"The market model, abnormal return and reason of up to {_N_FIRMS} stocks are those of their returns, and "
            "q-values those of all p-values.",
            (
                equals(
                    "from contagion_firms_again",
                    'event_id, security_id, "window"',
                    numbers=("zero_share", "alpha", "beta", "sigma", "car", "car_se", "t", "p_value"),
                    others=("n_obs", "n_window", "reason"),
                    sample=("contagion_firm_sample", "event_id, security_id"),
                    tolerance=_TOLERANCE,
                ),
                no_rows(_WRONG_ROLES),
                no_rows(_WRONG_Q),
            ),
        ),
        Check(
            "portfolios_recomputed",
            "contagion_industries",
            "ERROR",
            f"Abnormal returns, tests and verdicts of up to {_N_INDUSTRIES} industries are those of their peers.",
            (
                equals(
                    _INDUSTRIES,
                    'event_id, industry, "window"',
                    numbers=("car", "t", "p_value", "peer_caar", "t_cross", "bmp", "sign_p"),
                    others=("n_peers", "n_negative", "reason", "verdict"),
                    sample=("contagion_peer_days", "event_id, industry"),
                    tolerance=_TOLERANCE,
                ),
                no_rows(_WRONG_KP),
            ),
        ),
        Check(
            "spread_recomputed",
            "contagion_summary",
            "ERROR",
            "Counts and tests of each event are those of its suppliers and their industries.",
            (
                equals(
                    _SUMMARY,
                    'event_id, "window"',
                    numbers=("supplier_caar", "t_cross", "bmp", "sign_p", "n_suppliers_negative_expected"),
                    others=(
                        "n_industries",
                        "n_industries_measured",
                        "n_contagion",
                        "n_competitive",
                        "n_suppliers",
                        "n_suppliers_measured",
                        "n_suppliers_in_contagion",
                        "n_suppliers_negative",
                        "n_negative",
                    ),
                    tolerance=_TOLERANCE,
                ),
                no_rows(_WRONG_SUPPLIER_KP),
            ),
        ),
    ),
)
