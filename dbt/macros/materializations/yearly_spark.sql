{#-
  `yearly` on Spark: one partition per year. All years are one statement, which Spark spreads over its workers; single
  years are one statement each. The partition is named in it, so that a year without rows is emptied: with partitions
  found in the rows, Spark would leave the old one. REBALANCE writes few files of even size.
-#}
{% materialization yearly, adapter='spark' %}
    {{ return(partitions_by_year()) }}
{% endmaterialization %}

{#- The same: on Spark a table by year is files by year already. -#}
{% materialization yearly_files, adapter='spark' %}
    {{ return(partitions_by_year()) }}
{% endmaterialization %}

{% macro partitions_by_year() %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set years = years_of_run() -%}
    {%- set whole = is_full_run() or existing is none or not existing.is_table -%}
    {%- set columns = get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
    {%- set names = columns | map(attribute='name') | reject('equalto', 'year') | join(', ') -%}

    {{ run_hooks(pre_hooks) }}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}

    {%- if whole -%}
        {%- if existing is not none -%}
            {%- do adapter.drop_relation(existing) -%}
        {%- endif -%}
        {%- call statement('create') -%}
            create table {{ target }} (
                {%- for column in columns -%}
                    {{ column.name }} {{ column.dtype }}{% if not loop.last %}, {% endif %}
                {%- endfor -%}
            ) using parquet partitioned by (year)
        {%- endcall -%}
    {%- else -%}
        {%- do assert_same_columns(existing, columns) -%}
    {%- endif -%}

    {%- if own_year_before() in sql -%}
        {{ partitions_from_own_years(target, names, years) }}
    {%- elif whole -%}
        {%- call statement('main') -%}
            insert overwrite table {{ target }} partition (year)
            select /*+ REBALANCE(year) */ {{ names }}, year from (
                {{ sql }}
            ) as model
            where year in ({{ years | join(', ') or 'null' }})
        {%- endcall -%}
    {%- else -%}
        {%- for year in years -%}
            {%- call statement('main') -%}
                insert overwrite table {{ target }} partition (year = {{ year }})
                select /*+ REBALANCE */ {{ names }} from (
                    {{ with_build_year(sql, year) }}
                ) as model
                where year = {{ year }}
            {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#-
  One year after the other, for a model that reads its own rows of the year before: Spark overwrites no table that the
  same statement reads, so each year is written to a table of its own first.
-#}
{% macro partitions_from_own_years(target, names, years) %}
    {%- set single = target.incorporate(path={'identifier': this.identifier ~ '__year'}) -%}
    {%- for year in years -%}
        {%- do adapter.drop_relation(single) -%}
        {%- call statement('year_' ~ year) -%}
            create table {{ single }} using parquet as
            select /*+ REBALANCE */ {{ names }} from (
                {{ with_build_year(sql, year) | replace(own_year_before(), own_rows(target, year - 1)) }}
            ) as model
            where year = {{ year }}
        {%- endcall -%}
        {%- call statement('main') -%}
            insert overwrite table {{ target }} partition (year = {{ year }})
            select {{ names }} from {{ single }}
        {%- endcall -%}
        {%- do adapter.drop_relation(single) -%}
    {%- endfor -%}
{% endmacro %}
