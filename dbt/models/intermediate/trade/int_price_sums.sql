{%- set trim2 = comparable('abs(r)') ~ ' <= ' ~ comparable('ln(2)') %}
{%- set kept_sums = {} %}
{%- do kept_sums.update({
    'value_prev': 'v0',
    'value_now': 'v1',
    'repriced_prev': 'v1 * quantity_prev / quantity',
    'repriced_now': 'v0 * quantity / quantity_prev',
    'log_prev': 'v0 * r',
    'log_now': 'v1 * r',
    'trim2_value_prev': 'case when ' ~ trim2 ~ ' then v0 else 0 end',
    'trim2_value_now': 'case when ' ~ trim2 ~ ' then v1 else 0 end',
    'trim2_log_prev': 'case when ' ~ trim2 ~ ' then v0 * r else 0 end',
    'trim2_log_now': 'case when ' ~ trim2 ~ ' then v1 * r else 0 end',
    'matched_value_prev': 'case when is_matched then v0 else 0 end',
    'matched_value_now': 'case when is_matched then v1 else 0 end',
    'matched_log_prev': 'case when is_matched then v0 * r else 0 end',
    'matched_log_now': 'case when is_matched then v1 * r else 0 end',
    'others_log_prev': 'case when is_matched then v0 * others_r else 0 end',
    'others_log_now': 'case when is_matched then v1 * others_r else 0 end',
}) %}
{%- set all_sums = {} %}
{%- do all_sums.update({
    'known_value_usd': 'case when quantity is not null then v1 else 0 end',
    'trimmed_value_usd': "case when state = 'trimmed' then v1 else 0 end",
    'estimated_value_prev': 'case when r_estimated is not null then v0 else 0 end',
    'estimated_value_now': 'case when r_estimated is not null then v1 else 0 end',
    'estimated_log_prev': 'case when r_estimated is not null then v0 * r_estimated else 0 end',
    'estimated_log_now': 'case when r_estimated is not null then v1 * r_estimated else 0 end',
}) %}
{#- What does not depend on the basis. #}
{%- set without_price = "state in ('no_quantity', 'mirror_changed', 'trimmed')" %}
{%- set total_sums = {} %}
{%- do total_sums.update({
    'value_usd': 'v1',
    'value_usd_prev': 'v0',
    'split_value_usd': 'case when is_split_conversion then v1 else 0 end',
    'entered_value_usd': "case when state = 'entry' then v1 else 0 end",
    'left_value_usd_prev': "case when state = 'exit' then v0 else 0 end",
    'unpriced_value_usd': 'case when ' ~ without_price ~ ' then v1 else 0 end',
    'unpriced_value_usd_prev': 'case when ' ~ without_price ~ ' then v0 else 0 end',
    'unobserved_value_usd': "case when state = 'not_observed' then v1 else 0 end",
    'unobserved_value_usd_prev': "case when state = 'not_observed' then v0 else 0 end",
}) %}
{%- set good = 'year, basis, importer_code, hs6' %}

-- Read twice, once for the kept: DuckDB would keep the rows of a CTE that two others read.
with links as (
    select
        year,
        exporter_code,
        hs6,
        basis,
        is_baseline,
        value_usd_prev as v0,
        value_usd as v1,
        quantity,
        log_price_change_with_estimates as r_estimated,
        is_split_conversion,
        is_baci,
        state
    from {{ ref('int_price_links') }}
    where {{ in_build_year() }}
),

kept_links as (
    select
        year,
        exporter_code,
        importer_code,
        hs6,
        basis,
        value_usd_prev as v0,
        value_usd as v1,
        quantity_prev,
        quantity,
        log_price_change as r
    from {{ ref('int_price_links') }}
    where {{ in_build_year() }} and state = 'kept'
),

levels as (
    select * from {{ ref('int_price_levels') }} where {{ in_build_year() }}
),

-- Kept cells beside the other kept exporters of the same good to the same importer.
beside_others as (
    select
        *,
        count(*) over (partition by {{ good }}) > 1 as is_matched,
        {{ exact_window_sum('v0', good, less_own=true) }} as others_v0,
        {{ exact_window_sum('v1', good, less_own=true) }} as others_v1,
        {{ exact_window_sum('v0 * r', good, less_own=true) }} as others_v0_r,
        {{ exact_window_sum('v1 * r', good, less_own=true) }} as others_v1_r
    from kept_links
),

kept as (
    select
        *,
        0.5e0 * (others_v0_r / nullif(others_v0, 0) + others_v1_r / nullif(others_v1, 0)) as others_r
    from beside_others
),

kept_sums as (
    select
        year,
        exporter_code,
        hs6,
        basis,
        count(*) as n_cells,
        sum(case when {{ trim2 }} then 1 else 0 end) as n_trim2,
        sum(case when is_matched then 1 else 0 end) as n_relative
        {%- for name, term in kept_sums.items() %},
        {{ exact_sum(term) }} as {{ name }}
        {%- endfor %}
    from kept
    group by year, exporter_code, hs6, basis
),

all_sums as (
    select
        year,
        exporter_code,
        hs6,
        basis,
        max(case when is_baseline then 1 else 0 end) = 1 as is_baseline,
        sum(case when state = 'trimmed' then 1 else 0 end) as n_trimmed,
        sum(case when r_estimated is not null then 1 else 0 end) as n_estimated,
        max(case when is_baci then 1 else 0 end) = 1 as is_baci
        {%- for name, term in (all_sums | items | list) + (total_sums | items | list) %},
        {{ exact_sum(term) }} as {{ name }}
        {%- endfor %}
    from links
    group by year, exporter_code, hs6, basis
),

by_basis as (
    select
        all_sums.*,
        kept_sums.n_cells,
        kept_sums.n_trim2,
        kept_sums.n_relative,
        {%- for name in kept_sums %}
        kept_sums.{{ name }},
        {%- endfor %}
        levels.level_value_usd,
        levels.level_gap
    from all_sums
    left join kept_sums
        on all_sums.year = kept_sums.year
        and all_sums.exporter_code = kept_sums.exporter_code
        and all_sums.hs6 = kept_sums.hs6
        and all_sums.basis = kept_sums.basis
    left join levels
        on all_sums.year = levels.year
        and all_sums.exporter_code = levels.exporter_code
        and all_sums.hs6 = levels.hs6
        and all_sums.basis = levels.basis
),

-- Every cell has one row in the basis of its good.
totals as (
    select * from all_sums where is_baseline
),

chosen as (
    select 'baseline' as product_basis, *
    from by_basis
    where is_baseline
    union all
    select basis as product_basis, *
    from by_basis
),

bases as (
    select 'baseline' as basis
    union all
    select 'kg' as basis
    union all
    select 'unit' as basis
)

select
    totals.year,
    totals.exporter_code,
    totals.hs6,
    bases.basis,
    totals.is_baci
    {%- for name in total_sums %},
    totals.{{ name }}
    {%- endfor %}
    {%- for name in ['n_cells', 'n_trimmed', 'n_trim2', 'n_relative', 'n_estimated'] %},
    cast(coalesce(chosen.{{ name }}, 0) as bigint) as {{ name }}
    {%- endfor %}
    {%- for name in (all_sums | list) + (kept_sums | list) + ['level_value_usd', 'level_gap'] %},
    coalesce(chosen.{{ name }}, 0) as {{ name }}
    {%- endfor %}
from totals
cross join bases
left join chosen
    on totals.year = chosen.year
    and totals.exporter_code = chosen.exporter_code
    and totals.hs6 = chosen.hs6
    and bases.basis = chosen.product_basis
