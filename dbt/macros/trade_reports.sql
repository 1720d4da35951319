{#- What the models that read landed trade reports share. -#}

{#- The columns of a landed report: trade_flows, trade_reimports and trade_unallocated have the same ones. -#}
{% macro report_columns() -%}
    year,
    flow,
    reporter_code,
    partner_code,
    hs_revision,
    revision_assumed,
    cmd_code,
    value_usd,
    quantity,
    quantity_unit,
    source
{%- endmacro %}

{#-
  True for a report whose code has to go through the conversion weights: it is not of the base revision, and not 999999,
  which is the same in every revision. The query needs a CTE `base_revision`.
-#}
{% macro needs_conversion() -%}
    hs_revision <> (select base_revision.hs_revision from base_revision)
    and cmd_code <> '999999'
    and not coalesce(revision_assumed, false)
{%- endmacro %}

{#-
  Rows (year, rule, unit, n) from a CTE with one column of counts per rule. `units` says what each rule counts: row or
  flow. The CTE is read once, because an engine that does not keep a CTE computes it anew for every reference.
-#}
{% macro counts_by_rule(relation, units) -%}
    select
        {{ relation }}.year,
        rules.rule,
        rules.unit,
        case rules.rule
            {%- for rule in units %} when '{{ rule }}' then {{ relation }}.{{ rule }}{% endfor %}
        end as n
    from {{ relation }}
    cross join (
        {%- for rule, unit in units.items() %}
        select '{{ rule }}' as rule, '{{ unit }}' as unit
        {%- if not loop.last %} union all{% endif %}
        {%- endfor %}
    ) as rules
{%- endmacro %}
