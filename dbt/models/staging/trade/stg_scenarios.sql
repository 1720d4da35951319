with own as (
    select * from {{ ref('scenarios') }}
)

{% for row in var('scenarios') %}
select
    '{{ row.scenario_id }}' as scenario_id,
    '{{ row.title | replace("'", "''") }}' as title,
    '{{ row.exporter }}' as exporter_iso3,
    '{{ row.goods }}' as goods,
    cast({{ row.cut }} as double) as cut,
    cast({{ row.spare_capacity }} as double) as spare_capacity,
    '{{ row.file | replace("'", "''") }}' as file_name,
    cast({{ row.row }} as integer) as file_row
{% if not loop.last %}union all{% endif %}
{%- else %}
select
    scenario_id,
    title,
    exporter as exporter_iso3,
    goods,
    cut,
    spare_capacity,
    'scenarios.csv' as file_name,
    cast(null as integer) as file_row
from own
{%- endfor %}
