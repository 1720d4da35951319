{{ config(materialized='table') }}

{#- Index, the column that says whether the year has a link, and the columns that come of it. #}
{%- set priced = {} %}
{%- do priced.update({'main': 'fisher', 'trim2': 'tornqvist_trim2', 'relative': 'relative'}) %}
{%- set product = 'exporter_code, product_level, product_code, basis' %}

with links as (
    select * from {{ ref('int_price_index') }}
),

-- Years without a gap between them have the same difference of year and place.
runs as (
    select
        year,
        {{ product }},
        fisher,
        tornqvist,
        tornqvist_trim2,
        relative,
        lead(year) over (partition by {{ product }} order by year nulls last) = year + 1 as has_next
        {%- for run, index in priced.items() %},
        case
            when {{ index }} is not null then year - row_number() over (
                partition by {{ product }}, {{ index }} is not null order by year nulls last
            )
        end as {{ run }}_run,
        lead({{ index }}) over (partition by {{ product }} order by year nulls last) is not null as {{ run }}_next
        {%- endfor %}
    from links
),

chained as (
    select
        year,
        {{ product }}
        {%- for run, index in priced.items() %},
        case
            when {{ index }} is not null
                then min(year) over (partition by {{ product }}, {{ run }}_run) - 1
            when has_next and {{ run }}_next then year
        end as {{ run }}_start
        {%- endfor %}
        {%- for index, run in {
            'fisher': 'main', 'tornqvist': 'main', 'tornqvist_trim2': 'trim2', 'relative': 'relative'
        }.items() %},
        {{ exact_window_sum('ln(' ~ index ~ ')', product ~ ', ' ~ run ~ '_run', bits=90, up_to='year') }}
            as log_{{ index }},
        {{ index }}
        {%- endfor %}
    from runs
)

select
    year,
    {{ product }},
    cast(main_start as integer) as chain_start_year,
    cast(relative_start as integer) as chain_relative_start_year
    {%- for index, run in {
        'fisher': 'main', 'tornqvist': 'main', 'tornqvist_trim2': 'trim2', 'relative': 'relative'
    }.items() %},
    case
        when {{ index }} is not null then exp(log_{{ index }})
        when {{ run }}_start is not null then cast(1 as double)
    end as chain_{{ index }}
    {%- endfor %}
from chained
where main_start is not null or trim2_start is not null or relative_start is not null
