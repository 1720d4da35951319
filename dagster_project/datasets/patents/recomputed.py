"""The patent marts by another road: the values of up to three filing years, from the staged tables, by plain SQL.

A year is recomputed whole, since shares of the world need all of it. Percentiles are taken from the sorted list, and
the weight of a country's partners is what is left of a publication without the country. Not here: whether the marts
agree with each other (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals, sampled

YEARS = 3
_VARIANTS = {"core": "citations", "core_top1": "citations", "core_net_self": "net_self", "core_family": "family_size"}

# Growth looks five years back.
_WEIGHTS = """
    select p.filing_year, p.pct_id, coalesce(a.country_iso2, 'ZZ') as country_iso2, sum(a.weight) as weight
    from stg_pct_publications as p join stg_pct_applicants as a using (pct_id)
    where p.filing_year in (select filing_year from sampled_filing_years)
        or p.filing_year + 5 in (select filing_year from sampled_filing_years)
    group by all
"""
_PUBLICATIONS = """
    with windows as (
        select *, (window_start + interval 5 year)::date as window_end
        from stg_pct_publications semi join sampled_filing_years using (filing_year)
    )
    select w.pct_id, any_value(filing_year) as filing_year, any_value(family_size) as family_size,
        any_value(window_end <= citations_until) as is_closed,
        case when any_value(window_end) is not null and any_value(citations_until) is not null
            then count(c.citing_id) end as citations,
        case when any_value(window_end) is not null and any_value(citations_until) is not null
            then count(c.citing_id) filter (not c.is_self) end as net_self
    from windows as w left join stg_pct_citations as c on c.cited_pct_id = w.pct_id and c.citing_date < w.window_end
    group by w.pct_id
"""


def _percentile(hundredths: int, column: str) -> str:
    """The continuous percentile of a cohort: at a place that is counted in whole numbers, between two of the sorted."""
    values = f"list_sort(list({column}) filter ({column} is not null))"
    place = f"(count({column}) - 1) * {hundredths}"
    low, high = f"{values}[{place} // 100 + 1]", f"{values}[least({place} // 100 + 2, count({column}))]"
    return f"round({low} + ({place} % 100) / 100 * ({high} - {low}), 12)"


_COHORTS = f"""
    with members as (
        select p.*, f.field_id, f.weight as field_weight
        from publications_again as p join stg_pct_fields as f using (pct_id) where f.field_id is not null
    ),
    thresholds as (
        select filing_year, field_id, {_percentile(90, "citations")} as of_core,
            {_percentile(99, "citations")} as of_core_top1, {_percentile(90, "net_self")} as of_core_net_self,
            {_percentile(90, "family_size")} as of_core_family, coalesce(bool_and(is_closed), false) as window_complete
        from members group by all
    )
    select m.filing_year, m.field_id, m.pct_id, m.field_weight, t.window_complete,
        {
    ", ".join(
        f"case when of_{name} is not null then coalesce({column} >= greatest(of_{name}, 1), false) end as is_{name}"
        for name, column in _VARIANTS.items()
    )
}
    from members as m join thresholds as t using (filing_year, field_id)
"""
_COUNTRY_FIELDS = f"""
    select c.filing_year, w.country_iso2, c.field_id, sum(w.weight * c.field_weight) as applications,
        bool_and(window_complete) as window_complete,
        {
    ", ".join(
        f"case when count(is_{name}) > 0 then coalesce(sum(w.weight * c.field_weight) filter (is_{name}), 0) end "
        f"as {name}_applications"
        for name in _VARIANTS
    )
}
    from cohorts_again as c join weights_again as w using (pct_id) group by all
"""
_SHARES = ", ".join(f"{name}_applications / {{of}} as {name.replace('core', 'core_share')}" for name in _VARIANTS)
_CORE_SHARES = f"""
    select *, {_SHARES.format(of="applications")},
        applications / sum(applications) over (partition by filing_year, field_id) as world_share,
        case when country_iso2 <> 'ZZ' then applications * sum(applications) over (partition by filing_year)
            / sum(applications) over (partition by filing_year, country_iso2)
            / sum(applications) over (partition by filing_year, field_id) end as rta
    from country_fields_again
