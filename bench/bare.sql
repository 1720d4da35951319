-- The benchmark's other side: the same BACI files to the same marts in plain DuckDB SQL, with no archive, checks,
-- orchestration, history or manifest. Written by hand, from the definitions of the marts.
--
-- Run by bench/run.py with the output directory as working directory; variables: drop (the drop folder), seeds (the
-- folder of the project's CSV files). BACI needs no mirroring and HS17 no conversion, so neither is here.

set preserve_insertion_order = false;

create temp table countries as
select country_code as code,
    case country_code when 490 then 'TWN' else country_iso3 end as iso3,
    case country_code when 490 then 'Taiwan (Other Asia, nes)' else country_name end as name
from read_csv(getvariable('drop') || '/baci/country_codes_*.csv');

-- Names joined to millions of flows are written to Parquet as numbers of a short list, in three quarters of the time.
create type iso3_code as enum (select distinct iso3 from countries where iso3 is not null);
create type country_name as enum (select distinct name from countries where name is not null);
create temp table coded_countries as select code, iso3::iso3_code as iso3, name::country_name as name from countries;

create temp table products as
select hs6, description as hs6_name, bec4, left(hs6, 2) as hs2,
    hs6 <> '999999' and bec4 in ('111', '121', '21', '22', '31', '322', '42', '53') as in_scope,
    case
        when bec4 in ('111', '121', '21', '22', '31', '322', '42', '53') then 'intermediate'
        when bec4 in ('41', '521') then 'capital'
        when bec4 in ('112', '122', '522', '61', '62', '63') then 'consumption'
        else 'other'
    end as bec_class
from read_csv(getvariable('drop') || '/reference/hs2017_bec.csv', all_varchar = true);

create type good_name as enum (select distinct hs6_name from products where hs6_name is not null);

create temp table chapters as select * from read_csv(getvariable('seeds') || '/reference/hs2_chapters.csv', all_varchar = true);

create temp table sectors as
select * from read_csv(getvariable('seeds') || '/trade/price_sectors.csv', types = {'hs6': 'varchar'})
where hs_revision = 'H5';

create temp table flows as
select t as year, i as exporter_code, j as importer_code, k as hs6, v * 1000 as value_usd,
    nullif(try_cast(q as double), 0) as quantity
from read_csv(
    getvariable('drop') || '/baci/BACI_HS17_Y*.csv',
    columns = {'t': 'integer', 'i': 'integer', 'j': 'integer', 'k': 'varchar', 'v': 'double', 'q': 'varchar'}
);

create temp table imports as
with summed as (
    select year, importer_code, hs6, count(*) as n_suppliers, sum(value_usd) as import_value_usd,
        sum(value_usd * value_usd) as sum_of_squares,
        arg_max(exporter_code, round(value_usd * 100)::hugeint * 10000 - exporter_code) as top_supplier_code, max(value_usd) as top_value_usd
    from flows group by all
)
select * exclude (sum_of_squares), sum_of_squares / import_value_usd ** 2 as import_hhi from summed;

create temp table exports as
with summed as (
    select year, exporter_code, hs6, count(*) as n_buyers, sum(value_usd) as export_value_usd,
        coalesce(sum(value_usd) filter (quantity is not null), 0) as known_value_usd,
        coalesce(sum(quantity), 0) as known_quantity, sum(value_usd / import_value_usd) as shares, sum(value_usd / import_value_usd * n_suppliers) as weighted_shares
    from flows join imports using (year, importer_code, hs6) group by all
)
select *, rank() over (partition by year, hs6 order by round(export_value_usd, 2) desc) as place,
    row_number() over (partition by year, hs6 order by round(export_value_usd, 2) desc, exporter_code) as row_place
from summed;

attach 'chokepoint.duckdb' as release (storage_version 'v1.0.0');
create schema release.marts;

create table release.marts.product_centrality as
with traders as (
    select year, hs6, count(distinct code) as n_countries
    from (
        select year, hs6, exporter_code as code from exports
        union all
        select year, hs6, importer_code from imports
    ) group by all
),
importers as (
    select year, hs6, count(*) as n_importers from imports group by all
),
exporters as (
    select year, hs6, count(*) as n_exporters, sum(export_value_usd) as world_exports_usd,
        sum(export_value_usd ** 2) / sum(export_value_usd) ** 2 as export_hhi,
        sum(weighted_shares) as c, sum(weighted_shares ** 2) as c2, sum(shares) as s, sum(shares ** 2) as s2,
        max(exporter_code) filter (row_place = 1) as top_exporter_code,
        max(export_value_usd) / sum(export_value_usd) as top_exporter_share,
        sum(export_value_usd) filter (row_place <= 3) / sum(export_value_usd) as top3_exporter_share
    from exports group by all
),
-- The standard deviation over all traders, of whom those that do not export count 0.
measured as (
    select year, hs6, hs6_name, left(hs6, 2) as hs2, bec4, coalesce(in_scope, false) as in_scope, world_exports_usd,
        n_exporters, n_importers, n_countries,
        case when n_countries >= 3
            then sqrt(greatest(c2 / n_countries - (c / n_countries) ** 2, 0)) / (n_countries - 1)
        end as export_centrality,
        case when n_countries >= 3
            then sqrt(greatest(s2 / n_countries - (s / n_countries) ** 2, 0)) / (n_countries - 1)
        end as export_centrality_share,
        export_hhi, top_exporter_code, top_exporter_share, top3_exporter_share
    from exporters join importers using (year, hs6) join traders using (year, hs6) left join products using (hs6)
),
ranked as (
    select year, hs6, cume_dist() over (partition by year order by round(export_centrality, 12)) as centrality_percentile,
        round(export_centrality, 12) >= quantile_cont(round(export_centrality, 12), 0.75) over (partition by year)
            as high_centrality
    from measured where in_scope and export_centrality is not null
),
pooled as (
    select quantile_cont(round(export_centrality, 12), 0.75) as p75, count(distinct year) as n_years
    from measured where in_scope and export_centrality is not null and year in (2017, 2018)
)
select measured.* exclude (top_exporter_code, top_exporter_share, top3_exporter_share),
    top_exporter_code, iso3 as top_exporter_iso3, name as top_exporter_name, top_exporter_share, top3_exporter_share,
    case when in_scope then coalesce(high_centrality, false) end as high_centrality, centrality_percentile,
    case when in_scope and n_years = 2 then coalesce(round(export_centrality, 12) >= p75, false) end
        as high_centrality_pooled
from measured left join ranked using (year, hs6) cross join pooled left join countries on code = top_exporter_code;

-- Every mart by pairs of countries comes from these sums: all flows are read once for them.
create temp table pairs as
select year, exporter_code, importer_code, left(hs6, 2) as hs2, coalesce(bec_class, 'other') as bec_class,
    coalesce(in_scope, false) as in_scope, sum(value_usd) as value_usd, count(*) as n_goods
from flows left join products using (hs6) group by all;

create table release.marts.bilateral_totals as
with totals as (
    select year, exporter_code, importer_code, sum(value_usd) as value_usd,
        coalesce(sum(value_usd) filter (in_scope), 0) as in_scope_value_usd, sum(n_goods)::bigint as n_goods
    from pairs group by all
)
select year, exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name,
    importer_code, i.iso3 as importer_iso3, i.name as importer_name,
    value_usd, in_scope_value_usd, n_goods, false as is_mirror
from totals join countries as e on e.code = exporter_code join countries as i on i.code = importer_code;

create table release.marts.destination_ranks as
select year, exporter_code, exporter_iso3, exporter_name, importer_code, importer_iso3, importer_name, value_usd,
    rank() over (partition by year, exporter_code order by round(value_usd, 2) desc) as destination_rank,
    case when importer_code <> 344 then rank() over (
        partition by year, exporter_code, importer_code = 344 order by round(value_usd, 2) desc
    ) end as destination_rank_without_hkg,
    null::double as exporter_reported_usd, null::bigint as destination_rank_exporter_report, is_mirror
from release.marts.bilateral_totals;

create table release.marts.relocation as
with classes as (
    select year, exporter_code, importer_code, bec_class, sum(value_usd) as value_usd, sum(n_goods)::bigint as n_goods
    from pairs group by all
)
select year, exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name,
    importer_code, i.iso3 as importer_iso3, i.name as importer_name, bec_class, value_usd, n_goods,
    value_usd / sum(value_usd) over (partition by year, exporter_code, importer_code) as share
from classes join countries as e on e.code = exporter_code join countries as i on i.code = importer_code;

create table release.marts.shock_exposure_industry as
with exposed as (
    select year, exporter_code, importer_code, hs2, sum(value_usd) as usd, sum(n_goods)::bigint as n_goods
    from pairs where in_scope group by all
)
select year, exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name,
    importer_code, i.iso3 as importer_iso3, i.name as importer_name, hs2, hs2_name, usd as exposed_value_usd, n_goods,
    0.02::double as cut, 0.02::double * usd as loss_usd,
    usd / sum(usd) over (partition by year, importer_code, hs2) as exposure_share
from exposed join countries as e on e.code = exporter_code join countries as i on i.code = importer_code
left join chapters using (hs2);

create table release.marts.shock_exposure as
with exposed as (
    select year, exporter_code, any_value(exporter_iso3) as exporter_iso3, any_value(exporter_name) as exporter_name,
        importer_code, any_value(importer_iso3) as importer_iso3, any_value(importer_name) as importer_name,
        sum(exposed_value_usd) as usd, sum(n_goods)::bigint as n_goods
    from release.marts.shock_exposure_industry group by year, exporter_code, importer_code
)
select * exclude (usd, n_goods), usd as exposed_value_usd, n_goods, 0.02::double as cut, 0.02::double * usd as loss_usd,
    usd / sum(usd) over (partition by year, importer_code) as exposure_share
from exposed;

-- China (156) delivers nothing, and the others a tenth of their exports in addition.
create table release.marts.supplier_removal as
with world as (
    select year, hs6, sum(export_value_usd) filter (exporter_code = 156) as removed_usd,
        count(*) filter (exporter_code <> 156) as n_other_exporters,
        0.1::double * coalesce(sum(export_value_usd) filter (exporter_code <> 156), 0) as pool_usd
    from exports group by all
),
lost as (
    select year, exporter_code, importer_code, hs6, hs6_name, left(hs6, 2) as hs2,
        coalesce(in_scope, false) as in_scope, value_usd as lost_usd, import_value_usd,
        value_usd / import_value_usd as lost_share, n_other_exporters, pool_usd,
        least(1.0, pool_usd / removed_usd) as replaceable_share,
        least(1.0, pool_usd / value_usd) as replaceable_share_alone
    from (from flows where exporter_code = 156) join imports using (year, importer_code, hs6)
    join world using (year, hs6) left join products using (hs6)
)
select year, exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name,
    importer_code, i.iso3 as importer_iso3, i.name as importer_name,
    lost.* exclude (year, exporter_code, importer_code), lost_usd * (1 - replaceable_share) as shortfall_usd
from lost join countries as e on e.code = exporter_code join countries as i on i.code = importer_code;

create table release.marts.supplier_removal_summary as
with summed as (
    select year, exporter_code, any_value(exporter_iso3) as exporter_iso3, any_value(exporter_name) as exporter_name,
        importer_code, any_value(importer_iso3) as importer_iso3, any_value(importer_name) as importer_name,
        count(*) as n_goods, count(*) filter (round(replaceable_share, 12) < 0.5) as n_irreplaceable,
        sum(r.lost_usd) as lost_usd, sum(r.shortfall_usd) as shortfall_usd
    from release.marts.supplier_removal as r where in_scope group by year, exporter_code, importer_code
),
bought as (select year, importer_code, sum(value_usd) as usd from pairs where in_scope group by all)
select summed.*, lost_usd / usd as lost_share, shortfall_usd / usd as shortfall_share,
    1 - shortfall_usd / lost_usd as replaceable_share
from summed join bought using (year, importer_code);

-- Exporters' chapters and sectors; goods of the seed price_basis are counted, and BACI has no numbers of pieces.
create temp table supply as
with goods as (
    select exports.*, left(hs6, 2) as hs2,
        left(hs6, 4) in (
            select heading from read_csv(getvariable('seeds') || '/trade/price_basis.csv', all_varchar = true)
        ) as is_counted
    from exports
),
grouped as (
    select 'hs2' as product_level, hs2 as product_code, goods.* from goods
    union all
    select 'sector', sector_id, goods.* from goods join sectors using (hs6) where year >= coalesce(from_year, 0)
)
select year, product_level, product_code, exporter_code, sum(export_value_usd) as export_value_usd,
    coalesce(sum(known_value_usd) filter (not is_counted), 0) as known_value_usd,
    coalesce(sum(known_quantity) filter (not is_counted), 0) as known_quantity,
    bool_or(is_counted) as some_counted, bool_and(is_counted) as all_counted
from grouped group by all;

create temp table product_names as
select 'hs2' as product_level, hs2 as product_code, hs2_name as product_name from chapters
union all
select 'sector', sector_id, max(name) from sectors group by all;

create table release.marts.capacity_concentration as
with placed as (
    select *, row_number() over (
        partition by year, product_level, product_code order by round(export_value_usd, 2) desc, exporter_code
    ) as place
    from supply
),
measured as (
    select year, product_level, product_code, sum(export_value_usd) as usd, count(*) as n_exporters,
        max(exporter_code) filter (place = 1) as top1_code,
        max(export_value_usd) filter (place = 1) / usd as top1_share,
        sum(export_value_usd) filter (place <= 3) / usd as top3_share, sum(export_value_usd ** 2) / usd ** 2 as hhi
    from placed group by all
)
select m.year, product_level, product_code, product_name, m.usd as world_exports_usd, m.n_exporters, m.top1_code,
    iso3 as top1_iso3, name as top1_name, m.top1_share, m.top3_share, m.hhi as export_hhi,
    1 / m.hhi as effective_exporters, m.top3_share - earlier.top3_share as top3_change_5y
from measured as m left join countries on code = m.top1_code left join product_names using (product_level, product_code)
left join (select * replace (year + 5 as year) from measured) as earlier using (year, product_level, product_code);

create table release.marts.supply_share as
with shares as (
    select year, product_level, product_code, exporter_code, export_value_usd,
        sum(export_value_usd) over product as world_usd, export_value_usd / world_usd as value_share,
        case
            when bool_or(some_counted) over product = bool_and(all_counted) over product
                and round(sum(known_value_usd) over product / world_usd, 12) >= 0.6
                then known_quantity / nullif(sum(known_quantity) over product, 0)
        end as quantity_share,
        rank() over (
            partition by year, product_level, product_code order by round(export_value_usd, 2) desc
        ) as export_rank
    from supply window product as (partition by year, product_level, product_code)
)
select s.year, product_level, product_code, product_name, exporter_code, iso3 as exporter_iso3, name as exporter_name,
    s.export_value_usd, s.value_share, s.export_rank, s.quantity_share,
    case when traded.year is not null then s.value_share - coalesce(earlier.value_share, 0) end as share_change_5y
from shares as s join countries on code = exporter_code left join product_names using (product_level, product_code)
left join (select distinct year + 5 as year, product_level, product_code from shares) as traded
    using (year, product_level, product_code)
left join (select * replace (year + 5 as year) from shares) as earlier
    using (year, product_level, product_code, exporter_code);

-- The European Union of 27 as one economy: what its members trade with others, under its code.
create temp table members as
select code from countries
where iso3 in (
    select iso3 from read_csv(getvariable('seeds') || '/reference/country_memberships.csv', all_varchar = true)
    where membership = 'eu' and valid_to is null
);
create temp table economies as
from countries union all select 97 as code, 'EUR' as iso3, 'European Union (27)' as name;
create temp table union_flows as
select year, hs6, if(e.code is null, exporter_code, 97) as exporter_code,
    if(i.code is null, importer_code, 97) as importer_code, sum(value_usd) as value_usd
from flows left join members as e on e.code = exporter_code left join members as i on i.code = importer_code
where (e.code is null) <> (i.code is null)
group by all;
create temp table union_exports as
select u.year, 97 as exporter_code, u.hs6, u.export_value_usd, 1 + count(x.hs6) as place
from (
    select year, hs6, sum(value_usd) as export_value_usd from union_flows where exporter_code = 97 group by all
) as u
left join (select * from exports anti join members on code = exporter_code) as x
    on x.year = u.year and x.hs6 = u.hs6 and round(x.export_value_usd, 2) > round(u.export_value_usd, 2)
group by all;

create table release.marts.exporter_position as
with counted as (
    select year, exporter_code,
        count(*) filter (in_scope) as n_goods,
        count(*) filter (in_scope and place = 1) as n_rank1,
        count(*) filter (in_scope and place <= 3) as n_top3,
        count(*) filter (high_centrality) as n_high_centrality,
        count(*) filter (high_centrality and place = 1) as n_high_centrality_rank1,
        count(*) filter (high_centrality and place <= 3) as n_high_centrality_top3,
        sum(export_value_usd) as export_value_usd,
        sum(export_value_usd) filter (in_scope) as in_scope_export_value_usd
    from (
        select year, exporter_code, hs6, export_value_usd, place from exports
        union all by name
        from union_exports
    ) join release.marts.product_centrality using (year, hs6) group by all
)
select year, exporter_code, iso3 as exporter_iso3, name as exporter_name,
    if(exporter_code = 97, 'union', 'country') as economy_kind, n_goods, n_rank1, n_top3,
    n_high_centrality, n_high_centrality_rank1, n_high_centrality_top3,
    n_rank1 / n_goods as rank1_share, n_top3 / n_goods as top3_share,
    n_high_centrality_rank1 / nullif(n_high_centrality, 0) as high_centrality_rank1_share,
    n_high_centrality_top3 / nullif(n_high_centrality, 0) as high_centrality_top3_share,
    if(
        exporter_code = 97,
        rank() over (partition by year, exporter_code in (from members) order by n_high_centrality desc),
        rank() over (partition by year, exporter_code = 97 order by n_high_centrality desc)
    ) as high_centrality_rank,
    export_value_usd, in_scope_export_value_usd
from counted join economies on code = exporter_code
where n_goods > 0;

create table release.marts.import_vulnerability as
with goods as (
    select i.*, p.hs6_name, p.hs2, p.in_scope, p.high_centrality, p.centrality_percentile,
        coalesce(x.export_value_usd, 0) as export_value_usd
    from (
        from imports
        union all by name
        select year, importer_code, hs6, sum(value_usd) as import_value_usd, count(*) as n_suppliers,
            sum(value_usd ** 2) / sum(value_usd) ** 2 as import_hhi,
            arg_max(exporter_code, (round(value_usd, 2), -exporter_code)) as top_supplier_code,
            max(value_usd) as top_value_usd
        from union_flows where importer_code = 97 group by all
    ) as i
    join release.marts.product_centrality as p using (year, hs6)
    left join (
        select year, exporter_code, hs6, export_value_usd from exports
        union all by name
        select year, exporter_code, hs6, export_value_usd from union_exports
    ) as x on x.year = i.year and x.exporter_code = i.importer_code and x.hs6 = i.hs6
),
scoped as (
    select year, importer_code, hs6,
        cume_dist() over (partition by year, importer_code order by round(import_hhi, 12)) as concentration_percentile
    from goods where in_scope
),
thresholds as (
    select year, importer_code, quantile_cont(round(import_hhi, 12), 0.75) as p75 from goods where in_scope group by all
),
flagged as (
    select goods.*, concentration_percentile, case when in_scope then round(import_hhi, 12) >= p75 end as high_concentration
    from goods left join scoped using (year, importer_code, hs6) left join thresholds using (year, importer_code)
)
select year, importer_code, c.iso3 as importer_iso3, c.name as importer_name,
    if(importer_code = 97, 'union', 'country') as economy_kind, hs6, hs6_name, hs2, in_scope,
    false as is_mirror,
    import_value_usd, n_suppliers, import_hhi, 1 / import_hhi as effective_suppliers,
    top_supplier_code, s.iso3 as top_supplier_iso3, s.name as top_supplier_name,
    top_value_usd / import_value_usd as top_supplier_share, high_concentration, high_centrality,
    case
        when in_scope then case
            when high_centrality and high_concentration then 1 when high_centrality then 2
            when high_concentration then 3 else 4
        end
    end as category,
    sqrt(centrality_percentile * concentration_percentile) as vulnerability_index,
    export_value_usd, import_value_usd / nullif(export_value_usd, 0) as cdi3,
    import_value_usd / (import_value_usd + export_value_usd) as net_import_ratio,
    round(import_hhi, 12) > 0.4 and (export_value_usd = 0 or (
        round(import_value_usd / (import_value_usd + export_value_usd), 12) > 0.5
        and round(import_value_usd / export_value_usd, 12) > 1
    )) as eu_dependent,
    0::double as unallocated_value_usd, 0::double as unallocated_share
from flagged join economies as c on c.code = importer_code join countries as s on s.code = top_supplier_code;

create table release.marts.vulnerability_summary as
select year, importer_code, any_value(importer_iso3) as importer_iso3, any_value(importer_name) as importer_name,
    any_value(economy_kind) as economy_kind, category, count(*) as n_goods,
    count(*) / sum(count(*)) over (partition by year, importer_code) as goods_share,
    sum(import_value_usd) as import_value_usd,
    sum(import_value_usd) / sum(sum(import_value_usd)) over (partition by year, importer_code) as value_share
from release.marts.import_vulnerability where in_scope group by year, importer_code, category;

create table release.marts.industry_vulnerability as
with industries as (
    select year, importer_code, any_value(importer_iso3) as importer_iso3, any_value(importer_name) as importer_name,
        any_value(economy_kind) as economy_kind, hs2, count(*) as n_goods, sum(import_value_usd) as import_value_usd,
        sum(import_value_usd * coalesce(vulnerability_index, 0)) as weighted,
        avg(vulnerability_index) as vulnerability_mean,
        count(*) - count(vulnerability_index) as n_goods_without_index,
        coalesce(sum(import_value_usd) filter (vulnerability_index is not null), 0) / sum(import_value_usd)
            as indexed_value_share,
        count(*) filter (category = 1) as n_category1
    from release.marts.import_vulnerability where in_scope group by year, importer_code, hs2
),
weighed as (
    select *, weighted / sum(import_value_usd) over (partition by year, importer_code) as vulnerability
    from industries
)
select year, importer_code, importer_iso3, importer_name, economy_kind, hs2, hs2_name, n_goods, import_value_usd,
    vulnerability, vulnerability_mean, n_goods_without_index, indexed_value_share, n_category1,
    rank() over (partition by year, importer_code order by round(vulnerability, 12) desc) as rank,
    vulnerability / nullif(
        lead(vulnerability) over (partition by year, importer_code order by round(vulnerability, 12) desc, hs2), 0
    ) as ratio_to_next
from weighed left join chapters using (hs2);

-- Ten suppliers of each good, and all others as one row under the code 0.
create table release.marts.import_suppliers as
with placed as (
    select f.*, export_value_usd, x.place as export_rank, n_buyers > 1 as supplies_others,
        if(n_buyers > 1, greatest(0.01, export_value_usd - value_usd), 0) as exports_to_others_usd,
        row_number() over (
            partition by year, importer_code, hs6 order by round(value_usd, 2) desc, exporter_code
        ) as supplier_rank
    from flows as f join exports as x using (year, exporter_code, hs6)
),
suppliers as (
    select year, importer_code, hs6, exporter_code as supplier_code, value_usd, supplier_rank, 1::bigint as n_suppliers,
        export_value_usd, export_rank, supplies_others, exports_to_others_usd
    from placed where supplier_rank <= 10
    union all
    select year, importer_code, hs6, 0, sum(value_usd), 11, count(*), sum(export_value_usd), null,
        bool_or(supplies_others), sum(exports_to_others_usd)
    from placed where supplier_rank > 10 group by year, importer_code, hs6
)
select year, importer_code, i.iso3 as importer_iso3, i.name as importer_name, hs6, hs6_name, hs2, supplier_code,
    e.iso3 as supplier_iso3,
    if(
        supplier_code <> 0, e.name,
        'Rest of the world (' || s.n_suppliers || if(s.n_suppliers = 1, ' supplier)', ' suppliers)')
    ) as supplier_name,
    value_usd, value_usd / import_value_usd as share, supplier_rank, s.n_suppliers,
    export_value_usd as world_exports_usd, export_value_usd / p.world_exports_usd as world_export_share,
    export_rank as world_export_rank, exports_to_others_usd, supplies_others,
    case when n_importers > 1
        then least(1.0, exports_to_others_usd / greatest(0.01, p.world_exports_usd - import_value_usd))
    end as outside_share
from suppliers as s join imports using (year, importer_code, hs6)
join release.marts.product_centrality as p using (year, hs6)
left join countries as i on i.code = importer_code left join countries as e on e.code = supplier_code;

-- Importers' groups of goods: chapters, headings, sectors, all, and those in scope; suppliers by region.
create temp table regions as
select country_code as code, trade_region
from read_csv(getvariable('seeds') || '/reference/country_regions.csv', nullstr = '');
create temp table sector_goods as
select sector_id, hs6, min(coalesce(from_year, 0)) as from_year from sectors group by all;

create temp table import_regions as
with headings as (
    select year, importer_code, exporter_code, left(hs6, 4) as hs4, sum(value_usd) as value_usd,
        sum(value_usd) filter (in_scope) as scope_usd
    from flows left join products using (hs6) group by all
),
suppliers as (
    select year, importer_code, exporter_code, 'hs4' as product_level, hs4 as product_code, value_usd from headings
    union all
    select year, importer_code, exporter_code, 'hs2', left(hs4, 2) as hs2, sum(value_usd) from headings
    group by year, importer_code, exporter_code, hs2
    union all
    select year, importer_code, exporter_code, 'all', 'all', sum(value_usd) from pairs
    group by year, importer_code, exporter_code
    union all
    select year, importer_code, exporter_code, 'scope', 'scope', sum(value_usd) from pairs where in_scope
    group by year, importer_code, exporter_code
    union all
    select year, importer_code, exporter_code, 'sector', sector_id, sum(value_usd)
    from flows join sector_goods using (hs6) where year >= from_year
    group by year, importer_code, exporter_code, sector_id
)
select year, importer_code, product_level, product_code, coalesce(trade_region, 'no region') as trade_region,
    count(*) as n_suppliers, sum(value_usd) as import_value_usd,
    arg_max(exporter_code, round(value_usd * 100)::hugeint * 10000 - exporter_code) as top_supplier_code,
    max(value_usd) as top_usd
from suppliers left join regions on code = exporter_code group by all;

create table release.marts.diversification as
with goods as (
    select year, importer_code, hs6, coalesce(in_scope, false) as in_scope,
        import_value_usd / import_hhi as weighted
    from imports left join products using (hs6)
),
levels as (
    select year, importer_code, 'hs4' as product_level, left(hs6, 4) as product_code, weighted from goods
    union all
    select year, importer_code, 'hs2', left(hs6, 2), weighted from goods
    union all
    select year, importer_code, 'all', 'all', weighted from goods
    union all
    select year, importer_code, 'scope', 'scope', weighted from goods where in_scope
    union all
    select year, importer_code, 'sector', sector_id, weighted
    from goods join sector_goods using (hs6) where year >= from_year
),
effective as (
    select year, importer_code, product_level, product_code, count(*) as n_goods, sum(weighted) as weighted
    from levels group by all
),
groups as (
    select year, importer_code, product_level, product_code, any_value(home.trade_region) as importer_region,
        sum(n_suppliers)::bigint as n_suppliers, sum(import_value_usd) as usd,
        coalesce(sum(import_value_usd) filter (r.trade_region = home.trade_region), 0) as own_usd,
        arg_max(top_supplier_code, round(top_usd * 100)::hugeint * 10000 - top_supplier_code) as top_supplier_code,
        max(top_usd) as top_usd
    from import_regions as r left join regions as home on home.code = importer_code group by all
),
measured as (
    select *, weighted / usd as effective_suppliers, if(importer_region is not null, own_usd / usd, null) as own_share,
        top_usd / usd as top_share
    from groups join effective using (year, importer_code, product_level, product_code)
)
select m.year, m.importer_code, i.iso3 as importer_iso3, i.name as importer_name, m.importer_region, m.product_level,
    m.product_code, m.n_goods, m.n_suppliers, m.usd as import_value_usd, m.effective_suppliers,
    m.own_share as own_region_share, m.top_supplier_code, s.iso3 as top_supplier_iso3, s.name as top_supplier_name,
    m.top_share as top_supplier_share, m.usd / earlier.usd - 1 as import_value_growth_5y,
    m.effective_suppliers - earlier.effective_suppliers as effective_suppliers_change_5y,
    m.own_share - earlier.own_share as own_region_share_change_5y,
    m.top_share - earlier.top_share as top_supplier_share_change_5y
from measured as m
left join (select * replace (year + 5 as year) from measured) as earlier
    using (year, importer_code, product_level, product_code)
left join countries as i on i.code = m.importer_code left join countries as s on s.code = m.top_supplier_code;

create table release.marts.diversification_regions as
select r.year, r.importer_code, d.importer_iso3, d.importer_name, r.product_level, r.product_code, r.trade_region,
    coalesce(r.trade_region = d.importer_region, false) as is_own_region, r.n_suppliers, r.import_value_usd,
    r.import_value_usd / d.import_value_usd as import_share, r.top_supplier_code, s.iso3 as top_supplier_iso3,
    s.name as top_supplier_name, r.top_usd / d.import_value_usd as top_supplier_share
from import_regions as r
join release.marts.diversification as d using (year, importer_code, product_level, product_code)
left join countries as s on s.code = r.top_supplier_code;

create table release.marts.category_transitions as
with compared as (
    select *, lag(category) over (partition by importer_code, hs6 order by year) as category_before
    from release.marts.import_vulnerability where in_scope
)
select importer_code, any_value(importer_iso3) as importer_iso3, any_value(importer_name) as importer_name,
    any_value(economy_kind) as economy_kind, hs6, any_value(hs6_name) as hs6_name,
    string_agg(year || ':' || category, ', ' order by year) as categories, count(*) as n_years,
    min(year) as first_year, max(year) as last_year, count(*) filter (category = 1) as n_years_category1,
    min(year) filter (category = 1) as first_year_category1, max(year) filter (category = 1) as last_year_category1,
    count(*) filter (category <> category_before) as n_changes
from compared group by importer_code, hs6;

copy (
    select year, exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name,
        importer_code, i.iso3 as importer_iso3, i.name as importer_name, hs6, hs6_name::good_name as hs6_name,
        value_usd, quantity,
        case when quantity is not null then 't' end as quantity_unit, null::double as net_weight_kg,
        quantity * 1000 as quantity_kg, null::double as quantity_units, false as is_split_conversion,
        false as is_mirror, 'baci' as source
    from flows left join products using (hs6)
    join coded_countries as e on e.code = exporter_code join coded_countries as i on i.code = importer_code
) to 'parquet/trade_flows' (format parquet, partition_by (year), write_partition_columns true);

copy release.marts.product_centrality to 'parquet/product_centrality.parquet';
copy release.marts.bilateral_totals to 'parquet/bilateral_totals.parquet';
copy release.marts.exporter_position to 'parquet/exporter_position.parquet';
copy release.marts.import_vulnerability to 'parquet/import_vulnerability.parquet';
copy release.marts.vulnerability_summary to 'parquet/vulnerability_summary.parquet';
copy release.marts.industry_vulnerability to 'parquet/industry_vulnerability.parquet';
copy release.marts.destination_ranks to 'parquet/destination_ranks.parquet';
copy release.marts.relocation to 'parquet/relocation.parquet';
copy release.marts.shock_exposure_industry to 'parquet/shock_exposure_industry.parquet';
copy release.marts.shock_exposure to 'parquet/shock_exposure.parquet';
copy release.marts.supplier_removal to 'parquet/supplier_removal.parquet';
copy release.marts.supplier_removal_summary to 'parquet/supplier_removal_summary.parquet';
copy release.marts.capacity_concentration to 'parquet/capacity_concentration.parquet';
copy release.marts.supply_share to 'parquet/supply_share.parquet';
copy release.marts.import_suppliers to 'parquet/import_suppliers.parquet';
copy release.marts.diversification to 'parquet/diversification.parquet';
copy release.marts.diversification_regions to 'parquet/diversification_regions.parquet';
copy release.marts.category_transitions to 'parquet/category_transitions.parquet';
