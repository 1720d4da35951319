{#- What the patent models share. -#}

{#- Years after publication during which a citation counts for the core measures, measures section 10. -#}
{% macro citation_window_years() -%}5{%- endmacro %}

{#- Stands for applicants whose country is unknown: user-assigned in ISO 3166-1, no country ever gets it. -#}
{% macro unknown_country() -%}'ZZ'{%- endmacro %}
