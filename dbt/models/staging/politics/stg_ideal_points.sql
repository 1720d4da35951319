select
    ccode,
    session,
    iso3,
    year,
    ideal_point,
    n_votes
from {{ source('landing_politics', 'ideal_points') }}
