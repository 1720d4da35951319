{#-
  `yearly_python` on Spark: the model writes each year to a table of its own, from which that year's partition is
  overwritten. As in `yearly_spark`, the partition is named, so that a year without rows is emptied.
-#}
{% materialization yearly_python, adapter='spark', supported_languages=['python'] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set single = target.incorporate(path={'identifier': this.identifier ~ '__year'}) -%}
    {%- set years = years_of_run() -%}
    {%- set whole = is_full_run() or existing is none or not existing.is_table -%}

    {{ run_hooks(pre_hooks) }}

    {%- if whole and existing is not none -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {#- No year is 0: with none landed, the table is made with the model's columns and no row. -#}
    {%- for year in years or [0] -%}
        {%- call statement('year_' ~ year, language='python') -%}
            {{ create_table_as(False, single, with_build_year_of_python(compiled_code, year), 'python') }}
        {%- endcall -%}
        {%- set columns = adapter.get_columns_in_relation(single) -%}
        {%- set names = columns | map(attribute='name') | reject('equalto', 'year') | join(', ') -%}
        {%- if not whole -%}
            {%- do assert_same_columns(existing, columns) -%}
        {%- elif loop.first -%}
            {%- call statement('create') -%}
                create table {{ target }} using parquet partitioned by (year) as
                select {{ names }}, year from {{ single }} where false
            {%- endcall -%}
        {%- endif -%}
        {%- call statement('main') -%}
            insert overwrite table {{ target }} partition (year = {{ year }})
            select {{ names }} from {{ single }} where year = {{ year }}
        {%- endcall -%}
        {%- call statement('drop') -%}
            drop table {{ single }}
        {%- endcall -%}
    {%- endfor -%}

    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
