{#-
  The European Union as one economy beside its members: its code, and what tells the two apart. Its members are those of
  today in every year (`is_eu27` of the mart countries), so that years can be compared.
-#}

{#- Comtrade's code of the European Union. It reports under it too; those reports are no flows (measures section 1). -#}
{% macro european_union() -%}97{%- endmacro %}

{#- 'union' or 'country': who adds up or counts economies takes one kind only, or has the members twice. -#}
{% macro economy_kind(code) -%}
    case when {{ code }} = {{ european_union() }} then 'union' else 'country' end
{%- endmacro %}
