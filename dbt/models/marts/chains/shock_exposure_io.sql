with shocks as (
    select * from {{ ref('int_io_shocks') }} where {{ in_build_year() }}
),

tables as (
    select * from {{ ref('stg_io_tables') }} where {{ in_build_year() }}
)

select
    shocks.edition,
    shocks.year,
    shocks.exporter_iso3,
    shocks.country_iso3,
    shocks.sector,
    shocks.cut,
    shocks.direct_loss_usd,
    shocks.propagated_loss_usd,
    shocks.final_use_loss_usd,
    shocks.returned_loss_usd,
    shocks.intermediate_export_loss_usd,
    shocks.export_loss_usd,
    shocks.direct_loss_usd / shocks.gross_output_usd as direct_loss_share,
    shocks.propagated_loss_usd / shocks.gross_output_usd as propagated_loss_share,
    shocks.final_use_loss_usd / shocks.gross_output_usd as final_use_loss_share,
    shocks.returned_loss_usd / shocks.gross_output_usd as returned_loss_share,
    shocks.intermediate_export_loss_usd / shocks.gross_output_usd as intermediate_export_loss_share,
    shocks.export_loss_usd / shocks.gross_output_usd as export_loss_share,
    tables.is_complete
from shocks
inner join tables on shocks.edition = tables.edition and shocks.year = tables.year
