{{ config(materialized='table') }}

{%- set parts = {
    'a_to_c_usd': ('a_code', 'member_code'),
    'c_to_a_usd': ('member_code', 'a_code'),
    'b_to_c_usd': ('b_code', 'member_code'),
    'c_to_b_usd': ('member_code', 'b_code'),
} %}

with loaded_years as (
    select distinct year from {{ ref('int_year_settings') }}
),

totals as (
    select * from {{ ref('bilateral_totals') }}
),

pairs as (
    select * from {{ ref('stg_relocation_pairs') }}
),

thirds as (
    select * from {{ ref('stg_relocation_thirds') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

-- A pair that trades nothing in any loaded year has no row.
trading_pairs as (
    select distinct pairs.exporter_code as a_code, pairs.importer_code as b_code
    from pairs
    inner join totals on pairs.exporter_code = totals.exporter_code and pairs.importer_code = totals.importer_code
),

-- Neither country of the pair is a third country of it, as a member neither.
members as (
    select trading_pairs.a_code, trading_pairs.b_code, thirds.third_code as c_code, thirds.member_code
    from trading_pairs
    cross join thirds
    where thirds.member_code <> trading_pairs.a_code and thirds.member_code <> trading_pairs.b_code
),

triples as (
    select distinct a_code, b_code, c_code from members
),

years_of_pairs as (
    select loaded_years.year, triples.a_code, triples.b_code, triples.c_code
    from loaded_years
    cross join triples
),

with_thirds as (
    {% for part, (exporter, importer) in parts.items() %}
    select
        totals.year,
        members.a_code,
        members.b_code,
        members.c_code,
        '{{ part }}' as part,
        totals.value_usd
    from members
    inner join totals on members.{{ exporter }} = totals.exporter_code and members.{{ importer }} = totals.importer_code
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

summed as (
    select
        year,
        a_code,
        b_code,
        c_code,
        {%- for part in parts %}
        {{ exact_sum("case when part = '" ~ part ~ "' then value_usd else 0 end") }} as {{ part }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from with_thirds
    group by year, a_code, b_code, c_code
),

surpluses as (
    select
        years_of_pairs.year,
        years_of_pairs.a_code,
        years_of_pairs.b_code,
        years_of_pairs.c_code,
        coalesce(summed.a_to_c_usd, 0) - coalesce(summed.c_to_a_usd, 0) as surplus_a_c_usd,
        coalesce(summed.b_to_c_usd, 0) - coalesce(summed.c_to_b_usd, 0) as surplus_b_c_usd,
        coalesce(sold.value_usd, 0) - coalesce(bought.value_usd, 0) as surplus_a_b_usd
    from years_of_pairs
    left join summed
        on years_of_pairs.year = summed.year
        and years_of_pairs.a_code = summed.a_code
        and years_of_pairs.b_code = summed.b_code
        and years_of_pairs.c_code = summed.c_code
    left join totals as sold
        on years_of_pairs.year = sold.year
        and years_of_pairs.a_code = sold.exporter_code
        and years_of_pairs.b_code = sold.importer_code
    left join totals as bought
        on years_of_pairs.year = bought.year
        and years_of_pairs.b_code = bought.exporter_code
        and years_of_pairs.a_code = bought.importer_code
),

base_year as (
    select min(year) as year from loaded_years
),

changes as (
    select
        surpluses.*,
        base.year as base_year,
        surpluses.surplus_a_c_usd - base.surplus_a_c_usd as change_a_c_usd,
        surpluses.surplus_b_c_usd - base.surplus_b_c_usd as change_b_c_usd,
        surpluses.surplus_a_b_usd - base.surplus_a_b_usd as change_a_b_usd
    from surpluses
    inner join surpluses as base
        on surpluses.a_code = base.a_code and surpluses.b_code = base.b_code and surpluses.c_code = base.c_code
    inner join base_year on base.year = base_year.year
)

select
    changes.year,
    changes.a_code,
    a_countries.iso3 as a_iso3,
    a_countries.name as a_name,
    changes.b_code,
    b_countries.iso3 as b_iso3,
    b_countries.name as b_name,
    changes.c_code,
    case when changes.c_code = {{ european_union() }} then 'EUR' else c_countries.iso3 end as c_iso3,
    case when changes.c_code = {{ european_union() }} then 'European Union' else c_countries.name end as c_name,
    changes.surplus_a_c_usd,
    changes.surplus_b_c_usd,
    changes.surplus_a_b_usd,
    changes.base_year,
    changes.change_a_c_usd,
    changes.change_b_c_usd,
    changes.change_a_b_usd,
    case
        when
            {{ comparable_usd('changes.change_a_c_usd') }} < 0
            and {{ comparable_usd('changes.change_b_c_usd') }} > 0
            and {{ comparable_usd('changes.change_a_b_usd') }} > 0
            then least(-changes.change_a_c_usd, changes.change_b_c_usd, changes.change_a_b_usd)
        else 0
    end as shift_usd
from changes
left join countries as a_countries on changes.a_code = a_countries.country_code
left join countries as b_countries on changes.b_code = b_countries.country_code
left join countries as c_countries on changes.c_code = c_countries.country_code
