{#-
  Which years a run recomputes: what CHOKEPOINT_BUILD_YEARS says ("2017,2018"; empty or unset means every landed year,
  0000 none), and the conditions made from it.
  It is an environment variable because a changed dbt var makes dbt parse the whole project again, two seconds per run.
  For the same reason it is read while a node runs, never while the project is parsed.
-#}

{#- The years asked for, sorted; empty for all. -#}
{% macro years_asked_for() -%}
    {%- set years = [] -%}
    {%- for part in env_var('CHOKEPOINT_BUILD_YEARS', '').split(',') if part | trim -%}
        {%- if not modules.re.fullmatch('[0-9]{4}', part | trim) -%}
            {%- do exceptions.raise_compiler_error(
                "CHOKEPOINT_BUILD_YEARS: found '" ~ part ~ "'; expected years separated by commas, such as 2017,2018."
            ) -%}
        {%- endif -%}
        {%- do years.append(part | int) -%}
    {%- endfor -%}
    {{ return(years | unique | sort | list) }}
{%- endmacro %}

{#-
  The years this run recomputes, sorted. A year that is not landed is an error: it would be emptied.
  Which years are landed, a table of landing says: that of trade, or the one that the model's `meta` names.
  A model also changes with the other years that it reads, which its `meta` says: `reads_year_before`,
  `reads_years_before` (all of them, its own rows of the year before among them), `reads_fifth_year_before` and
  `reads_year_after`.
-#}
{% macro years_of_run() -%}
    {%- set meta = model.config.meta -%}
    {%- set landed_in = meta.get('years_landed_in', ['landing', 'trade_reporters']) -%}
    {%- set landed = run_query(
        'select distinct year from ' ~ source(landed_in[0], landed_in[1])
    ).columns[0].values() | map('int') | sort | list -%}
    {%- set asked = years_asked_for() -%}
    {%- for year in asked if year not in landed and year != 0 -%}
        {%- do exceptions.raise_compiler_error(
            "CHOKEPOINT_BUILD_YEARS: found " ~ year ~ "; expected years that are landed: " ~ landed
            ~ ". Land that year first, or leave it out."
        ) -%}
    {%- endfor -%}
    {%- set changed = (asked or landed) | list -%}
    {%- for year in asked if year != 0 -%}
        {%- for before, name in {1: 'reads_year_before', 5: 'reads_fifth_year_before', -1: 'reads_year_after'}.items()
            if meta.get(name) -%}
            {%- do changed.append(year + before) -%}
        {%- endfor -%}
        {%- if meta.get('reads_years_before') -%}
            {%- do changed.extend(landed | select('gt', year)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(landed | select('in', changed) | list) }}
{%- endmacro %}

{#- True where the yearly tables are made anew instead of having single years replaced. -#}
{% macro is_full_run() -%}
    {{ return(flags.FULL_REFRESH or not years_asked_for()) }}
{%- endmacro %}

{#-
  The filter in every import CTE of a yearly model. The yearly materializations replace it by one year after the other.
  Everywhere else (unit tests, `dbt show`) it is always true, so the compiled SQL can be run as it is.
-#}
{% macro in_build_year() -%}
    year = year /* one year at a time */
{%- endmacro %}

{#- The same for the year before, in a model whose `meta` says `reads_year_before: true`. -#}
{% macro in_year_before() -%}
    year = year /* the year before */
{%- endmacro %}

{#- The same for the fifth year before, in a model whose `meta` says `reads_fifth_year_before: true`. -#}
{% macro in_fifth_year_before() -%}
    year = year /* the fifth year before */
{%- endmacro %}

{#- The same for the year after, in a model whose `meta` says `reads_year_after: true`. -#}
{% macro in_year_after() -%}
    year = year /* the year after */
{%- endmacro %}

{#- The same for all years before, in a model whose `meta` says `reads_years_before: true`. -#}
{% macro in_years_before() -%}
    year = year /* the years before */
{%- endmacro %}

{#-
  The model's own rows of the year before, in a model whose `meta` says `reads_years_before: true`: no row where the
  year before is not computed. A table only by the materialization, and in unit tests the input `this`.
-#}
{% macro own_year_before() -%}
    {%- if model.resource_type == 'unit_test' -%}{{ return(this) }}{%- endif -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append('cast(null as ' ~ column.data_type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{ return('(select ' ~ columns | join(', ') ~ ' where false /* its own rows */)') }}
{%- endmacro %}

{% macro with_build_year(sql, year) -%}
    {%- set is_year = year is number -%}
    {%- set filters = {
        'one year at a time': 'year = ' ~ year,
        'the year before': 'year = ' ~ (year - 1 if is_year else 'null'),
        'the fifth year before': 'year = ' ~ (year - 5 if is_year else 'null'),
        'the year after': 'year = ' ~ (year + 1 if is_year else 'null'),
        'the years before': 'year < ' ~ year,
    } -%}
    {%- set filtered = namespace(sql=sql) -%}
    {%- for which, filter in filters.items() -%}
        {%- set filtered.sql = filtered.sql | replace('year = year /* ' ~ which ~ ' */', filter) -%}
    {%- endfor -%}
    {{ return(filtered.sql) }}
{%- endmacro %}

{#-
  Limits a data test to the years of this run: the others were tested when they were computed. `following` adds the year
  after each, for a model that also reads the year before.
-#}
{% macro in_years_of_run(following=false) -%}
    {%- if not execute or is_full_run() -%}
    true
    {%- elif following -%}
    (year in ({{ years_asked_for() | join(', ') }}) or year - 1 in ({{ years_asked_for() | join(', ') }}))
    {%- else -%}
    year in ({{ years_asked_for() | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{#-
  For tests that hold a group per row in memory: the rows of `query` (filtered by in_build_year) in the years of this
  run, looked for in one year after the other, so that memory is bounded by the largest year. The query that is left for
  dbt shows the rows of the years that have any.
-#}
{% macro year_by_year(model, query, following=false) -%}
    {%- if not execute or flags.WHICH not in ('build', 'test') -%}{{ return(query) }}{%- endif -%}
    {%- set asked = years_asked_for() -%}
    {%- set present = run_query('select distinct year from ' ~ model).columns[0].values() | reject('none') -%}
    {%- set failing = [] -%}
    {%- for year in present | map('int') | sort
        if is_full_run() or year in asked or (following and (year - 1) in asked) -%}
        {%- set of_year = with_build_year(query, year) -%}
        {%- if run_query('select count(*) from (' ~ of_year ~ ') as found').columns[0].values()[0] -%}
            {%- do failing.append('select * from (' ~ of_year ~ ') as of_' ~ year) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(failing | join(' union all ') or with_build_year(query, 'null')) }}
{%- endmacro %}
