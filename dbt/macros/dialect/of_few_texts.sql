{#-
  A column of a small table whose texts are joined to millions of rows (names of countries). Marked with this, DuckDB
  writes them to Parquet as numbers of a short list, in three quarters of the time; what is read back is text as ever.
  The mark is a comment: only the materialization `yearly_files` on DuckDB minds it (see `with_few_texts`).
-#}
{% macro of_few_texts(column, relation) -%}
    {{ column }} /* of few texts: {{ relation }} */
{%- endmacro %}

{#- SQL in which marked columns are enums of the texts that their table holds. Makes the types, for this connection. -#}
{% macro with_few_texts(sql) -%}
    {%- set marked = modules.re.compile('(\\w+) /\\* of few texts: (.+?) \\*/') -%}
    {%- for column, relation in marked.findall(sql) | unique -%}
        {%- do run_query(
            'create or replace temp type few_' ~ column ~ ' as enum (select distinct ' ~ column ~ ' from ' ~ relation
            ~ ' where ' ~ column ~ ' is not null order by ' ~ column ~ ')'
        ) -%}
    {%- endfor -%}
    {{ return(marked.sub('cast(\\1 as few_\\1)', sql)) }}
{%- endmacro %}
