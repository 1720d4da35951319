{%- set standardised = [
    'followon_share', 'mean_depth', 'deep_share', 'median_lag', 'self_citation_share', 'breakthrough_share',
    'incremental_share', 'cd5_mean', 'consolidating_share'
] -%}

with fields as (
    select * from {{ ref('kaizen_patents') }}
),

cells as (
    select * from {{ ref('int_kaizen_cells') }}
),

summaries as (
    select * from {{ ref('patent_country_summary') }}
),

-- The mix of fields in which the whole world files.
world as (
    select filing_year, field_id, {{ exact_sum('applications', bits=80) }} as world_applications
    from fields
    group by filing_year, field_id
),

totals as (
    select filing_year, {{ exact_sum('world_applications', bits=80) }} as world_applications
    from world
    group by filing_year
),

mixed as (
    select
        fields.filing_year,
        fields.country_iso2,
        {{ exact_sum('world.world_applications', bits=80) }} as covered
        {%- for share in standardised %},
        {{ exact_sum('world.world_applications * fields.' ~ share, bits=60) }}
        / {{ exact_sum('case when fields.' ~ share ~ ' is not null then world.world_applications end', bits=60) }}
            as {{ share }}
        {%- endfor %},
        min(case when fields.window_complete then 1 else 0 end) = 1 as window_complete,
        min(case when fields.lookback_complete then 1 else 0 end) = 1 as lookback_complete
    from fields
    inner join world on fields.filing_year = world.filing_year and fields.field_id = world.field_id
    group by fields.filing_year, fields.country_iso2
),

added_up as (
    select
        filing_year,
        country_iso2,
        {{ exact_sum('applications', bits=80) }} as applications,
        {{ exact_sum('known', bits=80) }} as known,
        {{ exact_sum('following', bits=80) }} as following,
        {{ exact_sum('depths', bits=80) }} as depths,
        {{ exact_sum('deep', bits=80) }} as deep,
        {{ exact_sum('received', bits=80) }} as received,
        {{ exact_sum('received_from_self', bits=80) }} as received_from_self,
        {{ exact_sum('with_cd5', bits=80) }} as with_cd5,
        {{ exact_sum('cd5s', bits=80) }} as cd5s,
        {{ exact_sum('consolidating', bits=80) }} as consolidating
    from cells
    group by filing_year, country_iso2
)

select
    mixed.filing_year,
    mixed.country_iso2,
    summaries.country_iso3,
    summaries.country_name,
    added_up.applications,
    {% for share in standardised -%}
    mixed.{{ share }},
    {% endfor -%}
    mixed.covered / totals.world_applications as field_coverage,
    added_up.following / nullif(added_up.known, 0) as followon_share_raw,
    added_up.depths / nullif(added_up.known, 0) as mean_depth_raw,
    added_up.deep / nullif(added_up.known, 0) as deep_share_raw,
    case when mixed.window_complete then added_up.received_from_self / nullif(added_up.received, 0) end
        as self_citation_share_raw,
    summaries.core_share_top1 as breakthrough_share_raw,
    1 - summaries.core_share as incremental_share_raw,
    added_up.cd5s / nullif(added_up.with_cd5, 0) as cd5_mean_raw,
    added_up.consolidating / nullif(added_up.with_cd5, 0) as consolidating_share_raw,
    added_up.with_cd5 / added_up.applications as cd5_known_share,
    mixed.window_complete,
    mixed.lookback_complete
from mixed
inner join added_up on mixed.filing_year = added_up.filing_year and mixed.country_iso2 = added_up.country_iso2
inner join totals on mixed.filing_year = totals.filing_year
inner join summaries
    on mixed.filing_year = summaries.filing_year and mixed.country_iso2 = summaries.country_iso2
