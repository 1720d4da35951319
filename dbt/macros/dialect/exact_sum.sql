{#-
  Sums of doubles that do not depend on the order of the rows. Threads deliver rows in any order, and the content hash
  of a release must not change with it. DuckDB: each value becomes a whole number of units of 2^-bits (a power of two,
  so nothing is rounded unless the value is tiny), the whole numbers are added exactly, and the total is scaled back.
  The sum of one value is that value, bit for bit: a sole supplier's share is 1.0, not almost 1. This takes half the
  time of a sum of decimals. Elsewhere it is a plain sum.
  The total must stay below 2^(127 - bits): 9.2e18 for money (64), 1.5e20 for quantities (60), 1.3e8 for shares (100);
  beyond it DuckDB raises.
-#}
{% macro exact_sum(expression, bits=64) -%}
    {{ return(adapter.dispatch('exact_sum', 'chokepoint')(expression, bits)) }}
{%- endmacro %}

{% macro default__exact_sum(expression, bits) -%}
    sum({{ expression }})
{%- endmacro %}

{% macro duckdb__exact_sum(expression, bits) -%}
    (cast(sum(cast(({{ expression }}) * pow(2, {{ bits }}) as hugeint)) as double) / pow(2, {{ bits }}))
{%- endmacro %}

{#- Sum of squares over many orders of magnitude: whole parts and fractions are summed apart, both exactly. -#}
{% macro exact_sum_of_squares(expression) -%}
    {{ return(adapter.dispatch('exact_sum_of_squares', 'chokepoint')(expression)) }}
{%- endmacro %}

{% macro default__exact_sum_of_squares(expression) -%}
    sum(({{ expression }}) * ({{ expression }}))
{%- endmacro %}

{% macro duckdb__exact_sum_of_squares(expression) -%}
    {%- set square = '(' ~ expression ~ ') * (' ~ expression ~ ')' -%}
    ({{ exact_sum('trunc(' ~ square ~ ')', bits=0) }} + {{ exact_sum(square ~ ' - trunc(' ~ square ~ ')', bits=100) }})
{%- endmacro %}
