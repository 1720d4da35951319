{#- Generic tests of tables without years: always over the whole table, whichever years the run computes. -#}

{#- No two rows share the values of `columns`, whose names may be words of SQL's own. -#}
{% test unique_in_whole(model, columns) %}
select {{ quoted(columns) }}, count(*) as n
from {{ model }}
group by {{ quoted(columns) }}
having count(*) > 1
{% endtest %}

{#- `condition` is true for every row; null counts as a failure. -#}
{% test holds_in_whole(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}

{% macro quoted(columns) -%}
    {%- for column in columns -%}
        {{ adapter.quote(column) }}{% if not loop.last %}, {% endif %}
    {%- endfor -%}
{%- endmacro %}
