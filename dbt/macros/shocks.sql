{#- What the shock marts share (measures-chains section 4). -#}

{#- The part of its goods that an exporter no longer delivers. -#}
{% macro shock_cut() -%}
    cast({{ var('shock_cut') }} as double)
{%- endmacro %}

{#- What the other exporters of a good can deliver in addition, as a part of what they export. -#}
{% macro spare_capacity() -%}
    cast({{ var('spare_capacity') }} as double)
{%- endmacro %}

{#- SQL condition: is the exporter one of those that are taken out good by good? -#}
{% macro is_shock_exporter(exporter_code) -%}
    {{ exporter_code }} in ({{ var('shock_exporters') | join(', ') }})
{%- endmacro %}