"""
_SUMMARIES = f"""
    with filed as (
        select filing_year, country_iso2, sum(weight) as applications from weights_again group by all
    ),
    classified as (
        select filing_year, country_iso2, sum(applications) as classified, sum(applications ** 2) as squares,
            {", ".join(f"sum({name}_applications) as {name}_applications" for name in _VARIANTS)}
        from country_fields_again group by all
    ),
    closed as (select filing_year, bool_and(window_complete) as window_complete from cohorts_again group by all)
    select f.filing_year, f.country_iso2, f.applications, core_applications, {_SHARES.format(of="classified")},
        f.applications - coalesce(classified, 0) as unclassified_applications,
        f.applications / sum(f.applications) over (partition by f.filing_year) as world_share,
        case when f.country_iso2 <> 'ZZ' then squares / classified ** 2 end as field_hhi,
        case when f.country_iso2 <> 'ZZ' then f.applications / before.applications - 1 end as growth_5y,
        coalesce(window_complete, false) as window_complete
    from (from filed semi join sampled_filing_years using (filing_year)) as f
    left join filed as before on before.filing_year = f.filing_year - 5 and before.country_iso2 = f.country_iso2
    left join classified as c on c.filing_year = f.filing_year and c.country_iso2 = f.country_iso2
    left join closed as w on w.filing_year = f.filing_year
"""
_PAIRS = """
    with known as (
        select *, sum(weight) over (partition by pct_id) as of_publication, count(*) over (partition by pct_id) as n
        from weights_again semi join sampled_filing_years using (filing_year) where country_iso2 <> 'ZZ'
    ),
    joint as (
        select own.filing_year, own.country_iso2, other.country_iso2 as partner_iso2,
            count(*) as joint_publications,
            sum(other.weight / (own.of_publication - own.weight)) as joint_applications
        from known as own join known as other using (pct_id) where own.country_iso2 <> other.country_iso2
        group by all
    )
    select *, joint_applications / sum(joint_applications) over (partition by filing_year, country_iso2)
        as share_of_joint
    from joint
"""
_RECONCILED = """
    with ours as (
        select filing_year, country_iso2, 'ALL' as technology, sum(weight) as applications
        from weights_again semi join sampled_filing_years using (filing_year) group by all
        union all
        select filing_year, country_iso2, sector_name, sum(applications)
        from country_fields_again join stg_wipo_fields using (field_id) where sector_name is not null group by all
    ),
    theirs as (
        select t.filing_year, t.country_iso2, t.economy, o.technology, t.applications
        from stg_patent_totals as t
        join (select distinct technology from ours) as o on lower(o.technology) = lower(t.field)
        where t.family = 'Patent Cooperation Treaty applications' and t.source = (
                select first(source order by source <> 'oecd', source) from stg_patent_totals
                where family = 'Patent Cooperation Treaty applications'
            )
    ),
    worlds as (
        select filing_year, technology, our_world, their_world
        from (select filing_year, technology, sum(applications) as our_world from ours group by all)
        join (
            select filing_year, technology, coalesce(
                    max(applications) filter (economy = 'World'), sum(applications) filter (country_iso2 is not null)
                ) as their_world
            from theirs group by all
        ) using (filing_year, technology)
        where their_world > 0
    ),
    compared as (
        select filing_year, country_iso2, technology, coalesce(o.applications, 0) as our_applications,
            t.applications as reference_applications
        from (from ours where country_iso2 <> 'ZZ') as o
        full join (from theirs where country_iso2 is not null) as t using (filing_year, country_iso2, technology)
    )
    select *, our_applications / our_world as our_share, reference_applications / their_world as reference_share,
        our_applications / our_world - reference_applications / their_world as share_difference,
        our_applications / nullif(reference_applications, 0) as coverage, our_world / their_world as world_coverage
    from compared join worlds using (filing_year, technology)
