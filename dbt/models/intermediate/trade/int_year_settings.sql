with reporters as (
    select * from {{ ref('stg_trade_reporters') }} where {{ in_build_year() }}
),

base_revision as (
    select max(hs_revision) as hs_revision from {{ ref('stg_products') }}
)

select distinct
    reporters.year,
    base_revision.hs_revision,
    '{{ var("product_scope") }}' as product_scope,
    {{ 'true' if var('keep_reimports') else 'false' }} as keep_reimports,
    cast({{ var('mirror_cif_fob_factor') }} as double) as mirror_cif_fob_factor,
    '{{ var("centrality_years") | join(",") }}' as centrality_years,
    '{% for pair in var("relocation_pairs") %}{{ pair | join("-") }}{% if not loop.last %},{% endif %}{% endfor %}'
        as relocation_pairs,
    '{{ var("shock_exporters") | join(",") }}' as shock_exporters,
    {{ shock_cut() }} as shock_cut,
    {{ spare_capacity() }} as spare_capacity,
    cast({{ var('price_trim') }} as double) as price_trim,
    cast({{ var('price_min_cells') }} as bigint) as price_min_cells
from reporters
cross join base_revision
