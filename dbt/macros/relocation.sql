{#-
  The class of a good by its BEC Rev.4 category (measures-chains section 5), never null. `other` is all else: passenger
  cars (51), motor spirit (321), goods n.e.s. (7), irregular categories, goods without one, and 999999.
-#}
{% macro bec_class(bec4) -%}
    case
        when {{ is_bec4_intermediate(bec4) }} then 'intermediate'
        when {{ bec4 }} in ('41', '521') then 'capital'
        when {{ bec4 }} in ('112', '122', '522', '61', '62', '63') then 'consumption'
        else 'other'
    end
{%- endmacro %}

{#- Comtrade's code of Hong Kong, through which goods pass that others use. -#}
{% macro hong_kong() -%}344{%- endmacro %}
