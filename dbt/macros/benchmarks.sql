{#- What the benchmark models share: when inputs suffice for a published figure, and how a dataset that is off is read. -#}

{#- Trade of a year counts as all countries' HS6 trade from this many importers that report and goods that are traded on:
    BACI and Comtrade hold some 200 and 5,000; a selection of countries or goods falls far short of one of them. -#}
{% macro all_countries_min_importers() -%}100{%- endmacro %}

{% macro all_countries_min_goods() -%}4500{%- endmacro %}

{#- PCT publications of a filing year count as all from this number on: some 180,000 were filed in 2011 and 250,000 in 2018, of
    which patents granted in the United States show a third. -#}
{% macro all_publications_min() -%}100000{%- endmacro %}

{#- China's exports of a year by partner count as complete from this number of destinations on (and all goods, as above). -#}
{% macro all_destinations_min() -%}100{%- endmacro %}

{#- BEC Rev.4 intermediate goods that are manufactured: without primary food (111), industrial supplies (21) and fuels (31). -#}
{% macro manufactured_intermediates() -%}('121', '22', '322', '42', '53'){%- endmacro %}

{#-
  The rows of a model that may be absent, because its dataset is off: none then, with the columns of its contract. The caller writes
  the ref, so that lineage holds whatever is on. A unit test's fixture stands in for a relation and is always there.
-#}
{% macro if_built(relation) -%}
    {%- if not execute or relation.is_cte or load_relation(relation) is not none -%}
    select * from {{ relation }}
    {%- else -%}
    {%- set model = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', relation.identifier) | first -%}
    select {% for column in model.columns.values() -%}
        cast(null as {{ column.data_type }}) as {{ column.name }}{% if not loop.last %}, {% endif %}
    {%- endfor %} limit 0
    {%- endif -%}
{%- endmacro %}

{#-
  Rows (benchmark_id, year, numerator, denominator, computed_text) out of a CTE that has one row a year, one set per formula
  (benchmark_id, numerator, denominator).
-#}
{% macro benchmark_parts(relation, formulas) -%}
    {%- for benchmark_id, numerator, denominator in formulas %}
    select
        '{{ benchmark_id }}' as benchmark_id,
        year,
        {{ numerator }} as numerator,
        {{ denominator }} as denominator,
        cast(null as varchar) as computed_text
    from {{ relation }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor -%}
{%- endmacro %}
