{% for exporter, importer in var('relocation_pairs') %}
select
    cast({{ exporter }} as integer) as exporter_code,
    cast({{ importer }} as integer) as importer_code
{% if not loop.last %}union all{% endif %}
{%- endfor %}
