{#-
  A table with a column `year`, computed one year at a time; a run replaces only the years that it computes. So memory
  is bounded by the largest year, however many there are, and the cost of a year does not depend on the others.
  Where a model also reads other years (its `meta` says which), the years that change with them are replaced too. All
  statements of a model are one transaction: a run that fails leaves the table as it was.
-#}
{% materialization yearly, default %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set years = years_of_run() -%}
    {%- set whole = is_full_run() or existing is none or not existing.is_table -%}
    {%- set columns = get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if whole -%}
        {%- if existing is not none -%}
            {%- do adapter.drop_relation(existing) -%}
        {%- endif -%}
        {%- call statement('create') -%}
            {{ create_table_as(False, target, 'select * from (' ~ sql ~ ') as model where false') }}
        {%- endcall -%}
    {%- else -%}
        {%- do assert_same_columns(existing, columns) -%}
    {%- endif -%}

    {%- call statement('main') -%}
        {% for year in years -%}
        {% if not whole -%}
        delete from {{ target }} where year = {{ year }};
        {% endif -%}
        insert into {{ target }} ({{ names }})
        select {{ names }} from (
            {{ with_build_year(sql, year) | replace(own_year_before(), own_rows(target, year - 1)) }}
        ) as model
        where year = {{ year }};
        {% else -%}
        select 'no year is landed';
        {% endfor -%}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Single years cannot be replaced in a table whose model has other columns by now. -#}
{% macro assert_same_columns(existing, columns) -%}
    {%- set found = adapter.get_columns_in_relation(existing) | map(attribute='name') | sort | list -%}
    {%- set expected = columns | map(attribute='name') | sort | list -%}
    {%- if found != expected -%}
        {%- do exceptions.raise_compiler_error(
            existing ~ ": found columns " ~ found ~ "; expected " ~ expected
            ~ ". The model changed since the table was built: run once for all years (--full-refresh)."
        ) -%}
    {%- endif -%}
{%- endmacro %}

{#- What a model that reads its own rows of another year (`own_year_before`) finds there. -#}
{% macro own_rows(relation, year) -%}
    {{ return('(select * from ' ~ relation ~ ' where year = ' ~ year ~ ')') }}
{%- endmacro %}
