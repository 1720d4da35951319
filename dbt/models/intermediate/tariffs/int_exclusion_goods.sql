with requests as (
    select * from {{ ref('int_exclusion_requests') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

centrality as (
    select year, hs6, export_centrality, n_exporters from {{ ref('product_centrality') }}
),

imports as (
    select year, hs6, import_value_usd, n_suppliers
    from {{ ref('import_vulnerability') }}
    where importer_code = {{ united_states() }}
),

flows_from_china as (
    select year, hs6, value_usd
    from {{ ref('trade_flows') }}
    where exporter_code = {{ china() }} and importer_code = {{ united_states() }}
),

-- Years with imports of the good by the United States come before years in which only others trade it.
candidates as (
    select hs6, year, min(place) as place
    from (
        select hs6, year, 1 as place from imports
        union all
        select hs6, year, 2 as place from centrality
    ) as loaded
    group by hs6, year
),

reference_years as (
    select hs6, year
    from (
        select
            hs6,
            year,
            row_number() over (
                partition by hs6
                order by
                    place nulls last,
                    abs(year - {{ var('tariff_reference_year', 2017) }}) nulls last,
                    year nulls last
            ) as choice
        from candidates
    ) as ranked
    where choice = 1
),

goods as (
    select distinct hs6 from requests
)

select
    goods.hs6,
    reference_years.year as reference_year,
    products.bec4,
    products.bec5,
    case when products.hs6 is not null then {{ is_in_scope('goods.hs6') }} end as in_scope,
    -- End use by BEC Rev.4 (measures section 2); both are null where the category is.
    {{ is_bec4_intermediate('products.bec4') }} as is_intermediate,
    products.bec4 in ('112', '122', '522', '61', '62', '63') as is_consumption,
    imports.import_value_usd as us_import_value_usd,
    imports.n_suppliers as us_suppliers,
    case
        when imports.hs6 is not null then coalesce(flows_from_china.value_usd, 0) / imports.import_value_usd
    end as china_import_share,
    centrality.export_centrality,
    centrality.n_exporters
from goods
left join products on goods.hs6 = products.hs6
left join reference_years on goods.hs6 = reference_years.hs6
left join imports on reference_years.hs6 = imports.hs6 and reference_years.year = imports.year
left join flows_from_china
    on reference_years.hs6 = flows_from_china.hs6 and reference_years.year = flows_from_china.year
left join centrality on reference_years.hs6 = centrality.hs6 and reference_years.year = centrality.year
