with industries as (
    select * from {{ ref('competitiveness_paradox') }}
),

positions as (
    {{ if_built(ref('gvc_position')) }}
),

-- What an earlier run left of a dataset that is off does not count.
datasets as (
    select count(*) as n_on from {{ ref('stg_inputs') }} where dataset = 'chains'
)

select
    'hs2' as source,
    'trade' as edition,
    year,
    cast(importer_code as string) as country,
    hs2 as industry,
    sector_class,
    false as is_chosen,
    vulnerability,
    vulnerability_mean,
    import_hhi_weighted,
    rca_sym,
    top3_share,
    cast(null as double) as input_source_hhi,
    cast(null as double) as imported_input_share,
    cast(null as double) as backward_participation,
    cast(null as double) as position,
    cast(null as double) as forward_participation
from industries
union all
select
    'io',
    edition,
    year,
    country_iso3,
    sector,
    sector_class,
    country_iso3 in ('{{ var("paradox_countries") | join("', '") }}'),
    cast(null as double),
    cast(null as double),
    cast(null as double),
    cast(null as double),
    cast(null as double),
    input_source_hhi,
    imported_input_share,
    backward_participation,
    position,
    forward_participation
from positions
inner join datasets on datasets.n_on = 1
-- The rest of the world is no country.
where country_iso3 <> 'ROW'
