{#-
  Which goods are in scope (measures section 2), as BEC codes. One scope holds for the whole run (var `product_scope`).
  Mixed BEC Rev.5 end uses (CONS/INT …) are out of scope: a good that is partly consumed is not an intermediate good.
-#}
{% macro product_scopes() -%}
    {%- set bec4_intermediate = ['111', '121', '21', '22', '31', '322', '42', '53'] -%}
    {{ return({
        'bec4_intermediate': {'column': 'bec4', 'codes': bec4_intermediate},
        'bec4_intermediate_capital': {'column': 'bec4', 'codes': bec4_intermediate + ['41', '521']},
        'bec5_intermediate': {'column': 'bec5', 'codes': ['INT']},
        'all': none,
    }) }}
{%- endmacro %}

{#- SQL expression: is the BEC Rev.4 category one of intermediate goods, whatever scope is chosen? -#}
{% macro is_bec4_intermediate(bec4) -%}
    {{ bec4 }} in ('{{ product_scopes()['bec4_intermediate']['codes'] | join("', '") }}')
{%- endmacro %}

{#- SQL expression, never null: is the good in scope? 999999 (commodities not specified) never is. -#}
{% macro is_in_scope(hs6) -%}
    {%- set scopes = product_scopes() -%}
    {%- set name = var('product_scope') -%}
    {%- if name not in scopes -%}
        {%- do exceptions.raise_compiler_error(
            "dbt var product_scope: found '" ~ name ~ "'; expected one of " ~ (scopes | join(', ')) ~ "."
        ) -%}
    {%- endif -%}
    {%- set scope = scopes[name] -%}
    ({{ hs6 }} <> '999999'
    {%- if scope is not none %} and coalesce({{ scope.column }} in ('{{ scope.codes | join("', '") }}'), false)
    {%- endif %})
{%- endmacro %}
