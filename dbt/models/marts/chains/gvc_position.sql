with outputs as (
    select * from {{ ref('stg_io_output') }} where {{ in_build_year() }}
),

measures as (
    select * from {{ ref('int_io_sectors') }} where {{ in_build_year() }}
),

classes as (
    select * from {{ ref('sector_classes') }}
)

select
    outputs.edition,
    outputs.year,
    outputs.country_iso3,
    outputs.sector,
    coalesce(classes.sector_class, 'none') as sector_class,
    outputs.is_complete,
    outputs.gross_output_usd,
    measures.v * measures.gross_output_usd as value_added_usd,
    measures.y as final_output_usd,
    measures.total_inputs_usd,
    measures.imported_inputs_usd,
    (measures.gross_output_usd - measures.ly) / measures.gross_output_usd as forward_participation,
    1 - measures.v_l as backward_participation,
    measures.b_x / measures.gross_output_usd as plv,
    measures.ones_b as ply,
    measures.plv_gvc,
    measures.ply_gvc,
    measures.plv_gvc / measures.ply_gvc as position,
    measures.b_x / measures.gross_output_usd / measures.ones_b as position_total,
    measures.imported_inputs_usd / nullif(measures.total_inputs_usd, 0) as imported_input_share,
    measures.input_source_hhi,
    measures.top_source_iso3,
    measures.top_source_share,
    measures.lookthrough_foreign_share,
    measures.forward_domestic,
    measures.forward_traditional,
    measures.forward_simple,
    measures.forward_complex,
    measures.backward_domestic,
    measures.backward_traditional,
    measures.backward_simple,
    measures.backward_complex,
    measures.exports as exports_usd,
    measures.bm_backward_share,
    measures.bm_participation,
    measures.bm_forward_share
from outputs
left join measures
    on outputs.edition = measures.edition
    and outputs.year = measures.year
    and outputs.country_iso3 = measures.country_iso3
    and outputs.sector = measures.sector
left join classes on outputs.sector = classes.sector
