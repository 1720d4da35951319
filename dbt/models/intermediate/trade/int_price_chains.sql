{#- Index, and the run of years over which it is chained: years without a gap in which the run's own index is there. #}
{%- set runs = {} %}
{%- do runs.update({'main': 'fisher', 'trim2': 'tornqvist_trim2', 'relative': 'relative'}) %}
{%- set chained = {} %}
{%- do chained.update({
    'fisher': 'main', 'tornqvist': 'main', 'tornqvist_trim2': 'trim2', 'relative': 'relative'
}) %}
{%- set product = ['exporter_code', 'product_level', 'product_code', 'basis'] %}

with links as (
    select * from {{ ref('int_price_index') }} where {{ in_build_year() }}
),

links_after as (
    select * from {{ ref('int_price_index') }} where {{ in_year_after() }}
),

chains_before as (
    select * from {{ own_year_before() }} as own_rows
),

-- A chain of the year before, at its start or after a link, goes on with a link of this year.
beside_others as (
    select
        links.year,
        {%- for column in product %}
        links.{{ column }},
        {%- endfor %}
        chains_before.chain_start_year as main_start_before,
        chains_before.chain_relative_start_year as relative_start_before
        {%- for run, index in runs.items() %},
        links_after.{{ index }} is not null as {{ run }}_next
        {%- endfor %}
        {%- for index in chained %},
        links.{{ index }},
        chains_before.chain_{{ index }} as {{ index }}_before
        {%- endfor %}
    from links
    left join links_after
        on links.year + 1 = links_after.year
        {%- for column in product %}
        and links.{{ column }} = links_after.{{ column }}
        {%- endfor %}
    left join chains_before
        on links.year - 1 = chains_before.year
        {%- for column in product %}
        and links.{{ column }} = chains_before.{{ column }}
        {%- endfor %}
)

select
    year,
    {{ product | join(', ') }}
    {%- for run, column in {'main': 'chain_start_year', 'relative': 'chain_relative_start_year'}.items() %},
    case
        when {{ runs[run] }} is not null then coalesce({{ run }}_start_before, year - 1)
        when {{ run }}_next then year
    end as {{ column }}
    {%- endfor %}
    {%- for index, run in chained.items() %},
    case
        when {{ index }} is not null then coalesce({{ index }}_before, 1) * {{ index }}
        when {{ runs[run] }} is null and {{ run }}_next then cast(1 as double)
    end as chain_{{ index }}
    {%- endfor %}
from beside_others
where false
    {%- for run, index in runs.items() %}
    or {{ index }} is not null or {{ run }}_next
    {%- endfor %}