"""

# Kaizen: own citations of the sampled years' publications, by their texts and dates; a depth is 1 more than the largest
# of those that are cited, whose own depths are checked in their years.
_OWN = """
    with citing as (from stg_pct_publications semi join sampled_filing_years using (filing_year)),
    holders as (select distinct pct_id, applicant_id from stg_pct_applicants where applicant_id is not null)
    select f.pct_id, e.pct_id as cited, f.filing_date - e.filing_date as lag_days,
        e.filing_date >= f.filing_date - interval 5 year as within_5y
    from (
        select distinct c.citing_pct_id, c.cited_pct_id from stg_pct_citations as c
        semi join citing on citing.pct_id = c.citing_pct_id
        join holders as a on a.pct_id = c.citing_pct_id
        join holders as b on b.pct_id = c.cited_pct_id and b.applicant_id = a.applicant_id
    ) as c
    join citing as f on f.pct_id = c.citing_pct_id join stg_pct_publications as e on e.pct_id = c.cited_pct_id
    where e.filing_date < f.filing_date and e.filing_year is not null
"""
_CHAINS = """
    with own as (
        select o.pct_id, min(o.lag_days) as lag_days, bool_or(within_5y) as follows,
            1 + max(k.depth) filter (within_5y) as depth
        from own_again as o join int_kaizen_publications as k on k.pct_id = o.cited group by all
    )
    select p.pct_id, case when p.filing_date is not null and p.citations_until is not null
            then coalesce(follows, false) end as follows,
        case when p.filing_date is not null and p.citations_until is not null then coalesce(depth, 0) end as depth,
        lag_days
    from (from stg_pct_publications semi join sampled_filing_years using (filing_year)) as p
    left join own using (pct_id)
"""
_WRONG_CHAINS = """
    select k.pct_id, k.follows, k.depth, k.lag_days, c.follows as follows_recomputed, c.depth as depth_recomputed,
        c.lag_days as lag_days_recomputed
    from chains_again as c left join int_kaizen_publications as k using (pct_id)
    where k.follows is distinct from c.follows or k.depth is distinct from c.depth
        or k.lag_days is distinct from c.lag_days
"""
# The documents of a few publications as lists, and their sets compared: cited by, and predecessors cited by.
_DISRUPTION = f"""
    with focals as (
        select pct_id, window_start, (window_start + interval 5 year)::date as window_end
        from stg_pct_publications as p semi join (
            {sampled("int_kaizen_publications", "pct_id", 100, where="cd5 is not null")}
        ) using (pct_id)
    ),
    dated as (
        select coalesce(citing_pct_id, citing_id) as document, min(citing_date) as document_date
        from stg_pct_citations where cited_pct_id in (select pct_id from int_kaizen_publications) group by all
    ),
    pairs as (
        select distinct coalesce(citing_pct_id, citing_id) as document, cited_pct_id from stg_pct_citations
        where cited_pct_id in (select pct_id from int_kaizen_publications)
    ),
    found as (
        select f.pct_id, list(distinct d.document) filter (p.cited_pct_id = f.pct_id) as of_focal,
            list(distinct d.document) filter (p.cited_pct_id <> f.pct_id) as of_predecessors
        from focals as f
        join (
            select pct_id, pct_id as cited_pct_id from focals union
            select document, cited_pct_id from pairs where document in (select pct_id from focals)
        ) as concerned on concerned.pct_id = f.pct_id
        join pairs as p on p.cited_pct_id = concerned.cited_pct_id
        join dated as d on d.document = p.document
        where d.document <> f.pct_id and d.document_date > f.window_start and d.document_date < f.window_end
        group by all
    ),
    counted as (
        select pct_id, len(coalesce(of_focal, [])) as n_focal, len(coalesce(of_predecessors, [])) as n_predecessors,
            len(list_intersect(coalesce(of_focal, []), coalesce(of_predecessors, []))) as n_both
        from found
    )
    select pct_id, (n_focal - 2 * n_both) / (n_focal + n_predecessors - n_both) as cd5 from counted
