"""The tariff marts by another road: from the staged requests, lists, exclusions and flows, by plain SQL.

There are some ten thousand requests and exclusions, so that nothing is sampled. A regression cannot be estimated in
SQL; that its estimates are those of maximum likelihood can be told: the derivatives of the likelihood are zero. Not
here: whether the marts agree with each other (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import GOODS_IN_SCOPE, equals

# A request takes the code of the base revision with the largest weight.
_REQUESTS = """
    select r.* exclude (hs6), coalesce(c.hs6, r.hs6) as hs6, r.status in ('granted', 'partially_granted') as is_granted,
        case when r.status in ('granted', 'partially_granted', 'denied') then (r.status <> 'denied')::integer end
            as decision
    from stg_tariff_requests as r left join (
        select from_code, first(hs6 order by round(weight, 12) desc, hs6) as hs6
        from stg_hs_conversion where from_revision = 'H5' group by all
    ) as c on c.from_code = r.hs6
"""
# The lines of the one source that is taken for all lists; those of list 4 by the half that a source knows them in.
_LINES = """
    with lines as (
        select *, case source when 'ustr_final_lists' then 1 when 'ustr_annexes' then 2 else 3 end as place
        from stg_tariff_lists
    ),
    halves as (
        select hts8, min(list_id) as half from lines
        where list_id in ('4A', '4B') and place = (select min(place) from lines where list_id in ('4A', '4B'))
        group by hts8 having count(distinct list_id) = 1
    )
    select case list_id when '4' then coalesce(half, '4') else list_id end as list_id, hts8,
        max(imports_2017_usd) as imports_usd
    from lines left join halves using (hts8) where place = (select min(place) from lines) group by all
"""
# Where the United States import the good, in the year nearest to 2017; elsewhere where anyone trades it.
_GOODS = """
    with goods as (select distinct hs6 from requests_again),
    imports as (
        select hs6, year, sum(value_usd) as us_import_value_usd, count(*) as us_suppliers,
            coalesce(sum(value_usd) filter (exporter_code = 156), 0) / sum(value_usd) as china_import_share
        from trade_flows semi join goods using (hs6) where importer_code = 842 group by all
    ),
    nearest as (
        select hs6, first(year order by us_suppliers is null, abs(year - 2017), year) as year
        from goods join product_centrality using (hs6) left join imports using (hs6, year) group by all
    )
    select goods.hs6, p.bec4, p.bec5, s.in_scope, n.year as reference_year, us_import_value_usd, us_suppliers,
        china_import_share, c.export_centrality, c.n_exporters,
        p.bec4 in ('111', '121', '21', '22', '31', '322', '42', '53') as is_intermediate,
        p.bec4 in ('112', '122', '522', '61', '62', '63') as is_consumption
    from goods left join nearest as n using (hs6) left join imports as i on i.hs6 = n.hs6 and i.year = n.year
    left join product_centrality as c on c.hs6 = n.hs6 and c.year = n.year
    left join stg_products as p on p.hs6 = goods.hs6 left join goods_in_scope as s on s.hs6 = goods.hs6
"""
_COUNTED = """
    count(*) as requests, count(*) filter (is_granted) as granted, count(*) filter (decision = 0) as denied,
    avg(decision) as approval_share
"""
_RATES = f"""
    with filers as (
        select list_id, requester, count(*) as n from requests_again where requester is not null group by all
    ),
    largest as (
        select list_id, first(requester order by n desc, requester) as top_requester, max(n) as top_requester_requests
        from filers group by all
    ),
    counted as (
        select list_id, {_COUNTED}, count(*) filter (status = 'partially_granted') as partially_granted,
            count(*) filter (status = 'withdrawn') as withdrawn, count(*) filter (status = 'pending') as pending,
            count(*) filter (status = 'unknown') as status_unknown,
            case when max(top_requester) is not null
                then avg(decision) filter (requester is distinct from top_requester) end
                as approval_share_without_top_requester,
            case when exists (select 1 from lines_again)
                then count(*) filter (not exists (
                    select 1 from lines_again as l
                    where l.hts8 = r.hts8 and (l.list_id = r.list_id or (l.list_id = '4' and r.list_id = '4A'))
                )) end as not_on_list
        from requests_again as r left join largest using (list_id) group by all
    )
    select counted.*, top_requester, top_requester_requests, rate as additional_duty,
        valid_from as additional_duty_since, h.additional_duty as scheduled_duty, covered_trade_usd
    from counted left join largest using (list_id)
    left join (from list_rate_history where valid_to is null) using (list_id)
    left join tariff_list_terms as t using (list_id) left join stg_tariff_headings as h on h.heading = t.heading
    left join (
        select list_id, case when count(imports_usd) = count(*) then sum(imports_usd) end as covered_trade_usd
        from lines_again group by all
    ) using (list_id)
