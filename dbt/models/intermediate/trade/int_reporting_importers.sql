{{ config(materialized='view') }}

with reporters as (
    select * from {{ ref('stg_trade_reporters') }}
)

{%- if var('keep_reimports') %},

reimports as (
    select * from {{ ref('stg_trade_reimports') }}
)
{%- endif %}

select year, reporter_code as importer_code
from reporters
where flow = 'M'
{%- if var('keep_reimports') %}
union
select year, reporter_code
from reimports
where flow = 'M' and value_usd > 0
{%- endif %}
