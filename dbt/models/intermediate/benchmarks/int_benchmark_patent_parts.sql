with collaboration as (
    {{ if_built(ref('patent_collaboration')) }}
),

core as (
    {{ if_built(ref('patent_core_share')) }}
),

summary as (
    {{ if_built(ref('patent_country_summary')) }}
),

joint as (
    select
        filing_year as year,
        {{ exact_sum("case when partner_iso2 in ('DE', 'GB', 'FR', 'JP') then joint_applications else 0 end") }}
            as with_group,
        {{ exact_sum("case when partner_iso2 = 'US' then joint_applications else 0 end") }} as with_us,
        {{ exact_sum('joint_applications') }} as with_all
    from collaboration
    where country_iso2 = 'CN'
    group by filing_year
),

-- Only closed citation windows: while one is open, core shares are not final.
all_fields as (
    select
        filing_year as year,
        max(case when country_iso2 = 'CN' then {{ comparable('core_share') }} end) as china,
        max(case when country_iso2 = 'US' then {{ comparable('core_share') }} end) as united_states,
        max(case when country_iso2 = 'JP' then {{ comparable('core_share') }} end) as japan
    from summary
    where window_complete
    group by filing_year
),

by_field as (
    select
        filing_year as year,
        field_id,
        max(case when country_iso2 = 'CN' then {{ comparable('core_share') }} end) as china,
        max(case when country_iso2 = 'US' then {{ comparable('core_share') }} end) as united_states,
        max(case when country_iso2 = 'JP' then {{ comparable('core_share') }} end) as japan
    from core
    where window_complete
    group by filing_year, field_id
),

fields_below as (
    select
        year,
        sum(case when china < united_states and china < japan then 1 else 0 end) as n_below,
        count(*) as n_fields
    from by_field
    where china is not null and united_states is not null and japan is not null
    group by year
),

china_fields as (
    select
        filing_year as year,
        field_id,
        field_name,
        row_number() over (
            partition by filing_year
            order by {{ comparable('applications') }} desc nulls last, field_id nulls last
        ) as place
    from core
    where country_iso2 = 'CN'
),

parts as (
    {{ benchmark_parts('joint', [
        ('xu_joint_share_2011_15', 'with_group', 'with_all'),
        ('xu_joint_share_2018', 'with_group', 'with_all'),
        ('xu_joint_share_us_ratio_2011_15', 'with_group', 'with_us'),
        ('xu_joint_share_us_ratio_2018', 'with_group', 'with_us'),
    ]) }}
    union all
    select
        'xu_core_share_gap',
        all_fields.year,
        case
            when all_fields.china is null or all_fields.united_states is null or all_fields.japan is null then null
            when all_fields.china < all_fields.united_states
                and all_fields.china < all_fields.japan
                and 2 * fields_below.n_below > fields_below.n_fields
                then 1
            else 0
        end,
        1,
        cast(null as string)
    from all_fields
    inner join fields_below on all_fields.year = fields_below.year
    union all
    select 'xu_core_field', year, cast(field_id as integer), 1, field_name
    from china_fields
    where place = 1
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(year as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(computed_text as string) as computed_text
from parts
