with memberships as (
    select * from {{ ref('country_memberships') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

-- Those of today in every year, so that years can be compared.
eu_members as (
    select countries.country_code
    from memberships
    inner join countries on memberships.iso3 = countries.iso3
    where memberships.membership = 'eu' and memberships.valid_to is null
),

thirds as (
    {% for code in var('relocation_thirds') %}
    select cast({{ code }} as integer) as third_code
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select third_code, third_code as member_code
from thirds
where third_code <> {{ european_union() }}
union all
select thirds.third_code, eu_members.country_code
from thirds
cross join eu_members
where thirds.third_code = {{ european_union() }}