"""
_INDUSTRIES = f"""
    select list_id, left(hs6, 2) as hs2, {_COUNTED}, count(distinct hs6) as n_hs6,
        count(distinct requester) as n_requesters
    from requests_again group by all
"""
_END_USES = f"""
    select list_id, case when bec4 is null then 'unknown' when is_intermediate then 'intermediate'
            when is_consumption then 'consumption' else 'capital_and_other' end as end_use,
        {_COUNTED}, count(distinct hs6) as n_hs6
    from requests_again join goods_again using (hs6) group by all
"""
_MONTHS = f"""
    select list_id, make_date(year(date_posted), month(date_posted), 1) as month_posted, {_COUNTED}
    from requests_again where date_posted is not null group by all
"""
# A place is one more than the number of those ahead: all but those with as many requests or fewer.
_REQUESTERS = f"""
    select *, 1 + count(*) over (partition by list_id)
        - count(*) over (partition by list_id order by requests range unbounded preceding) as requests_rank
    from (
        select list_id, requester, {_COUNTED}, count(distinct hs6) as n_hs6
        from requests_again where requester is not null group by all
    )
"""
_DETERMINANTS = f"""
    select * from (
        select list_id, hs6, {_COUNTED}, count(distinct requester) as n_requesters from requests_again group by all
    ) join goods_again using (hs6)
"""
# An interval begins with a term that no earlier one reaches, and ends with the first end that no other term carries on.
_INTERVALS = """
    with used as (
        select * from stg_tariff_exclusions where source = 'htsus_note_20' or list_id not in (
            select list_id from stg_tariff_exclusions where source = 'htsus_note_20'
        )
    ),
    dated as (
        select u.list_id, u.hts10, u.hs6, u.document, u.document || ' ' || u.item as item,
            coalesce(t.kind, 'grant') <> 'grant' as is_extension,
            coalesce(t.valid_from, l.effective_date) as term_from, u.valid_from as text_from,
            least(u.valid_to, case when e.note is not null then e.valid_to when t.note is not null then t.valid_to
                else case when u.granted_date is not null
                    then coalesce(l.exclusions_expire, (u.granted_date + interval 1 year)::date) end
            end) as last_day,
            case coalesce(e.basis, t.basis, case when u.granted_date is null then 'end_unknown'
                    when l.exclusions_expire is not null then 'stated' else 'one_year_rule' end)
                when 'stated' then 1 when 'reported' then 2 when 'one_year_rule' then 3 else 4 end as basis
        from used as u left join tariff_list_terms as l on l.list_id = u.list_id
        left join exclusion_tranches as t on t.note = u.document
        left join exclusion_item_extensions as e on e.note = u.document and e.item = u.item
    ),
    terms as (
        select * replace (coalesce(last_day, date '9999-12-30') as last_day),
            greatest(term_from, text_from) as first_day
        from dated
        where term_from is not null and greatest(term_from, text_from) <= coalesce(last_day, date '9999-12-30')
    ),
    beginnings as (
        select distinct list_id, hts10, first_day from terms anti join terms as earlier
            on earlier.list_id = terms.list_id and earlier.hts10 = terms.hts10
            and earlier.first_day < terms.first_day and earlier.last_day >= terms.first_day - 1
    ),
    ends as (
        select distinct list_id, hts10, last_day from terms anti join terms as later
            on later.list_id = terms.list_id and later.hts10 = terms.hts10
            and later.last_day > terms.last_day and later.first_day <= terms.last_day + 1
    ),
    intervals as (
        select list_id, hts10, first_day, min(e.last_day) as last_day
        from beginnings join ends as e using (list_id, hts10) where e.last_day >= first_day group by all
    )
    select i.list_id, i.hts10, i.first_day as valid_from, nullif(i.last_day, date '9999-12-30') as valid_to,
        string_agg(distinct t.document, '; ' order by t.document) as document, count(distinct t.item) as n_items,
        count(distinct t.item) filter (t.is_extension) as n_extensions, max(t.hs6) as hs6,
        ['stated', 'reported', 'one_year_rule', 'end_unknown'][max(t.basis)] as validity_basis
    from intervals as i join terms as t
        on t.list_id = i.list_id and t.hts10 = i.hts10 and t.first_day between i.first_day and i.last_day
    group by i.list_id, i.hts10, i.first_day, i.last_day
