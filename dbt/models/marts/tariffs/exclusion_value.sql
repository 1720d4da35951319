{{ config(materialized='table') }}

with days as (
    select * from {{ ref('int_exclusion_line_days') }}
),

lines as (
    select * from {{ ref('int_tariff_list_lines') }}
),

trade as (
    select * from {{ ref('int_exclusion_line_trade') }}
),

requests as (
    select list_id, {{ decision_counts() }} from {{ ref('int_exclusion_requests') }} group by list_id
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

consumption as (
    select * from {{ ref('int_us_consumption') }}
),

shares as (
    select list_id, {{ approval_share() }} as approval_share from requests
),

-- Every list keeps its own approval share in the scenario but lists 3 and 4A, which take that of list 1.
scenario as (
    select
        shares.list_id,
        shares.approval_share,
        case when shares.list_id in ('3', '4A') then first_list.approval_share else shares.approval_share end
            as scenario_approval_share
    from shares
    left join shares as first_list on first_list.list_id = '1'
),

valued as (
    select
        days.year,
        days.list_id,
        substr(days.hts8, 1, 2) as hs2,
        days.duty_days,
        days.excluded_days,
        days.mean_duty,
        days.mean_excluded_duty,
        lines.imports_2017_usd,
        trade.import_value_usd
    from days
    inner join lines on days.list_id = lines.list_id and days.hts8 = lines.hts8
    left join trade on days.year = trade.year and days.list_id = trade.list_id and days.hts8 = trade.hts8
),

summed as (
    select
        year,
        list_id,
        hs2,
        max(duty_days) as duty_days,
        max(mean_duty) as mean_duty,
        count(*) as n_lines,
        count(case when excluded_days > 0 then 1 end) as n_lines_excluded,
        count(import_value_usd) as n_lines_traded,
        case when count(imports_2017_usd) = count(*) then {{ exact_sum('imports_2017_usd') }} end as covered_2017_usd,
        case when count(imports_2017_usd) = count(*) then {{ exact_sum('imports_2017_usd * mean_duty') }} end
            as duty_2017_usd,
        case when count(imports_2017_usd) = count(*) then {{ exact_sum('imports_2017_usd * mean_excluded_duty') }} end
            as value_2017_usd,
        {{ exact_sum('import_value_usd') }} as covered_usd,
        {{ exact_sum('import_value_usd * mean_duty') }} as duty_usd,
        {{ exact_sum('import_value_usd * mean_excluded_duty') }} as value_usd
    from valued
    group by year, list_id, hs2
)

select
    summed.year,
    summed.list_id,
    summed.hs2,
    chapters.hs2_name,
    'first-order upper bound' as estimate,
    summed.duty_days,
    summed.mean_duty,
    summed.n_lines,
    summed.n_lines_excluded,
    summed.n_lines_traded,
    summed.covered_2017_usd,
    summed.duty_2017_usd,
    summed.duty_2017_usd - summed.value_2017_usd as duty_with_exclusions_2017_usd,
    summed.value_2017_usd as exclusion_value_2017_usd,
    summed.covered_usd,
    summed.duty_usd,
    summed.duty_usd - summed.value_usd as duty_with_exclusions_usd,
    summed.value_usd as exclusion_value_usd,
    scenario.approval_share,
    scenario.scenario_approval_share,
    {{ scenario_value('summed.value_2017_usd', 'summed.duty_2017_usd') }} as scenario_value_2017_usd,
    {{ scenario_value('summed.value_usd', 'summed.duty_usd') }} as scenario_value_usd,
    consumption.final_consumption_usd,
    consumption.source as final_consumption_source,
    (summed.duty_2017_usd - summed.value_2017_usd) / consumption.final_consumption_usd
        as duty_2017_share_of_consumption,
    summed.value_2017_usd / consumption.final_consumption_usd as value_2017_share_of_consumption,
    (summed.duty_usd - summed.value_usd) / consumption.final_consumption_usd as duty_share_of_consumption,
    summed.value_usd / consumption.final_consumption_usd as value_share_of_consumption
from summed
left join scenario on summed.list_id = scenario.list_id
left join chapters on summed.hs2 = chapters.hs2
left join consumption on summed.year = consumption.year
