with portfolios as (
    select * from {{ ref('int_contagion_groups') }} where group_kind = 'industry'
),

roles as (
    select * from {{ ref('stg_contagion_roles') }}
),

securities as (
    select * from {{ ref('stg_contagion_securities') }}
),

concerned as (
    select
        roles.event_id,
        securities.industry,
        count(case when roles.role = 'supplier' then 1 end) as n_suppliers,
        count(case when roles.role = 'source' then 1 end) as n_sources
    from roles
    inner join securities on roles.security_id = securities.security_id
    where securities.kind = 'stock'
    group by roles.event_id, securities.industry
)

select
    portfolios.event_id,
    portfolios.industry,
    portfolios.event_window as {{ adapter.quote('window') }},
    portfolios.n_firms as n_peers,
    coalesce(concerned.n_suppliers, 0) as n_suppliers,
    coalesce(concerned.n_sources, 0) as n_sources,
    case
        when {{ comparable('portfolios.p_value') }} < 0.05 and portfolios.car < 0 then 'contagion'
        when {{ comparable('portfolios.p_value') }} < 0.05 and portfolios.car > 0 then 'competitive'
        when portfolios.p_value is not null then 'none'
    end as verdict,
    portfolios.reason,
    portfolios.n_obs,
    portfolios.alpha,
    portfolios.beta,
    portfolios.sigma,
    portfolios.car,
    portfolios.car_se,
    portfolios.t,
    portfolios.p_value,
    portfolios.car_vw,
    portfolios.caar as peer_caar,
    portfolios.t_cross,
    portfolios.bmp,
    portfolios.mean_correlation,
    portfolios.kp,
    portfolios.n_negative,
    portfolios.sign_p
from portfolios
left join concerned
    on portfolios.event_id = concerned.event_id and portfolios.industry = concerned.industry
