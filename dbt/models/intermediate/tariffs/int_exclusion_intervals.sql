with exclusions as (
    select * from {{ ref('stg_tariff_exclusions') }}
),

lists as (
    select * from {{ ref('tariff_list_terms') }}
),

tranches as (
    select * from {{ ref('exclusion_tranches') }}
),

extended_items as (
    select * from {{ ref('exclusion_item_extensions') }}
),

-- The note has every grant and extension of a list; the notices would repeat the grants.
lists_in_note as (
    select distinct list_id from exclusions where source = 'htsus_note_20'
),

used as (
    select exclusions.*
    from exclusions
    left join lists_in_note on exclusions.list_id = lists_in_note.list_id
    where exclusions.source = 'htsus_note_20' or lists_in_note.list_id is null
),

with_terms as (
    select
        used.list_id,
        used.hts10,
        used.hs6,
        used.source,
        used.document,
        used.item,
        coalesce(tranches.kind, 'grant') as kind,
        coalesce(tranches.valid_from, lists.effective_date) as term_from,
        case
            when extended_items.note is not null then extended_items.valid_to
            when tranches.note is not null then tranches.valid_to
            when used.granted_date is not null then
                coalesce(lists.exclusions_expire, cast({{ dbt.dateadd('year', 1, 'used.granted_date') }} as date))
        end as term_to,
        case
            when extended_items.note is not null then extended_items.basis
            when tranches.note is not null then tranches.basis
            when used.granted_date is null then 'end_unknown'
            when lists.exclusions_expire is not null then 'stated'
            else 'one_year_rule'
        end as validity_basis,
        used.valid_from as text_from,
        used.valid_to as text_to
    from used
    left join lists on used.list_id = lists.list_id
    left join tranches on used.document = tranches.note
    left join extended_items on used.document = extended_items.note and used.item = extended_items.item
),

-- Dates in an exclusion's own text shorten the term of its paragraph for the code that they are stated for.
narrowed as (
    select
        list_id,
        hts10,
        hs6,
        source,
        document,
        item,
        kind,
        case when text_from > term_from then text_from else term_from end as valid_from,
        case when text_to < term_to or term_to is null then coalesce(text_to, term_to) else term_to end as valid_to,
        validity_basis,
        text_from is not null or text_to is not null as has_dates_in_text
    from with_terms
)

select *
from narrowed
-- A code that begins only after the end of its paragraph's term was never in force.
where valid_from is not null and (valid_to is null or valid_from <= valid_to)
