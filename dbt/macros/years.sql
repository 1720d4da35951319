{#-
  Which years a run recomputes. What belongs here: the reading of `var('years')` and the predicates made from it.
-#}

{#- The years this run recomputes, sorted. Asking for a year that is not landed is an error: it would empty that year. -#}
{% macro years_of_run() -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set landed = run_query(
        'select distinct year from ' ~ source('landing', 'trade_reporters') ~ ' order by year'
    ).columns[0].values() | map('int') | list -%}
    {%- set asked = var('years') | map('int') | unique | sort | list -%}
    {%- for year in asked if year not in landed -%}
        {%- do exceptions.raise_compiler_error(
            "dbt var years: found " ~ year ~ "; expected years that are landed: " ~ landed
            ~ ". Land that year first, or leave it out."
        ) -%}
    {%- endfor -%}
    {{ return(asked or landed) }}
{%- endmacro %}

{#- True where the yearly tables are made anew instead of having single years replaced. -#}
{% macro is_full_run() -%}
    {{ return(flags.FULL_REFRESH or not var('years')) }}
{%- endmacro %}

{#-
  The filter every import CTE of a yearly model carries. The yearly materializations put one year after the other in its
  place; everywhere else (unit tests, `dbt show`) it reads as true, so the compiled SQL runs as it stands.
-#}
{% macro in_build_year() -%}
    year = year /* one year at a time */
{%- endmacro %}

{% macro with_build_year(sql, year) -%}
    {{ return(sql | replace('year = year /* one year at a time */', 'year = ' ~ year)) }}
{%- endmacro %}

{#- Limits a data test to the years of this run: the others were tested when they were computed. -#}
{% macro in_years_of_run() -%}
    {%- if is_full_run() -%}true{%- else -%}year in ({{ years_of_run() | join(', ') }}){%- endif -%}
{%- endmacro %}
