with industries as (
    select * from {{ ref('industry_vulnerability') }} where {{ in_build_year() }} and economy_kind = 'country'
),

goods as (
    select * from {{ ref('import_vulnerability') }}
    where {{ in_build_year() }} and in_scope and economy_kind = 'country'
),

exports as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }} and in_scope
),

classes as (
    select * from {{ ref('hs2_classes') }}
),

concentrated as (
    select
        year,
        importer_code,
        hs2,
        {{ exact_sum('import_value_usd * import_hhi') }} as concentrated_usd
    from goods
    group by year, importer_code, hs2
),

exported as (
    select
        exports.year,
        exports.exporter_code,
        products.hs2,
        {{ exact_sum('exports.export_value_usd') }} as export_value_usd,
        count(*) as n_goods_exported,
        count(case when exports.export_rank <= 3 then 1 end) as n_top3
    from exports
    inner join products on exports.year = products.year and exports.hs6 = products.hs6
    group by exports.year, exports.exporter_code, products.hs2
),

country_totals as (
    select year, exporter_code, {{ exact_sum('export_value_usd') }} as country_usd
    from exported
    group by year, exporter_code
),

chapter_totals as (
    select year, hs2, {{ exact_sum('export_value_usd') }} as chapter_usd from exported group by year, hs2
),

world_totals as (
    select year, {{ exact_sum('export_value_usd') }} as world_usd from exported group by year
),

measured as (
    select
        industries.*,
        coalesce(classes.sector_class, 'none') as sector_class,
        concentrated.concentrated_usd / industries.import_value_usd as import_hhi_weighted,
        coalesce(exported.export_value_usd, 0) as export_value_usd,
        coalesce(exported.n_goods_exported, 0) as n_goods_exported,
        coalesce(exported.n_top3, 0) as n_top3,
        coalesce(exported.export_value_usd, 0) / country_totals.country_usd
            / (chapter_totals.chapter_usd / world_totals.world_usd) as rca
    from industries
    inner join concentrated
        on industries.year = concentrated.year
        and industries.importer_code = concentrated.importer_code
        and industries.hs2 = concentrated.hs2
    left join exported
        on industries.year = exported.year
        and industries.importer_code = exported.exporter_code
        and industries.hs2 = exported.hs2
    left join country_totals
        on industries.year = country_totals.year and industries.importer_code = country_totals.exporter_code
    left join chapter_totals on industries.year = chapter_totals.year and industries.hs2 = chapter_totals.hs2
    left join world_totals on industries.year = world_totals.year
    left join classes on industries.hs2 = classes.hs2
)

select
    year,
    importer_code,
    importer_iso3,
    importer_name,
    hs2,
    hs2_name,
    sector_class,
    n_goods,
    import_value_usd,
    vulnerability,
    vulnerability_mean,
    import_hhi_weighted,
    export_value_usd,
    n_goods_exported,
    n_top3,
    rca,
    (rca - 1) / (rca + 1) as rca_sym,
    cast(n_top3 as double) / nullif(n_goods_exported, 0) as top3_share,
    import_value_usd / (import_value_usd + export_value_usd) as net_import_ratio
from measured
