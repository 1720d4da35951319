{#-
  Like `yearly`, but each year is one Parquet file beside the warehouse (<warehouse>.<model>.<year>.parquet) and the
  relation is a view over those files. For models of ten million rows a year: writing Parquet takes less time than
  writing a DuckDB table, and the same file can be published as it is.
  The options give the fastest write measured: no dictionary is begun for columns of distinct values, level 1 of zstd.
  COPY writes aside and renames, so a year's file is always whole. Files of years no longer built are not in the view.
-#}
{% materialization yearly_files, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- set years = years_of_run() -%}
    {%- set kept = [] -%}
    {%- if existing is not none and existing.is_view and not is_full_run() -%}
        {%- do assert_same_columns(existing, get_column_schema_from_query(get_empty_subquery_sql(sql))) -%}
        {%- set kept = run_query('select distinct year from ' ~ existing).columns[0].values() | map('int') | list -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    {%- set sql_of_years = with_few_texts(sql) if years else sql -%}
    {#- What the published file says of itself; empty where dbt is run by hand. -#}
    {%- set described = fromjson(env_var('CHOKEPOINT_FILE_METADATA', '{}')).get(model.name) -%}
    {%- for year in years -%}
        {%- call statement('year_' ~ year) -%}
            copy (
                select * from (
                    {{ with_own_year_before(with_build_year(sql_of_years, year), year - 1, kept + years) }}
                ) as model
                where year = {{ year }}
            ) to '{{ year_file(year) }}' (
                format parquet, compression zstd, compression_level 1, dictionary_size_limit 10000, use_tmp_file true
                {%- if described %}, {{ described }}{% endif %}
            )
        {%- endcall -%}
    {%- endfor -%}

    {%- set files = [] -%}
    {%- for year in (kept + years) | unique | sort -%}
        {%- do files.append("'" ~ year_pattern(year) ~ "'") -%}
    {%- endfor -%}
    {%- if existing is not none and not existing.is_view -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        create or replace view {{ target }} as
        {% if files -%}
        select * from read_parquet([{{ files | join(', ') }}], hive_partitioning = false)
        {%- else -%}
        {{ sql }}
        {%- endif %}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- The file of one year of the model in hand, as the inside of an SQL string literal. -#}
{% macro year_file(year) -%}
    {{ return((env_var('CHOKEPOINT_WAREHOUSE') ~ '.' ~ model.name ~ '.' ~ year ~ '.parquet') | replace("'", "''")) }}
{%- endmacro %}

{#- A year's own rows of the year before are in that year's file; `held` are the years that have one. -#}
{% macro with_own_year_before(sql, before, held) -%}
    {%- if before not in held -%}{{ return(sql) }}{%- endif -%}
    {%- set rows = "(select * from read_parquet('" ~ year_pattern(before) ~ "', hive_partitioning = false))" -%}
    {{ return(sql | replace(own_year_before(), rows)) }}
{%- endmacro %}

{#- The file of one year for read_parquet: no character of the path is a pattern to it. -#}
{% macro year_pattern(year) -%}
    {{ return(year_file(year) | replace("[", "[[]") | replace("*", "[*]") | replace("?", "[?]")) }}
{%- endmacro %}
