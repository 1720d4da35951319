-- Every year in the warehouse was computed with the same settings: with more than one row here, some years are stale.
with settings as (
    select
        hs_revision,
        product_scope,
        keep_reimports,
        mirror_cif_fob_factor,
        centrality_years,
        relocation_pairs,
        shock_exporters,
        shock_cut,
        spare_capacity,
        price_trim,
        price_min_cells,
        count(*) as n_years
    from {{ ref('int_year_settings') }}
    group by
        hs_revision,
        product_scope,
        keep_reimports,
        mirror_cif_fob_factor,
        centrality_years,
        relocation_pairs,
        shock_exporters,
        shock_cut,
        spare_capacity,
        price_trim,
        price_min_cells
)

select * from settings where (select count(*) from settings) > 1
