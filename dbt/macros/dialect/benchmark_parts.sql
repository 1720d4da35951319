{#-
  Rows (benchmark_id, year, numerator, denominator, computed_text) from a CTE with one row per year: one row per year
  and formula. A formula is (benchmark_id, numerator, denominator), the last two as SQL over the CTE's columns.
-#}
{% macro benchmark_parts(relation, formulas) -%}
    {{ return(adapter.dispatch('benchmark_parts', 'chokepoint')(relation, formulas)) }}
{%- endmacro %}

{% macro default__benchmark_parts(relation, formulas) -%}
    {%- for benchmark_id, numerator, denominator in formulas %}
    select
        '{{ benchmark_id }}' as benchmark_id,
        year,
        {{ numerator }} as numerator,
        {{ denominator }} as denominator,
        cast(null as string) as computed_text
    from {{ relation }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor -%}
{%- endmacro %}

{#- Spark computes a CTE anew wherever it is named: one row becomes many in one pass. -#}
{% macro spark__benchmark_parts(relation, formulas) -%}
    select inline(array(
        {%- for benchmark_id, numerator, denominator in formulas %}
        struct(
            '{{ benchmark_id }}' as benchmark_id,
            year as year,
            cast({{ numerator }} as double) as numerator,
            cast({{ denominator }} as double) as denominator,
            cast(null as string) as computed_text
        ){% if not loop.last %},{% endif %}
        {%- endfor %}
    ))
    from {{ relation }}
{%- endmacro %}
