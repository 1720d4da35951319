{#- What import_suppliers is cut at. -#}

{#- The largest suppliers of a good that have a row of their own. -#}
{% macro suppliers_named() -%}10{%- endmacro %}

{#- Stands in the place of a supplier's code for all suppliers without a row of their own. -#}
{% macro other_suppliers() -%}0{%- endmacro %}
