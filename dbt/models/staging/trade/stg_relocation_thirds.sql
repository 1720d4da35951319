with eu_members as (
    select * from {{ ref('eu_members') }}
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
