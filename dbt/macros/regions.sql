{#- The region of a country that has none in the seed country_regions: a row of its own, so that shares sum to 1. -#}
{% macro no_region() -%}no region{%- endmacro %}
