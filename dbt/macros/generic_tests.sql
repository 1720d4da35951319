{#- Generic tests of our own, over the years of the run; with `following`, over the years after them too. -#}

{#- No two rows share the values of `columns`, of which one is the year. -#}
{% test unique_key(model, columns, following=false) %}
{%- set query -%}
select {{ columns | join(', ') }}, count(*) as n
from {{ model }}
where {{ in_build_year() }}
group by {{ columns | join(', ') }}
having count(*) > 1
{%- endset -%}
{{ year_by_year(model, query, following) }}
{% endtest %}

{#- None of `columns` is null. For views, which cannot have a not_null constraint. -#}
{% test no_nulls(model, columns) %}
select *
from {{ model }}
where {{ in_years_of_run() }}
    and ({% for column in columns %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %})
{% endtest %}

{#- `condition` is true for every row; null counts as a failure. -#}
{% test holds(model, condition, following=false) %}
select *
from {{ model }}
where {{ in_years_of_run(following) }}
    and not coalesce({{ condition }}, false)
{% endtest %}

{#- No two rows share the values of `columns` and the good: `unique_key` for tables of ten million rows a year. -#}
{% test unique_goods(model, columns, good) %}
{{ year_by_year(model, repeated_goods(model, columns, good)) }}
{% endtest %}
