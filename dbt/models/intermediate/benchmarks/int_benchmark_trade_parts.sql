with products as (
    select * from {{ ref('product_centrality') }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }}
),

positions as (
    select * from {{ ref('exporter_position') }} where exporter_iso3 = 'CHN'
),

imports as (
    select * from {{ ref('import_vulnerability') }} where importer_iso3 = 'CHN' and in_scope
),

industries as (
    select * from {{ ref('industry_vulnerability') }}
    where importer_iso3 in ('CHN', 'JPN', 'KOR', 'USA', 'DEU', 'GBR', 'FRA', 'ITA')
),

union_imports as (
    select * from {{ ref('import_vulnerability') }} where economy_kind = 'union' and hs6 <> '999999'
),

destinations as (
    select * from {{ ref('destination_ranks') }} where exporter_iso3 = 'CHN'
),

classes_to_viet_nam as (
    select * from {{ ref('relocation') }} where exporter_iso3 = 'CHN' and importer_iso3 = 'VNM'
),

surpluses as (
    select * from {{ ref('relocation_surplus') }} where a_iso3 = 'CHN' and b_iso3 = 'VNM' and c_iso3 = 'USA'
),

traded as (
    select year, count(*) as n_goods
    from products
    where in_scope and world_exports_usd > 0
    group by year
),

-- The chapter's high centrality is that of 2017 and 2018 together. Where it is not known, no exporter has a row.
high as (
    select
        exporter_products.year,
        exporter_products.exporter_code,
        count(*) as n_high,
        sum(case when exporter_products.export_rank <= 3 then 1 else 0 end) as n_high_top3,
        sum(case when exporter_products.export_rank = 1 then 1 else 0 end) as n_high_rank1
    from exporter_products
    inner join products on exporter_products.year = products.year and exporter_products.hs6 = products.hs6
    where products.high_centrality_pooled and {{ pools_the_chapters_years() }}
    group by exporter_products.year, exporter_products.exporter_code
),

high_ranked as (
    select *, cast(rank() over (partition by year order by n_high desc nulls last) as bigint) as high_rank
    from high
),

china_exports as (
    select
        traded.year,
        traded.n_goods as n_traded,
        positions.n_top3,
        high_ranked.n_high,
        high_ranked.high_rank,
        high_ranked.n_high_top3,
        high_ranked.n_high_rank1
    from traded
    left join positions on traded.year = positions.year
    left join high_ranked on traded.year = high_ranked.year and high_ranked.exporter_code = {{ china() }}
),

china_goods as (
    select
        imports.year,
        imports.import_value_usd,
        case
            when products.high_centrality_pooled is null or not {{ pools_the_chapters_years() }} then null
            when products.high_centrality_pooled and imports.high_concentration then 1
            when products.high_centrality_pooled then 2
            when imports.high_concentration then 3
            else 4
        end as category
    from imports
    inner join products on imports.year = products.year and imports.hs6 = products.hs6
),

china_counted as (
    select
        year,
        count(*) as n_goods,
        count(category) as n_goods_with_category,
        sum(case when category = 1 then 1 else 0 end) as n_category1,
        sum(case when category = 2 then 1 else 0 end) as n_category2,
        sum(case when category = 3 then 1 else 0 end) as n_category3,
        sum(case when category = 4 then 1 else 0 end) as n_category4,
        {{ exact_sum('import_value_usd') }} as import_value_usd,
        {{ exact_sum('case when category = 4 then import_value_usd else 0 end') }} as category4_value_usd
    from china_goods
    group by year
),

-- A category without goods counts 0; without categories there is no count.
china_categories as (
    select * from china_counted where n_goods_with_category = n_goods
),

ranked as (
    select
        *,
        row_number() over (
            partition by year, importer_iso3 order by {{ comparable('vulnerability') }} desc nulls last, hs2 nulls last
        ) as place
    from industries
),

china_industries as (
    select
        year,
        sum(case when place in (2, 3) and hs2 in ('84', '90') then 1 else 0 end) as n_expected,
        min(case when place in (2, 3) then hs2 end) as second_or_third,
        max(case when place in (2, 3) then hs2 end) as third_or_second,
        max(case when hs2 = '85' then vulnerability end) as vulnerability_of_85,
        max(case when hs2 <> '85' then vulnerability end) as vulnerability_of_next
    from ranked
    where importer_iso3 = 'CHN'
    group by year
),