"""
# One row per specification, decided request and term, with the term's value x, less the requests that were left out
# with a term that predicts them perfectly.
_DESIGN = """
    with filers as (select requester, count(*) as n from requests_again where requester is not null group by all),
    decisions as (
        select r.*, g.* exclude (hs6), coalesce(
                r.requester = (select first(requester order by n desc, requester) from filers), false
            ) as is_largest_filer
        from requests_again as r join goods_again as g using (hs6) where r.decision is not null
    ),
    observed as (
        select s.specification, d.* from decisions as d
        join (select distinct specification from exclusion_regression) as s
            on not (is_largest_filer and s.specification like '%_without_largest_filer')
            and is_intermediate is not null
            and (s.specification not like 'trade_and_%' or (us_suppliers is not null and export_centrality is not null))
            and (s.specification like 'end_use%' or china_import_share is not null)
    ),
    spread as (
        select specification, avg(centrality) as mean, stddev_pop(centrality) as deviation
        from (select specification, hs6, any_value(export_centrality) as centrality from observed group by all)
        group by all
    ),
    valued as (
        select o.specification, o.request_id, o.hs6, o.decision, m.term, m.estimate, m.note, case m.term
                when 'intercept' then 1
                when 'china_import_share' then china_import_share
                when 'log_us_suppliers' then ln(us_suppliers)
                when 'export_centrality_std'
                    then case when deviation > 0 then (export_centrality - mean) / deviation else 0 end
                when 'intermediate' then is_intermediate::integer
                when 'consumption' then is_consumption::integer
                else (m.term = 'list_' || list_id)::integer
            end as x
        from observed as o join spread using (specification)
        join exclusion_regression as m on m.specification = o.specification
    )
    select * from valued anti join valued as predicted
        on predicted.specification = valued.specification and predicted.request_id = valued.request_id
        and ((predicted.x = 1 and predicted.note like 'left out: each of the % with it was %')
            or (predicted.x = 0 and predicted.note like 'left out: each of the % without it was %'))
"""
_REGRESSION_COUNTS = """
    with counted as (
        select specification, count(distinct request_id) as n, count(distinct request_id) filter (decision = 1)
            as n_granted, count(distinct hs6) as n_clusters
        from design group by all
    )
    select m.specification, m.term, coalesce(c.n, 0) as n, coalesce(c.n_granted, 0) as n_granted,
        coalesce(c.n_clusters, 0) as n_clusters
    from exclusion_regression as m left join counted as c using (specification)
"""
_NOT_THE_MAXIMUM = """
    with predicted as (
        select specification, request_id, decision, 1 / (1 + exp(-sum(estimate * x))) as p
        from design group by all having count(estimate) > 0
    ),
    likelihood as (
        select specification, avg(ln(case decision when 1 then p else 1 - p end)) as fitted, avg(decision) as share
        from predicted group by all
    ),
    derivatives as (
        select specification, term, sum(x * (decision - p)) as derivative, sum(abs(x)) as size
        from design join predicted using (specification, request_id, decision) where estimate is not null group by all
    )
    select specification, term, estimate, derivative, pseudo_r2,
        1 - fitted / (share * ln(share) + (1 - share) * ln(1 - share)) as pseudo_r2_recomputed
    from {batch} left join derivatives using (specification, term) left join likelihood using (specification)
    where estimate is not null
        and (derivative is null or abs(derivative) > 1e-6 * size + 1e-6 or abs(pseudo_r2 - pseudo_r2_recomputed) > 1e-6)
