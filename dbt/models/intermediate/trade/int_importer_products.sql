with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
)

{{ concentration_of_imports('flows') }}
