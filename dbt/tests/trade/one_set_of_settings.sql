-- Every year in the warehouse was computed with the same settings: more than one row here means that some are stale.
select hs_revision, product_scope, keep_reimports, mirror_cif_fob_factor, count(*) as n_years
from {{ ref('int_year_settings') }}
where (
    select count(*)
    from (select distinct hs_revision, product_scope, keep_reimports, mirror_cif_fob_factor from {{ ref('int_year_settings') }}) as settings
) > 1
group by hs_revision, product_scope, keep_reimports, mirror_cif_fob_factor
