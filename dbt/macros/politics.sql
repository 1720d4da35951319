{#- What the models of political exposure share (measures-chains section 3). -#}

{#- A point may be this many years old. -#}
{% macro oldest_point() -%}2{%- endmacro %}

{#-
  The sums behind every risk, in USD, over rows of int_political_supplies: over an importer's imports they are the
  risks. They add up over suppliers and over chapters.
-#}
{% macro political_sums() -%}
    {{ exact_sum('import_value_usd') }} as import_value_usd,
    {{ exact_sum('squared_usd') }} as econ_usd,
    {{ exact_sum('squared_usd * distance_factor') }} as distance_usd,
    {{ exact_sum('squared_usd * distance_factor_own') }} as distance_own_usd,
    {{ exact_sum('capable_usd') }} as capability_usd,
    {{ exact_sum('capable_usd * distance_factor') }} as pol_usd,
    {{ exact_sum('capable_usd * distance_factor_own') }} as pol_own_usd
{%- endmacro %}

{#- Columns of a supply joined to its year (`years`) and to the points of its sides (`importers`, `exporters`). -#}
{% macro political_pair() -%}
    years.mean_distance,
    years.close_limit,
    years.distant_limit,
    years.largest_distance,
    importers.mean_distance_own,
    importers.ideal_point is not null and years.mean_distance is not null as is_measured,
    case
        when years.mean_distance is not null then abs(importers.ideal_point - exporters.ideal_point)
    end as distance
{%- endmacro %}

{#- What follows from these: g by both scales (1 for a supplier without a point), and whether it is close. -#}
{% macro political_distances() -%}
    distance,
    largest_distance,
    case when is_measured then coalesce(distance / mean_distance, 1) end as distance_factor,
    case
        when is_measured and mean_distance_own > 0 then coalesce(distance / mean_distance_own, 1)
    end as distance_factor_own,
    case
        when not is_measured then null
        when distance is null then 'unscored'
        when {{ comparable('distance') }} <= {{ comparable('close_limit') }} then 'close'
        when {{ comparable('distance') }} >= {{ comparable('distant_limit') }} then 'distant'
        else 'middle'
    end as closeness
{%- endmacro %}

{#- The sums with what tells friends from others. -#}
{% macro political_sums_by_closeness(exporter='exporter_code') -%}
    {{ political_sums() }},
    max(closeness) as any_closeness,
    count(distinct {{ exporter }}) as n_suppliers,
    {%- for closeness in political_closeness() %}
    {{ exact_sum("case when closeness = '" ~ closeness ~ "' then import_value_usd else 0 end") }}
        as {{ closeness }}_usd,
    {%- endfor %}
    {{ exact_sum('case when distance is not null then import_value_usd else 0 end') }} as scored_usd,
    {{ exact_sum('import_value_usd * distance') }} as distance_value_usd,
    max(largest_distance) as largest_distance
{%- endmacro %}

{% macro political_closeness() -%}
    {{ return(['close', 'middle', 'distant', 'unscored']) }}
{%- endmacro %}

{#- The risks: sums of the table over `total`, the imports in goods in scope that they are about. -#}
{% macro political_risks(table, total) -%}
    {{ table }}.econ_usd / {{ total }} as risk_econ,
    {{ table }}.distance_usd / {{ total }} as risk_distance,
    {{ table }}.distance_own_usd / {{ total }} as risk_distance_own,
    {{ table }}.capability_usd / {{ total }} as risk_capability,
    {{ table }}.pol_usd / {{ total }} as risk_pol,
    {{ table }}.pol_own_usd / {{ total }} as risk_pol_own
{%- endmacro %}

{#- What politics adds, and how the imports are spread over friends and others; from sums by closeness. -#}
{% macro political_ratios(table) -%}
    {{ table }}.distance_usd / nullif({{ table }}.econ_usd, 0) as distance_ratio,
    {{ table }}.distance_own_usd / nullif({{ table }}.econ_usd, 0) as distance_ratio_own,
    {{ table }}.pol_usd / nullif({{ table }}.capability_usd, 0) as pol_ratio,
    {{ table }}.pol_own_usd / nullif({{ table }}.capability_usd, 0) as pol_ratio_own,
    {%- for closeness in political_closeness() %}
    case when {{ table }}.any_closeness is not null then {{ table }}.{{ closeness }}_usd end
        / nullif({{ table }}.import_value_usd, 0) as share_{{ closeness }},
    {%- endfor %}
    {{ table }}.distance_value_usd / nullif({{ table }}.scored_usd, 0) as mean_distance,
    10 * {{ table }}.distance_value_usd / nullif({{ table }}.scored_usd, 0) / {{ table }}.largest_distance
        as geopolitical_distance_10
{%- endmacro %}

{#- Place of a risk among the rows that share `groups`, 1 for the highest; null where there is no risk. -#}
{% macro political_rank(risk, groups) -%}
    case
        when {{ risk }} is not null then
            cast(rank() over (partition by {{ groups }} order by {{ comparable(risk) }} desc nulls last) as bigint)
    end
{%- endmacro %}

{% macro political_risk_columns() -%}
    {{ return(['risk_econ', 'risk_distance', 'risk_distance_own', 'risk_capability', 'risk_pol', 'risk_pol_own']) }}
{%- endmacro %}

{#-
  Exposure by a key, from the relation `supplies`: CTEs up to `measured`, the key with imports, risks and ratios.
-#}
{% macro political_measured(key, exporter='exporter_code', more='') -%}
summed as (
    select {{ key | join(', ') }}, {{ more }}{{ political_sums_by_closeness(exporter) }}
    from supplies
    group by {{ key | join(', ') }}
),

measured as (
    select
        *,
        {{ political_risks('summed', 'summed.import_value_usd') }},
        {{ political_ratios('summed') }}
    from summed
)
{%- endmacro %}

{#- The columns of every table of exposure, from `measured`; ranks are within `groups`. -#}
{% macro political_exposure_columns(groups) -%}
    measured.import_value_usd,
    measured.n_suppliers,
    {%- for column in political_risk_columns() %}
    measured.{{ column }},
    {%- endfor %}
    measured.distance_ratio,
    measured.distance_ratio_own,
    measured.pol_ratio,
    measured.pol_ratio_own,
    {%- for closeness in political_closeness() %}
    measured.share_{{ closeness }},
    {%- endfor %}
    measured.mean_distance,
    measured.geopolitical_distance_10,
    {{ political_rank('measured.risk_econ', groups) }} as rank_risk_econ,
    {{ political_rank('measured.risk_pol', groups) }} as rank_risk_pol,
    {{ political_rank('measured.risk_pol_own', groups) }} as rank_risk_pol_own
{%- endmacro %}
