"""The published figures of patents by another road: from partners and fields. Not here: verdicts."""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage
from dagster_project.checks.recomputed import figures_equal

_PARTS = """
    with china as (
        select filing_year as year, sum(joint_applications) as joint,
            coalesce(sum(joint_applications) filter (partner_iso2 in ('DE', 'FR', 'GB', 'JP')), 0) as with_group,
            coalesce(sum(joint_applications) filter (partner_iso2 = 'US'), 0) as with_us
        from patent_collaboration where country_iso2 = 'CN' group by all
    ),
    compared as (
        pivot (
            select filing_year as year, '' as field, country_iso2, round(core_share, 12) as share
            from patent_country_summary where window_complete
            union all
            select filing_year, field_id, country_iso2, round(core_share, 12)
            from patent_core_share where window_complete
        ) on country_iso2 in ('CN', 'US', 'JP') using max(share) group by year, field
    ),
    behind as (
        select year, max(least("US", "JP") > "CN") filter (field = '') as is_behind, count(*) filter (field <> ''
            and "CN" is not null and "US" is not null and "JP" is not null) as fields,
            count(*) filter (field <> '' and "CN" < "US" and "CN" < "JP") as fields_behind
        from compared where field <> '' or ("CN" is not null and "US" is not null and "JP" is not null) group by year
    )
    select 'xu_joint_share_' || period as benchmark_id, year, with_group::double as numerator,
        joint::double as denominator
    from china, (values ('2011_15'), ('2018')) as periods (period)
    union all
    select 'xu_joint_share_us_ratio_' || period, year, with_group, with_us
    from china, (values ('2011_15'), ('2018')) as periods (period)
    union all
    select 'xu_core_share_gap', year, (is_behind and 2 * fields_behind > fields)::integer, 1
    from behind where is_behind is not null and fields > 0
    union all
    select 'xu_core_field', filing_year, first(field_id order by round(applications, 12) desc, field_id)::integer, 1
    from patent_core_share where country_iso2 = 'CN' group by filing_year
"""


PATENT_FIGURES = Stage(
    name="figures of patents",
    checks=(
        Check(
            "patent_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of patents is recomputed from the partners of joint applications and the countries' fields.",
            (figures_equal("patents", _PARTS),),
        ),
    ),
)
