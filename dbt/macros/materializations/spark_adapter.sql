{#- Where dbt's adapter for Spark expects another table format or a hosted cluster: in place of its macros. -#}

{#- Parquet tables take no constraints; data tests look for nulls. -#}
{% macro spark__persist_constraints(relation, model) %}
{% endmacro %}

{#- Python models run in the driver (dagster_project/spark.py), and their code ends by writing the table. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if language == 'python' -%}
{{ '\n' ~ compiled_code }}
from dagster_project.spark import write_model

write_model(spark, model(dbtObj(spark.table), spark), "{{ relation }}")
    {%- else -%}
    {{ dbt.spark__create_table_as(temporary, relation, compiled_code, language) }}
    {%- endif -%}
{%- endmacro %}

{#- All rows of a seed in one statement; the adapter's own takes null for the text None, and a quote for the end. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this.render() }} values
        {% for row in agate_table.rows -%}
        (
            {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set value = row[loop.index0] -%}
                {%- if value is none -%}
                    cast(null as {{ type }})
                {%- else -%}
                    cast('{{ value | string | replace("\\", "\\\\") | replace("'", "\\'") }}' as {{ type }})
                {%- endif -%}
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        ){% if not loop.last %},{% endif %}
        {% endfor -%}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}
