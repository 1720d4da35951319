{#- The code with the largest value; of several with that value, the lowest code. -#}
{% macro code_of_largest(code, value) -%}
    {{ return(adapter.dispatch('code_of_largest', 'chokepoint')(code, value)) }}
{%- endmacro %}

{% macro default__code_of_largest(code, value) -%}
    max_by({{ code }}, struct({{ value }}, -{{ code }}))
{%- endmacro %}

{% macro duckdb__code_of_largest(code, value) -%}
    arg_max({{ code }}, row({{ value }}, -{{ code }}))
{%- endmacro %}
