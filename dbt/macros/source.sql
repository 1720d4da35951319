{#-
  dbt's own source(), with the landing folder of this run in the place of `<landing>`. The folder is named while a node
  runs and never while the project is parsed, so that one parse serves every data directory.
-#}
{% macro source(source_name, table_name) -%}
    {%- set relation = builtins.source(source_name, table_name) -%}
    {%- if execute and relation.external is defined and relation.external -%}
        {%- set relation = relation.replace(
            external=relation.external | replace('<landing>', env_var('CHOKEPOINT_LANDING_FILES'))
        ) -%}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
