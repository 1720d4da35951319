"""The patent marts by another road: the values of up to three filing years, from the staged tables, by plain SQL.

A year is recomputed whole, since shares of the world need all of it. Percentiles are taken from the sorted list, and
the weight of a country's partners is what is left of a publication without the country. Not here: whether the marts
agree with each other (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check
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

PREPARED: Mapping[str, str] = {
    "sampled_filing_years": sampled("stg_pct_publications", "filing_year", YEARS, where="filing_year is not null"),
    "weights_again": _WEIGHTS,
    "publications_again": _PUBLICATIONS,
    "cohorts_again": _COHORTS,
    "country_fields_again": _COUNTRY_FIELDS,
}
_SAMPLE = ("sampled_filing_years", "filing_year")
_NAME = "recomputed_from_publications"
_OF = f"of up to {YEARS} filing years are recomputed from publications, applicants, fields and citations."
_CORE_SHARE_NAMES = tuple(name.replace("core", "core_share") for name in _VARIANTS)

RECOMPUTED = (
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
