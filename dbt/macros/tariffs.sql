{#- What the models of the Section 301 action share. -#}

{#- Its two countries, by Comtrade's numeric code. -#}
{% macro united_states() -%}842{%- endmacro %}

{% macro china() -%}156{%- endmacro %}

{#- How many requests of int_exclusion_requests were filed, granted and denied. A partial grant is a grant. -#}
{% macro decision_counts() -%}
    count(*) as requests,
    count(case when is_granted then 1 end) as granted,
    count(case when status = 'denied' then 1 end) as denied
{%- endmacro %}

{#- Granted requests among the decided ones, 0..1; null where none was decided. From a CTE with the counts above. -#}
{% macro approval_share(table='') -%}
    {%- set of = table ~ '.' if table else '' -%}
    cast({{ of }}granted as double) / nullif({{ of }}granted + {{ of }}denied, 0)
{%- endmacro %}

{#-
  A query of codes of HS 2017, in which the tariff lines of the lists are, and the good of the base revision that they
  mostly became. A line or a request cannot be split by weights: it takes the target code with the largest weight.
-#}
{% macro heaviest_targets() -%}
    select from_code, hs6
    from (
        select
            from_code,
            hs6,
            row_number() over (
                partition by from_code order by {{ comparable('weight') }} desc nulls last, hs6 nulls last
            ) as place
        from {{ ref('stg_hs_conversion') }}
        where from_revision = 'H5'
    ) as ranked
    where place = 1
{%- endmacro %}

{#-
  What exclusions would be worth with another approval share: their value times the ratio of the two shares, and no more
  than the duty. It is the value itself where the shares are the same; null where nothing was granted.
-#}
{% macro scenario_value(value, duty) -%}
    least(
        {{ duty }}, {{ value }} * (scenario.scenario_approval_share / nullif(scenario.approval_share, 0))
    )
{%- endmacro %}

{#- A query of the United States' final consumption by year (CHOKEPOINT_US_CONSUMPTION); without one, of a null. -#}
{% macro us_consumption() -%}
    {%- for year, usd in var('us_consumption') %}
    select cast({{ year }} as integer) as year, cast({{ usd }} as double) as final_consumption_usd
    {%- if not loop.last %} union all {%- endif %}
    {%- else %}
    select cast(null as integer) as year, cast(null as double) as final_consumption_usd
    {%- endfor %}
{%- endmacro %}
