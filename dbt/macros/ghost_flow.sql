{#- Flows below a cent are not trade but remainders of the conversion weights, down to 1e-14: rule `ghost_flow`. -#}
{% macro is_ghost_flow(value_usd) -%}
    {{ comparable(value_usd) }} < 0.01
{%- endmacro %}
