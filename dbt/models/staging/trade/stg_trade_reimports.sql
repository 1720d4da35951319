select
    {{ report_columns() }}
from {{ source('landing', 'trade_reimports') }}
