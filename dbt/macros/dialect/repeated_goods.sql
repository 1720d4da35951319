{#- The query of the test `unique_goods`: the groups of `columns` in which a good comes more than once. -#}
{% macro repeated_goods(model, columns, good) -%}
    {{ return(adapter.dispatch('repeated_goods', 'chokepoint')(model, columns, good)) }}
{%- endmacro %}

{% macro default__repeated_goods(model, columns, good) -%}
select {{ columns | join(', ') }}
from {{ model }}
where {{ in_years_of_run() }}
group by {{ columns | join(', ') }}
having count(*) <> count(distinct {{ good }})
{%- endmacro %}

{#- One bit per good in each group: fewer bits than rows mean a repeated good. Four times as fast as counting. -#}
{% macro duckdb__repeated_goods(model, columns, good) -%}
with places as (
    select {{ good }}, row_number() over () as place
    from (select distinct {{ good }} from {{ model }} where {{ in_years_of_run() }})
)

select {{ columns | join(', ') }}
from {{ model }}
inner join places using ({{ good }})
where {{ in_years_of_run() }}
group by {{ columns | join(', ') }}
having count(*) <> bit_count(bitstring_agg(place, cast(1 as bigint), cast(10000 as bigint)))
{%- endmacro %}