"""
_WRONG_DISRUPTION = """
    select k.pct_id, k.cd5, a.cd5 as cd5_recomputed
    from disruption_again as a left join int_kaizen_publications as k using (pct_id)
    where k.cd5 is null or abs(k.cd5 - a.cd5) > 1e-9
"""
# Of every publication in a country and field: what kaizen_patents adds up.
_KAIZEN_MEMBERS = """
    select c.filing_year, w.country_iso2, c.field_id, c.pct_id, w.weight * c.field_weight as weight, c.window_complete,
        k.follows, k.depth, k.lag_days, k.cd5, p.citations, p.citations - p.net_self as self_citations
    from cohorts_again as c join weights_again as w using (pct_id) join publications_again as p using (pct_id)
    join int_kaizen_publications as k using (pct_id)
"""


def _mean(value: str, name: str) -> str:
    """The weighted mean over the publications that have the value."""
    return f"sum(weight * ({value})) / nullif(sum(weight) filter (({value}) is not null), 0) as {name}"


_MEANS = f"""
    {_mean("follows::integer", "followon_share")}, {_mean("depth", "mean_depth")},
    {_mean("(depth >= 3)::integer", "deep_share")}, {_mean("cd5", "cd5_mean")},
    {_mean("(cd5 < 0)::integer", "consolidating_share")},
    case when bool_and(window_complete) then sum(weight * self_citations) / nullif(sum(weight * citations), 0) end
        as self_citation_share,
    sum(weight) as applications, sum(weight) filter (cd5 is not null) as with_cd5,
    bool_and(window_complete) as window_complete
"""
_KAIZEN = f"""
    with cells as (
        select filing_year, country_iso2, field_id, {_MEANS} from kaizen_members_again group by all
    ),
    sorted as (
        select filing_year, country_iso2, field_id, lag_days, sum(weight) over (
                partition by filing_year, country_iso2, field_id order by lag_days
            ) / sum(weight) over (partition by filing_year, country_iso2, field_id) as reached
        from kaizen_members_again where lag_days is not null
    ),
    medians as (
        select filing_year, country_iso2, field_id, min(lag_days) / 365.25 as median_lag
        from sorted where reached >= 0.5 - 1e-9 group by all
    )
    select c.*, median_lag, coalesce(with_cd5, 0) / c.applications as cd5_known_share,
        core_top1_applications / f.applications as breakthrough_share,
        1 - core_applications / f.applications as incremental_share,
        c.filing_year - 5 >= (select min(filing_year) from stg_pct_publications) as lookback_complete
    from cells as c left join medians using (filing_year, country_iso2, field_id)
    join country_fields_again as f using (filing_year, country_iso2, field_id)
"""
_STANDARDISED = (
    *("followon_share", "mean_depth", "deep_share", "median_lag", "self_citation_share", "breakthrough_share"),
    *("incremental_share", "cd5_mean", "consolidating_share"),
)
_RAW = tuple(name for name in _STANDARDISED if name not in ("median_lag", "breakthrough_share", "incremental_share"))
_MIXED = ", ".join(f"sum(world * {name}) / sum(world) filter ({name} is not null) as {name}" for name in _STANDARDISED)
_KAIZEN_SUMMARIES = f"""
    with worlds as (
        select *, sum(applications) over (partition by filing_year, field_id) as world,
            sum(applications) over (partition by filing_year) as whole
        from kaizen_again
    ),
    mixed as (
        select filing_year, country_iso2, {_MIXED}, sum(world) / any_value(whole) as field_coverage,
            bool_and(lookback_complete) as lookback_complete
        from worlds group by all
    ),
    raw as (select filing_year, country_iso2, {_MEANS} from kaizen_members_again group by all)
    select m.*, r.applications, r.window_complete, {", ".join(f"r.{name} as {name}_raw" for name in _RAW)}
    from mixed as m join raw as r using (filing_year, country_iso2)
