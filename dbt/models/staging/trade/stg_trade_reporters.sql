select
    year,
    flow,
    reporter_code,
    n_rows
from {{ source('landing', 'trade_reporters') }}
