{#-
  Schemas are named as the layers are (staging, intermediate, marts), without dbt's prefix of the target schema. A
  catalog that others use too may ask for another prefix (CHOKEPOINT_SPARK_SCHEMA).
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('CHOKEPOINT_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
