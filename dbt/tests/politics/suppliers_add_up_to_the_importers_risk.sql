-- Over an importer's suppliers, every risk sums to that of political_exposure.
{% set risks = political_risk_columns() -%}

with suppliers as (
    select
        year,
        importer_code,
        {{ exact_sum('share', bits=100) }} as shares
        {%- for risk in risks %},
        {{ exact_sum(risk, bits=100) }} as {{ risk }}
        {%- endfor %}
    from {{ ref('political_exposure_supplier') }}
    where {{ in_years_of_run() }}
    group by year, importer_code
),

importers as (
    select * from {{ ref('political_exposure') }} where {{ in_years_of_run() }}
)

select importers.year, importers.importer_code
from importers
left join suppliers on importers.year = suppliers.year and importers.importer_code = suppliers.importer_code
where coalesce(abs(suppliers.shares - 1), 1) > 0.000000001
    {%- for risk in risks %}
    or (suppliers.{{ risk }} is null) <> (importers.{{ risk }} is null)
    or abs(suppliers.{{ risk }} - importers.{{ risk }}) > 0.000000001 * importers.{{ risk }} + 0.000000001
    {%- endfor %}
