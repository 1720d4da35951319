with firms as (
    select * from {{ ref('int_contagion_firms') }}
)

select
    event_id,
    security_id,
    event_window as {{ adapter.quote('window') }},
    industry,
    role,
    day_zero,
    n_obs,
    n_window,
    zero_share,
    thin,
    alpha,
    beta,
    sigma,
    car,
    car_se,
    t,
    p_value,
    q_value,
    car_dimson,
    reason
from firms
