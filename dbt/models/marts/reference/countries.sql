with countries as (
    select * from {{ ref('stg_countries') }}
),

regions as (
    select * from {{ ref('country_regions') }}
),

memberships as (
    select * from {{ ref('country_memberships') }}
),

{% set groups = ['eu', 'g7', 'g20', 'asean', 'oecd'] -%}
-- Several codes may share an ISO code (250 and 251 are France), so memberships go by that.
dated as (
    select
        iso3,
        {% for each in groups -%}
        max(case when membership = '{{ each }}' then valid_from end) as {{ each }}_since,
        max(case when membership = '{{ each }}' then valid_to end) as {{ each }}_until
        {%- if not loop.last %},
        {% endif %}
        {%- endfor %}
    from memberships
    group by iso3
)

select
    countries.country_code,
    countries.iso3,
    countries.iso2,
    countries.name,
    regions.region,
    regions.sub_region,
    regions.trade_region,
    {% for each in groups -%}
    dated.{{ each }}_since,
    dated.{{ each }}_until,
    {% endfor -%}
    dated.eu_since is not null and dated.eu_until is null as is_eu27
from countries
left join regions on countries.country_code = regions.country_code
left join dated on countries.iso3 = dated.iso3
