{%- set counts = ['n_cells', 'n_trimmed', 'n_trim2', 'n_relative', 'n_estimated'] %}
{%- set sums = [
    'value_usd', 'value_usd_prev', 'split_value_usd', 'known_value_usd', 'trimmed_value_usd', 'estimated_value_prev',
    'estimated_value_now', 'estimated_log_prev', 'estimated_log_now', 'value_prev', 'value_now', 'repriced_prev',
    'repriced_now', 'log_prev', 'log_now', 'trim2_value_prev', 'trim2_value_now', 'trim2_log_prev', 'trim2_log_now',
    'matched_value_prev', 'matched_value_now', 'matched_log_prev', 'matched_log_now', 'others_log_prev',
    'others_log_now', 'level_value_usd', 'level_gap',
] %}

with goods as (
    select * from {{ ref('int_price_sums') }} where {{ in_build_year() }}
),

goods_of_sectors as (
    select * from {{ ref('stg_sector_goods') }}
),

in_groups as (
    select 'hs2' as product_level, substr(hs6, 1, 2) as product_code, *
    from goods
    union all
    select 'sector' as product_level, goods_of_sectors.sector_id as product_code, goods.*
    from goods
    inner join goods_of_sectors
        on goods.hs6 = goods_of_sectors.hs6 and goods.year >= goods_of_sectors.from_year
),

grouped as (
    select
        year,
        exporter_code,
        product_level,
        product_code,
        basis,
        max(case when is_baci then 1 else 0 end) = 1 as is_baci
        {%- for name in counts %},
        cast(sum({{ name }}) as bigint) as {{ name }}
        {%- endfor %}
        {%- for name in sums %},
        {{ exact_sum(name) }} as {{ name }}
        {%- endfor %}
    from in_groups
    group by year, exporter_code, product_level, product_code, basis
    union all
    select
        year,
        exporter_code,
        'hs6' as product_level,
        hs6 as product_code,
        basis,
        is_baci
        {%- for name in counts %},
        {{ name }}
        {%- endfor %}
        {%- for name in sums %},
        {{ name }}
        {%- endfor %}
    from goods
),

parts as (
    select
        *,
        repriced_prev / nullif(value_prev, 0) as laspeyres,
        value_now / nullif(repriced_now, 0) as paasche,
        value_now / nullif(value_prev, 0) as value_ratio,
        0.5e0 * (log_prev / nullif(value_prev, 0) + log_now / nullif(value_now, 0)) as log_tornqvist,
        0.5e0 * (trim2_log_prev / nullif(trim2_value_prev, 0) + trim2_log_now / nullif(trim2_value_now, 0))
            as log_tornqvist_trim2,
        0.5e0 * (
            estimated_log_prev / nullif(estimated_value_prev, 0) + estimated_log_now / nullif(estimated_value_now, 0)
        ) as log_with_estimates,
        0.5e0 * (matched_log_prev / nullif(matched_value_prev, 0) + matched_log_now / nullif(matched_value_now, 0))
            as log_own_matched,
        0.5e0 * (others_log_prev / nullif(matched_value_prev, 0) + others_log_now / nullif(matched_value_now, 0))
            as log_others,
        value_now / nullif(value_usd, 0) as link_coverage,
        value_prev / nullif(value_usd_prev, 0) as link_coverage_prev
    from grouped
),

covered as (
    select
        *,
        {{ comparable('least(coalesce(link_coverage, 0), coalesce(link_coverage_prev, 0))') }} as lower_coverage
    from parts
)

select
    year,
    exporter_code,
    product_level,
    product_code,
    basis,
    laspeyres,
    paasche,
    sqrt(laspeyres * paasche) as fisher,
    exp(log_tornqvist) as tornqvist,
    sqrt((value_ratio / paasche) * (value_ratio / laspeyres)) as quantity_fisher,
    value_ratio,
    value_usd,
    value_usd_prev,
    n_cells,
    n_trimmed,
    known_value_usd / nullif(value_usd, 0) as quantity_coverage,
    link_coverage,
    link_coverage_prev,
    trimmed_value_usd / nullif(value_usd, 0) as trimmed_share,
    split_value_usd / nullif(value_usd, 0) as split_share,
    exp(log_tornqvist_trim2) as tornqvist_trim2,
    case when basis = 'kg' then exp(log_with_estimates) end as tornqvist_with_estimates,
    exp(log_own_matched - log_others) as relative,
    exp(log_own_matched) as own_matched,
    exp(log_others) as others,
    matched_value_now / nullif(value_usd, 0) as relative_coverage,
    n_relative,
    exp(level_gap / nullif(level_value_usd, 0)) as relative_level,
    case
        when n_cells = 0 then 'none'
        when lower_coverage < {{ least_link_coverage() }} or n_cells < {{ var('price_min_cells') }} then 'poor'
        when lower_coverage >= 0.6 and n_cells >= 10 and not is_baci then 'good'
        else 'fair'
    end as quality
from covered
