with intervals as (
    select *, coalesce(valid_to, cast('9999-12-31' as date)) as last_day
    from {{ ref('int_exclusion_intervals') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

with_previous_end as (
    select
        *,
        max(last_day) over (
            partition by list_id, hts10
            order by valid_from nulls last, last_day nulls last, document nulls last, item nulls last
            rows between unbounded preceding and 1 preceding
        ) as previous_end
    from intervals
),

-- Intervals that overlap, or follow each other without a gap, are one interval.
numbered as (
    select
        *,
        sum(
            case
                when previous_end is null then 1
                when valid_from > cast({{ dbt.dateadd('day', 1, 'previous_end') }} as date) then 1
                else 0
            end
        ) over (
            partition by list_id, hts10
            order by valid_from nulls last, last_day nulls last, document nulls last, item nulls last
            rows between unbounded preceding and current row
        ) as island
    from with_previous_end
),

documents as (
    select list_id, hts10, island, {{ dbt.listagg('document', "'; '", 'order by document nulls last') }} as document
    from (select distinct list_id, hts10, island, document from numbered) as named
    group by list_id, hts10, island
),

merged as (
    select
        list_id,
        hts10,
        island,
        max(hs6) as hs6,
        min(valid_from) as valid_from,
        nullif(max(last_day), cast('9999-12-31' as date)) as valid_to,
        count(distinct document || ' ' || item) as n_items,
        count(distinct case when kind <> 'grant' then document || ' ' || item end) as n_extensions,
        max(
            case validity_basis when 'stated' then 1 when 'reported' then 2 when 'one_year_rule' then 3 else 4 end
        ) as weakest_basis
    from numbered
    group by list_id, hts10, island
)

select
    merged.list_id,
    merged.hts10,
    merged.valid_from,
    merged.valid_to,
    documents.document,
    merged.n_items,
    merged.n_extensions,
    merged.hs6,
    products.hs6_name,
    case merged.weakest_basis
        when 1 then 'stated' when 2 then 'reported' when 3 then 'one_year_rule' else 'end_unknown'
    end as validity_basis
from merged
inner join documents
    on merged.list_id = documents.list_id and merged.hts10 = documents.hts10 and merged.island = documents.island
left join products on merged.hs6 = products.hs6
