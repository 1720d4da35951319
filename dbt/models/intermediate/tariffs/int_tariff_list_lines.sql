with lines as (
    select
        *,
        case source when 'ustr_final_lists' then 1 when 'ustr_annexes' then 2 else 3 end as place
    from {{ ref('stg_tariff_lists') }}
),

-- One source for all lists: a union of editions would count a line twice if the schedule split or renumbered it.
first_source as (
    select min(place) as place from lines
),

first_source_of_list_4 as (
    select min(place) as place from lines where list_id in ('4A', '4B')
),

halves_of_list_4 as (
    select lines.hts8, min(lines.list_id) as list_id
    from lines
    inner join first_source_of_list_4 on lines.place = first_source_of_list_4.place
    where lines.list_id in ('4A', '4B')
    group by lines.hts8
    having count(distinct lines.list_id) = 1
),

chosen as (
    select
        lines.hts8,
        case when lines.list_id = '4' then coalesce(halves_of_list_4.list_id, '4') else lines.list_id end as list_id,
        lines.source,
        lines.vintage,
        lines.imports_2017_usd
    from lines
    inner join first_source on lines.place = first_source.place
    left join halves_of_list_4 on lines.hts8 = halves_of_list_4.hts8
)

select
    list_id,
    hts8,
    max(source) as source,
    max(vintage) as vintage,
    max(imports_2017_usd) as imports_2017_usd
from chosen
group by list_id, hts8
