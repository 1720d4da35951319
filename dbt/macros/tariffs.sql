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