shares as (
    select
        products.year,
        {{ exact_sum("case when exporter_products.exporter_code = " ~ china() ~ " and products.bec4 in "
            ~ manufactured_intermediates() ~ " then exporter_products.export_value_usd end") }}
            as china_manufactured_usd,
        {{ exact_sum("case when products.bec4 in " ~ manufactured_intermediates()
            ~ " then exporter_products.export_value_usd end") }}
            as world_manufactured_usd,
        {{ exact_sum("case when exporter_products.exporter_code = " ~ china()
            ~ " and products.hs6 like '85414_' then exporter_products.export_value_usd end") }}
            as china_solar_usd,
        {{ exact_sum("case when products.hs6 like '85414_' then exporter_products.export_value_usd end") }}
            as world_solar_usd
    from exporter_products
    inner join products on exporter_products.year = products.year and exporter_products.hs6 = products.hs6
    group by products.year
),

viet_nam as (
    select year, destination_rank, destination_rank_without_hkg, destination_rank_exporter_report
    from destinations
    where importer_iso3 = 'VNM'
),

to_viet_nam as (
    select
        year,
        {{ exact_sum("case when bec_class = 'intermediate' then value_usd else 0 end") }} as intermediate_usd,
        {{ exact_sum('value_usd') }} as value_usd
    from classes_to_viet_nam
    group by year
),

-- The Commission counts all goods, in whatever scope.
union_goods as (
    select year, sum(case when eu_dependent then 1 else 0 end) as n_dependent
    from union_imports
    group by year
),

-- The statement is about 2012 to 2020: a later first year says nothing of it.
shifts as (
    select year, case when base_year = 2012 then case when shift_usd > 0 then 1 else 0 end end as has_shifted
    from surpluses
),

parts as (
    {{ benchmark_parts('china_exports', [
        ('xu_intermediates_traded', 'n_traded', 1),
        ('xu_china_top3', 'n_top3', 1),
        ('xu_china_top3_share', 'n_top3', 'n_traded'),
        ('xu_high_centrality_exported', 'n_high', 1),
        ('xu_high_centrality_rank', 'high_rank', 1),
        ('xu_high_centrality_top3', 'n_high_top3', 1),
        ('xu_high_centrality_top3_share', 'n_high_top3', 'n_high'),
        ('xu_high_centrality_first', 'n_high_rank1', 1),
    ]) }}
    union all
    {{ benchmark_parts('china_counted', [('xu_goods_imported', 'n_goods', 1)]) }}
    union all
    {{ benchmark_parts('china_categories', [
        ('xu_category1', 'n_category1', 1),
        ('xu_category2', 'n_category2', 1),
        ('xu_category3', 'n_category3', 1),
        ('xu_category4', 'n_category4', 1),
        ('xu_category4_goods_share', 'n_category4', 'n_goods'),
        ('xu_category4_value_share', 'category4_value_usd', 'import_value_usd'),
        ('xu_category_odds_ratio', 'n_category1 * n_category4', 'n_category2 * n_category3'),
    ]) }}
    union all
    {{ benchmark_parts('union_goods', [('eu_dependent_products', 'n_dependent', 1)]) }}
    union all
    {{ benchmark_parts('china_industries', [
        ('xu_industry_ratio', 'vulnerability_of_85', 'vulnerability_of_next'),
    ]) }}
    union all
    {{ benchmark_parts('shares', [
        ('xu_manufactured_intermediates_share', 'china_manufactured_usd', 'world_manufactured_usd'),
        ('wu_solar_share', 'china_solar_usd', 'world_solar_usd'),
    ]) }}
    union all
    {{ benchmark_parts('viet_nam', [
        ('xu_vietnam_rank_2020', 'destination_rank', 1),
        ('xu_vietnam_rank_2020_without_hkg', 'destination_rank_without_hkg', 1),
        ('xu_vietnam_rank_2020_exporter_report', 'destination_rank_exporter_report', 1),
    ]) }}
    union all
    {{ benchmark_parts('to_viet_nam', [('xu_vietnam_intermediate_share', 'intermediate_usd', 'value_usd')]) }}
    union all
    {{ benchmark_parts('shifts', [('xu_surplus_shift', 'has_shifted', 1)]) }}
    union all
    select
        'xu_industry_second_third',
        year,
        case when n_expected = 2 then 1 else 0 end,
        1,
        second_or_third || ', ' || third_or_second
    from china_industries
    union all
    select
        case when importer_iso3 = 'CHN' then 'xu_industry_first' else 'xu_leader_' || importer_iso3 end,
        year,
        cast(hs2 as integer),
        1,
        hs2
    from ranked
    where place = 1
    union all
    select 'xu_france_third', year, cast(hs2 as integer), 1, hs2
    from ranked
    where place = 3 and importer_iso3 = 'FRA'
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(year as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(computed_text as string) as computed_text
from parts
