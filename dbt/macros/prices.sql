{#- A learning rate is estimated from at least this many years. -#}
{% macro learning_years() -%}5{%- endmacro %}

{#- With fewer years than this, a learning rate is marked as one of a small sample. -#}
{% macro learning_years_of_a_sample() -%}10{%- endmacro %}

{#- Where the lower link coverage is below this, a price index is of poor quality and involution is not measured. -#}
{% macro least_link_coverage() -%}0.3{%- endmacro %}

{#- A number with six decimal places at most, as text: for what is printed beside a figure. -#}
{% macro six_places(expression) -%}
    cast(round(({{ expression }}) * 1e6) / 1e6 + 0 as string)
{%- endmacro %}
