{#-
  `yearly` for Python models: a table with a column `year`, computed one year at a time; a run replaces only the years
  that it computes. The model finds its year in `dbt.config.get("build_year")` and returns a relation of its session, so
  that all of it is one transaction here too (see dagster_project/python_models.py).
-#}
{% materialization yearly_python, adapter='duckdb', supported_languages=['python'] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set single = target.incorporate(path={'identifier': this.identifier ~ '__year'}) -%}
    {%- set years = years_of_run() -%}
    {%- set whole = is_full_run() or existing is none or not existing.is_table -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if whole and existing is not none -%}
        {%- call statement('drop') -%}
            drop {{ existing.type }} {{ existing }}
        {%- endcall -%}
    {%- else -%}
        {%- call statement('begin') -%}
            select 'the transaction begins'
        {%- endcall -%}
    {%- endif -%}
    {#- No year is 0: with none landed, the table is made with the model's columns and no row. -#}
    {%- for year in years or [0] -%}
        {%- call statement('year_' ~ year, language='python') -%}
            {{ create_table_as(False, single, with_build_year_of_python(compiled_code, year), 'python') }}
        {%- endcall -%}
        {%- set columns = adapter.get_columns_in_relation(single) -%}
        {%- set names = columns | map(attribute='quoted') | join(', ') -%}
        {%- if not whole -%}
            {%- do assert_same_columns(existing, columns) -%}
        {%- endif -%}
        {%- call statement('main' if loop.last else 'insert_' ~ year) -%}
            {% if not whole -%}
            delete from {{ target }} where year = {{ year }};
            {% elif loop.first -%}
            create table {{ target }} as select * from {{ single }} where false;
            {% endif -%}
            insert into {{ target }} ({{ names }}) select {{ names }} from {{ single }} where year = {{ year }};
            drop table {{ single }}
        {%- endcall -%}
    {%- endfor -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- dbt writes a model's configuration into its code as the dictionary `config_dict`. -#}
{% macro with_build_year_of_python(code, year) -%}
    {{ return(code ~ '\n\nconfig_dict["build_year"] = ' ~ year ~ '\n') }}
{%- endmacro %}