"""
# The distribution function of the normal distribution by Abramowitz and Stegun 7.1.26, exact to 1.5e-7.
_WRONG_TESTS = """
    with m as (select *, 1 / (1 + 0.3275911 * abs(z_value) / sqrt(2)) as t from {batch})
    select specification, term, estimate, std_error, z_value, p_value, odds_ratio from m
    where abs(odds_ratio - exp(estimate)) > 1e-6 * exp(estimate)
        or abs(z_value * std_error - estimate) > 1e-6 * abs(estimate) + 1e-8 * (1 + abs(z_value))
        or abs(p_value - exp(-(z_value ** 2) / 2) * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
            + t * (-1.453152027 + t * 1.061405429))))) > 1e-6
        or (estimate is null) <> (std_error is null) or (estimate is null) <> (p_value is null)
"""

PREPARED: Mapping[str, str] = {
    "goods_in_scope": GOODS_IN_SCOPE,
    "requests_again": _REQUESTS,
    "lines_again": _LINES,
    "goods_again": _GOODS,
    "design": _DESIGN,
}
_COUNTS = ("requests", "granted", "denied")
_NAME = "recomputed_from_requests"

RECOMPUTED = (
    Check(
        _NAME,
        "exclusion_rates",
        "ERROR",
        "Counts and shares of every list, with and without its largest filer, its duty and its trade, are recomputed.",
        (
            equals(
                _RATES,
                "list_id",
                numbers=(
                    *("approval_share", "approval_share_without_top_requester", "covered_trade_usd"),
                    *("additional_duty", "scheduled_duty"),
                ),
                others=(
                    *(*_COUNTS, "partially_granted", "withdrawn", "pending", "status_unknown", "not_on_list"),
                    *("top_requester", "top_requester_requests", "additional_duty_since"),
                ),
            ),
        ),
    ),
    Check(
        _NAME,
        "exclusion_rates_by_industry",
        "ERROR",
        "Counts and shares of every list and chapter are recomputed.",
        (equals(_INDUSTRIES, "list_id, hs2", numbers=("approval_share",), others=(*_COUNTS, "n_hs6", "n_requesters")),),
    ),
    Check(
        _NAME,
        "exclusion_rates_by_end_use",
        "ERROR",
        "Counts and shares of every list and end use are recomputed, end uses from the goods' BEC categories.",
        (equals(_END_USES, "list_id, end_use", numbers=("approval_share",), others=(*_COUNTS, "n_hs6")),),
    ),
    Check(
        _NAME,
        "exclusion_rates_by_month",
        "ERROR",
        "Counts and shares of every list and month are recomputed.",
        (equals(_MONTHS, "list_id, month_posted", numbers=("approval_share",), others=_COUNTS),),
    ),
    Check(
        _NAME,
        "exclusion_requesters",
        "ERROR",
        "Counts, shares and places of every requester are recomputed.",
        (
            equals(
                _REQUESTERS,
                "list_id, requester",
                numbers=("approval_share",),
                others=(*_COUNTS, "n_hs6", "requests_rank"),
            ),
        ),
    ),
    Check(
        "recomputed_from_requests_and_flows",
        "exclusion_determinants",
        "ERROR",
        "Counts of every list and good are recomputed from requests, what is known of the good from the flows.",
        (
            equals(
                _DETERMINANTS,
                "list_id, hs6",
                numbers=("approval_share", "us_import_value_usd", "china_import_share", "export_centrality"),
                others=(
                    *(*_COUNTS, "n_requesters", "in_scope", "us_suppliers", "n_exporters", "bec4", "bec5"),
                    "reference_year",
                ),
            ),
        ),
    ),
    Check(
        "recomputed_from_exclusions",
        "exclusions_in_force",
        "ERROR",
        "Every interval begins with a term that no earlier one reaches, and ends where no other carries on.",
        (
            equals(
                _INTERVALS,
                "list_id, hts10, valid_from",
                others=("valid_to", "document", "n_items", "n_extensions", "hs6", "validity_basis"),
            ),
        ),
    ),
    Check(
        "estimates_are_the_maximum",
        "exclusion_regression",
        "ERROR",
        "At the estimates the likelihood of the decisions has no slope in any term; counts, tests and odds fit them.",
        (
            equals(_REGRESSION_COUNTS, "specification, term", others=("n", "n_granted", "n_clusters")),
            no_rows(_NOT_THE_MAXIMUM),
            no_rows(_WRONG_TESTS),
        ),
    ),
)
