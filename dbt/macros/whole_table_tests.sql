{#- Generic tests of tables without years: always over the whole table, whichever years the run computes. -#}

{#- No two rows share the values of `columns`. -#}
{% test unique_in_whole(model, columns) %}
select {{ columns | join(', ') }}, count(*) as n
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{#- `condition` is true for every row; null counts as a failure. -#}
{% test holds_in_whole(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}
