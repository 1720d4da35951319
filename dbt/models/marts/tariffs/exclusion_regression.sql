select
    specification,
    term,
    estimate,
    std_error,
    z_value,
    p_value,
    odds_ratio,
    n,
    n_granted,
    n_clusters,
    pseudo_r2,
    note
from {{ ref('int_exclusion_regression') }}
