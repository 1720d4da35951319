{#- A flow below this value is no trade but the dust of conversion weights, down to 1e-14: rule `ghost_flow`. -#}
{% macro ghost_flow_limit_usd() -%}0.01{%- endmacro %}
