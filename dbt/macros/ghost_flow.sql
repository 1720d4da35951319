{#- Flows below this value are not trade but remainders of the conversion weights, down to 1e-14: rule `ghost_flow`. -#}
{% macro ghost_flow_limit_usd() -%}0.01{%- endmacro %}
