with measures as (
    select * from {{ ref('int_io_sectors') }} where {{ in_build_year() }}
),

classes as (
    select * from {{ ref('sector_classes') }}
),

tables as (
    select * from {{ ref('stg_io_tables') }} where {{ in_build_year() }}
),

-- Every sector counts in `all`, manufacturing in its own group besides.
grouped as (
    select 'all' as sector_group, measures.* from measures
    union all
    select 'manufacturing' as sector_group, measures.*
    from measures
    inner join classes on measures.sector = classes.sector
    where classes.sector_class <> 'none'
),

sums as (
    select
        edition,
        year,
        country_iso3,
        sector_group,
        count(*) as n_sectors,
        {{ exact_sum('gross_output_usd') }} as gross_output_usd,
        {{ exact_sum('v * gross_output_usd') }} as value_added_usd,
        {{ exact_sum('y') }} as final_output_usd,
        {{ exact_sum('total_inputs_usd') }} as total_inputs_usd,
        {{ exact_sum('imported_inputs_usd') }} as imported_inputs_usd,
        {{ exact_sum('v * (gross_output_usd - ly)') }} as forward_usd,
        {{ exact_sum('(1 - v_l) * y') }} as backward_usd,
        {{ exact_sum('v * b_x') }} as forward_length_usd,
        {{ exact_sum('ones_b * y') }} as backward_length_usd,
        {{ exact_sum('v * (b_x - lly)') }} as forward_gvc_length_usd,
        {{ exact_sum('(ones_b - v_ll) * y') }} as backward_gvc_length_usd,
        case when sector_group = 'all' then {{ exact_sum('exports') }} end as exports_usd,
        case when sector_group = 'all' then {{ exact_sum('iv') }} end as indirect_value_added_usd,
        case when sector_group = 'all' then {{ exact_sum('fv') }} end as foreign_value_added_usd
    from grouped
    group by edition, year, country_iso3, sector_group
),

-- What rounding leaves where there is no value chain is no chain.
lengths as (
    select
        edition,
        year,
        country_iso3,
        sector_group,
        forward_length_usd / nullif(value_added_usd, 0) as plv,
        backward_length_usd / nullif(final_output_usd, 0) as ply,
        case
            when {{ comparable('forward_usd / nullif(value_added_usd, 0)') }} <> 0
                then forward_gvc_length_usd / forward_usd
        end as plv_gvc,
        case
            when {{ comparable('backward_usd / nullif(final_output_usd, 0)') }} <> 0
                then backward_gvc_length_usd / backward_usd
        end as ply_gvc,
        indirect_value_added_usd / nullif(greatest(exports_usd, 0), 0) as kww_iv_share,
        foreign_value_added_usd / nullif(greatest(exports_usd, 0), 0) as kww_fv_share
    from sums
)

select
    sums.edition,
    sums.year,
    sums.country_iso3,
    sums.sector_group,
    sums.n_sectors,
    tables.is_complete,
    sums.gross_output_usd,
    sums.value_added_usd,
    sums.final_output_usd,
    sums.total_inputs_usd,
    sums.imported_inputs_usd,
    sums.forward_usd / nullif(sums.value_added_usd, 0) as forward_participation,
    sums.backward_usd / nullif(sums.final_output_usd, 0) as backward_participation,
    lengths.plv,
    lengths.ply,
    lengths.plv_gvc,
    lengths.ply_gvc,
    lengths.plv_gvc / lengths.ply_gvc as position,
    lengths.plv / lengths.ply as position_total,
    sums.imported_inputs_usd / nullif(sums.total_inputs_usd, 0) as imported_input_share,
    sums.exports_usd,
    lengths.kww_iv_share,
    lengths.kww_fv_share,
    lengths.kww_iv_share + lengths.kww_fv_share as kww_participation,
    ln(1 + lengths.kww_iv_share) - ln(1 + lengths.kww_fv_share) as kww_position
from sums
inner join lengths
    on sums.edition = lengths.edition
    and sums.year = lengths.year
    and sums.country_iso3 = lengths.country_iso3
    and sums.sector_group = lengths.sector_group
inner join tables on sums.edition = tables.edition and sums.year = tables.year
