-- Weighted with the chapters' parts in imports, every risk sums to that of political_exposure.
{% set risks = political_risk_columns() -%}

with importers as (
    select * from {{ ref('political_exposure') }} where {{ in_years_of_run() }}
),

chapters as (
    select
        industries.year,
        industries.importer_code
        {%- for risk in risks %},
        {{ exact_sum('industries.import_value_usd / importers.import_value_usd * industries.' ~ risk, bits=100) }}
            as {{ risk }}
        {%- endfor %}
    from {{ ref('political_exposure_industry') }} as industries
    inner join importers
        on industries.year = importers.year and industries.importer_code = importers.importer_code
    group by industries.year, industries.importer_code
)

select importers.year, importers.importer_code
from importers
left join chapters on importers.year = chapters.year and importers.importer_code = chapters.importer_code
where chapters.year is null
    {%- for risk in risks %}
    or (chapters.{{ risk }} is null) <> (importers.{{ risk }} is null)
    or abs(chapters.{{ risk }} - importers.{{ risk }}) > 0.000000001 * importers.{{ risk }} + 0.000000001
    {%- endfor %}
