{#- The two countries of the Section 301 action, by Comtrade's numeric code. -#}
{% macro united_states() -%}842{%- endmacro %}

{% macro china() -%}156{%- endmacro %}
