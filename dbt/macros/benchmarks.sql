{#-
  What the benchmark models share: how much of an input must be loaded before a published figure is computed from it,
  and how the marts of a dataset that is off are read.
-#}

{#-
  The trade of a year counts as complete if at least this many importers report and at least this many goods are traded.
  BACI and Comtrade hold about 200 importers and 5,000 goods; a selection of countries or goods holds far fewer.
-#}
{% macro all_countries_min_importers() -%}100{%- endmacro %}

{% macro all_countries_min_goods() -%}4500{%- endmacro %}

{#-
  The PCT publications of a filing year count as complete from this number on. About 180,000 were filed in 2011 and
  250,000 in 2018; patents granted in the United States cover a third of them.
-#}
{% macro all_publications_min() -%}100000{%- endmacro %}

{#- China's exports of a year count as complete from this number of destinations on, and the goods above. -#}
{% macro all_destinations_min() -%}100{%- endmacro %}

{#- The votes of a session count as complete from this number of states with a point on; there are 193 members. -#}
{% macro states_with_points_min() -%}100{%- endmacro %}

{#- A panel of input-output tables has at least this many years of one edition. -#}
{% macro io_panel_min_years() -%}10{%- endmacro %}

{#- A change of embodied carbon is seen over at least this many years of one edition with emission intensities. -#}
{% macro io_emissions_min_years() -%}5{%- endmacro %}

{#- An input-output table is one of the world from this number of countries on: textbooks have three. -#}
{% macro io_table_min_countries() -%}20{%- endmacro %}

{#- Manufactured intermediate goods, BEC Rev.4: no primary food (111), industrial supplies (21), fuels (31). -#}
{% macro manufactured_intermediates() -%}('121', '22', '322', '42', '53'){%- endmacro %}

{#- Whether high_centrality_pooled is of 2017 and 2018, as in the chapter: a setting may name other years. -#}
{% macro pools_the_chapters_years() -%}
    {{ 'true' if var('centrality_years') | unique | sort | list == [2017, 2018] else 'false' }}
{%- endmacro %}

{#-
  All rows of a model whose dataset may be off. A model that was not built gives no row, with the columns of its
  contract. The caller writes the ref(), so that the lineage is the same whatever is on. In a unit test the relation is
  a fixture, which is always there.
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
