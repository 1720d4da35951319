{#-
  A computed number as ranks, quantiles, thresholds and flags compare it (measures section 5, ties). Two goods with
  equal shares, such as those split from one source code, can differ in the last bit of a double, and must not be told
  apart by it. A quantile is taken over such numbers and is not rounded itself: rounded down, it could fall to the
  number below it. The marts carry the number as computed.
  Not round(x, 12): DuckDB and Spark compute it in two ways, and 1.005 in cents is 1.0 on one and 1.01 on the other. To
  a whole number both round alike.
-#}
{% macro comparable(expression) -%}
    (round(({{ expression }}) * 1e12) / 1e12)
{%- endmacro %}

{#- The same for money in USD, which is compared in cents. -#}
{% macro comparable_usd(expression) -%}
    (round(({{ expression }}) * 1e2) / 1e2)
{%- endmacro %}