"""

PREPARED: Mapping[str, str] = {
    "sampled_filing_years": sampled("stg_pct_publications", "filing_year", YEARS, where="filing_year is not null"),
    "weights_again": _WEIGHTS,
    "publications_again": _PUBLICATIONS,
    "cohorts_again": _COHORTS,
    "country_fields_again": _COUNTRY_FIELDS,
    "own_again": _OWN,
    "chains_again": _CHAINS,
    "disruption_again": _DISRUPTION,
    "kaizen_members_again": _KAIZEN_MEMBERS,
    "kaizen_again": _KAIZEN,
}
_SAMPLE = ("sampled_filing_years", "filing_year")
_NAME = "recomputed_from_publications"
_OF = f"of up to {YEARS} filing years are recomputed from publications, applicants, fields and citations."
_CORE_SHARE_NAMES = tuple(name.replace("core", "core_share") for name in _VARIANTS)

RECOMPUTED = (
    Check(
        _NAME,
        "kaizen_patents",
        "ERROR",
        f"Chains of own citations, the CD index of up to 100 publications, and their means {_OF}",
        (
            no_rows(_WRONG_CHAINS),
            no_rows(_WRONG_DISRUPTION),
            equals(
                "from kaizen_again",
                "filing_year, country_iso2, field_id",
                numbers=("applications", "cd5_known_share", *_STANDARDISED),
                others=("window_complete", "lookback_complete"),
                sample=_SAMPLE,
            ),
        ),
    ),
    Check(
        _NAME,
        "kaizen_summary",
        "ERROR",
        f"Shares as in the fields of the world and of the country {_OF}",
        (
            equals(
                _KAIZEN_SUMMARIES,
                "filing_year, country_iso2",
                numbers=("applications", "field_coverage", *_STANDARDISED, *(f"{name}_raw" for name in _RAW)),
                others=("window_complete", "lookback_complete"),
                sample=_SAMPLE,
            ),
        ),
    ),
    Check(
        _NAME,
        "patent_core_share",
        "ERROR",
        f"Applications, core patents, shares and advantages {_OF}",
        (
            equals(
                _CORE_SHARES,
                "filing_year, country_iso2, field_id",
                numbers=("applications", "core_applications", *_CORE_SHARE_NAMES, "world_share", "rta"),
                others=("window_complete",),
                sample=_SAMPLE,
            ),
        ),
    ),
    Check(
        _NAME,
        "patent_country_summary",
        "ERROR",
        f"Applications, core patents, shares, concentration and growth {_OF}",
        (
            equals(
                _SUMMARIES,
                "filing_year, country_iso2",
                numbers=(
                    *("applications", "core_applications", *_CORE_SHARE_NAMES, "world_share", "field_hhi"),
                    "growth_5y",
                ),
                others=("window_complete",),
                sample=_SAMPLE,
            ),
            # What is left of applications without a field is a difference, of which less than a millionth is none.
            equals(
                _SUMMARIES,
                "filing_year, country_iso2",
                numbers=("unclassified_applications",),
                sample=_SAMPLE,
                tolerance="1e-9 * abs({value}) + 1e-6",
            ),
        ),
    ),
    Check(
        _NAME,
        "patent_collaboration",
        "ERROR",
        f"Joint applications and the partners' shares {_OF}",
        (
            equals(
                _PAIRS,
                "filing_year, country_iso2, partner_iso2",
                numbers=("joint_applications", "share_of_joint"),
                others=("joint_publications",),
                sample=_SAMPLE,
            ),
        ),
    ),
    Check(
        "recomputed_from_publications_and_totals",
        "patent_reconciliation",
        "ERROR",
        f"Both sides' shares and the coverage {_OF}",
        (
            equals(
                _RECONCILED,
                "filing_year, country_iso2, technology",
                numbers=(
                    *("our_applications", "reference_applications", "our_share", "reference_share"),
                    *("share_difference", "coverage", "world_coverage"),
                ),
                sample=_SAMPLE,
            ),
        ),
    ),
)
