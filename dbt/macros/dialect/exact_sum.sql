{#-
  Sums of doubles that do not depend on the order of the rows. Threads deliver rows in any order, and the content hash
  of a release must not change with it. Each value becomes a whole number of units of 2^-bits (a power of two, so
  nothing is rounded unless the value is tiny), the whole numbers are added exactly, and the total is scaled back. The
  sum of one value is that value, bit for bit: a sole supplier's share is 1.0, not almost 1. On DuckDB this takes half
  the time of a sum of decimals.
  The total must stay below 2^(126 - bits): 4.6e18 for money (64), 7.3e19 for quantities (60), 6.7e7 for shares (100);
  an engine whose whole numbers end there raises.
-#}
{% macro exact_sum(expression, bits=64) -%}
    {{ return(adapter.dispatch('exact_sum', 'chokepoint')(expression, bits)) }}
{%- endmacro %}

{#-
  Spark has no whole numbers of 128 bits. Each value is cut into three limbs of 32 bits, the first of which may be
  longer; each limb is summed as a bigint. All steps but the last are exact, and under ANSI mode an overflow raises: of
  the total, or beyond 2^31 rows of a group.
-#}
{% macro default__exact_sum(expression, bits) -%}
    {%- set sums = [] -%}
    {%- for limb in limbs(expression, bits) -%}
        {%- do sums.append('sum(' ~ limb ~ ')') -%}
    {%- endfor -%}
    ({{ joined_limbs(sums) }} / pow(2, {{ bits }}))
{%- endmacro %}

{#- The limbs of a value in units of 2^-bits, the highest first. -#}
{% macro limbs(expression, bits) -%}
    {%- set units = '((' ~ expression ~ ') * pow(2, ' ~ bits ~ '))' -%}
    {%- set high = 'cast(' ~ units ~ ' / pow(2, 64) as bigint)' -%}
    {%- set rest = '(' ~ units ~ ' - ' ~ high ~ ' * pow(2, 64))' -%}
    {%- set middle = 'cast(' ~ rest ~ ' / pow(2, 32) as bigint)' -%}
    {%- set low = 'cast(rint(' ~ rest ~ ' - ' ~ middle ~ ' * pow(2, 32)) as bigint)' -%}
    {{ return([high, middle, low]) }}
{%- endmacro %}

{#-
  Sums of limbs as one double, bit for bit as DuckDB makes it of a whole number: it rounds the upper half, the lower one
  (64 bits, never negative) and then their sum; where the upper half is -1, the number without its sign, less 1. What a
  limb has beyond 32 bits is carried to the next, as a negative number too. The array holds the sums once: Spark would
  compute a window again wherever it is named. Decimals would take three times as long or more.
-#}
{% macro joined_limbs(sums) -%}
    {%- set middle = '(limb.middle + shiftright(limb.low, 32))' -%}
    {%- set upper = '(limb.high + shiftright(' ~ middle ~ ', 32))' -%}
    {%- set lower_bits = ['(' ~ middle ~ ' & 4294967295)', '(limb.low & 4294967295)'] -%}
    transform(
        array(struct({{ sums[0] }} as high, {{ sums[1] }} as middle, {{ sums[2] }} as low)),
        limb -> case
            when {{ upper }} = -1
                then -((4294967295 - {{ lower_bits[0] }}) * pow(2, 32) + (4294967295 - {{ lower_bits[1] }})) - 1
            else {{ upper }} * pow(2, 64) + ({{ lower_bits[0] }} * pow(2, 32) + {{ lower_bits[1] }})
        end
    )[0]
{%- endmacro %}

{% macro duckdb__exact_sum(expression, bits) -%}
    (cast(sum(cast(({{ expression }}) * pow(2, {{ bits }}) as hugeint)) as double) / pow(2, {{ bits }}))
{%- endmacro %}

{#- Sum of squares over many orders of magnitude: whole parts and fractions are summed apart, both exactly. -#}
{% macro exact_sum_of_squares(expression) -%}
    {{ return(adapter.dispatch('exact_sum_of_squares', 'chokepoint')(expression)) }}
{%- endmacro %}

{#- Spark's floor() gives a bigint, which ends at 9.2e18; the remainder of a division by 1 is exact at any size. -#}
{% macro default__exact_sum_of_squares(expression) -%}
    {%- set square = '(' ~ expression ~ ') * (' ~ expression ~ ')' -%}
    {%- set fraction = '(' ~ square ~ ') % 1' -%}
    ({{ exact_sum(square ~ ' - ' ~ fraction, bits=0) }} + {{ exact_sum(fraction, bits=100) }})
{%- endmacro %}

{% macro duckdb__exact_sum_of_squares(expression) -%}
    {%- set square = '(' ~ expression ~ ') * (' ~ expression ~ ')' -%}
    ({{ exact_sum('trunc(' ~ square ~ ')', bits=0) }} + {{ exact_sum(square ~ ' - trunc(' ~ square ~ ')', bits=100) }})
{%- endmacro %}

{#-
  exact_sum() over the rows that share the columns `groups`. With `less_own`, the row's own value is taken off before
  the sum becomes a double, so that a small rest beside a large value keeps all its digits. With `up_to`, a column, it
  is the sum of the rows up to this one.
-#}
{% macro exact_window_sum(expression, groups, bits=64, less_own=false, up_to=none) -%}
    {%- set window -%}
    partition by {{ groups }}{% if up_to %} order by {{ up_to }} nulls last{% endif %}
    {%- endset -%}
    {{ return(adapter.dispatch('exact_window_sum', 'chokepoint')(expression, window, bits, less_own)) }}
{%- endmacro %}

{#- A double becomes a decimal by way of its shortest text, which is not exact: so limbs here too. -#}
{% macro default__exact_window_sum(expression, window, bits, less_own) -%}
    {%- set sums = [] -%}
    {%- for limb in limbs(expression, bits) -%}
        {%- do sums.append('(sum(' ~ limb ~ ') over (' ~ window ~ ')' ~ (' - ' ~ limb if less_own else '') ~ ')') -%}
    {%- endfor -%}
    ({{ joined_limbs(sums) }} / pow(2, {{ bits }}))
{%- endmacro %}

{% macro duckdb__exact_window_sum(expression, window, bits, less_own) -%}
    {%- set units = 'cast((' ~ expression ~ ') * pow(2, ' ~ bits ~ ') as hugeint)' -%}
    (cast(
        sum({{ units }}) over ({{ window }}){% if less_own %} - {{ units }}{% endif %} as double
    ) / pow(2, {{ bits }}))
{%- endmacro %}
