with lines as (
    select * from {{ ref('int_tariff_list_lines') }}
),

heaviest_target as (
    {{ heaviest_targets() }}
),

imports as (
    select year, hs6, value_usd
    from {{ ref('trade_flows') }}
    where exporter_code = {{ china() }} and importer_code = {{ united_states() }}
),

goods as (
    select
        lines.list_id,
        lines.hts8,
        lines.imports_2017_usd,
        coalesce(heaviest_target.hs6, substr(lines.hts8, 1, 6)) as hs6
    from lines
    left join heaviest_target on substr(lines.hts8, 1, 6) = heaviest_target.from_code
),

-- The part of its good that each line stands for: by imports of 2017, or all alike where these are not known.
weighed as (
    select
        list_id,
        hts8,
        hs6,
        case
            when
                count(imports_2017_usd) over (partition by hs6) = count(*) over (partition by hs6)
                and {{ exact_window_sum('coalesce(imports_2017_usd, 0)', 'hs6') }} > 0
                then imports_2017_usd / {{ exact_window_sum('coalesce(imports_2017_usd, 0)', 'hs6') }}
            else cast(1 as double) / count(*) over (partition by hs6)
        end as line_share
    from goods
)

select
    imports.year,
    weighed.list_id,
    weighed.hts8,
    weighed.hs6,
    weighed.line_share,
    imports.value_usd * weighed.line_share as import_value_usd
from weighed
inner join imports on weighed.hs6 = imports.hs6
