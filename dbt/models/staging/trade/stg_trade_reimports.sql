select
    year,
    flow,
    reporter_code,
    partner_code,
    hs_revision,
    revision_assumed,
    cmd_code,
    value_usd,
    quantity,
    quantity_unit,
    source
from {{ source('landing', 'trade_reimports') }}
