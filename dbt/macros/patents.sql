{#- What the patent models share. -#}

{#- Years after publication in which citations count for the core measures (measures section 10). -#}
{% macro citation_window_years() -%}5{%- endmacro %}

{#- Stands for applicants of unknown country: ISO 3166-1 leaves this code to its users and gives it to no country. -#}
{% macro unknown_country() -%}'ZZ'{%- endmacro %}
