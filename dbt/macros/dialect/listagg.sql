{#-
  dbt.listagg() where dbt's adapter has none that keeps an order: dbt_project.yml lets dbt look here first. There is no
  default version here, which would take the place of the other adapters' own.
-#}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- if limit_num -%}
        {%- do exceptions.raise_compiler_error(
            "listagg: found limit_num " ~ limit_num ~ "; expected none. Spark cannot cut a list: limit the rows before."
        ) -%}
    {%- endif -%}
    listagg({{ measure }}, {{ delimiter_text }}){% if order_by_clause %} within group ({{ order_by_clause }}){% endif %}
{%- endmacro %}
