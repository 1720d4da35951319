{{ config(materialized='table') }}

with tests as (
    select * from {{ ref('int_paradox_tests') }}
)

select
    level,
    edition,
    year_from,
    year_to,
    country,
    reliance,
    competitiveness,
    sector_class,
    n,
    n_used,
    n_clusters,
    few_clusters,
    slope,
    std_error,
    t_value,
    p_value,
    wild_p_value,
    rank_correlation,
    rank_p_value
from tests
