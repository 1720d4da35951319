{#- The same calendar day `years` later; 29 February becomes 28 February where the later year has none. -#}
{% macro add_years(date, years) -%}
    {{ return(adapter.dispatch('add_years', 'chokepoint')(date, years)) }}
{%- endmacro %}

{% macro default__add_years(date, years) -%}
    add_months({{ date }}, {{ 12 * (years | int) }})
{%- endmacro %}

{% macro duckdb__add_years(date, years) -%}
    cast({{ date }} + to_years({{ years }}) as date)
{%- endmacro %}
