-- The benchmark's other side, continued: the marts of prices, from the tables that bare.sql leaves. BACI states weights
-- alone, so a good that is counted in pieces has no price in its own basis, and none is by `unit`.

create temp table price_cells as
with importers as (select distinct year, importer_code from flows),
goods as (select distinct year, hs6 from flows),
-- A comparison needs an importer and a good with flows in both years; a code is compared from its second year on.
observed_importers as (
    select year, importer_code, true as importer_is_seen
    from importers semi join (select year + 1 as year, importer_code from importers) using (year, importer_code)
),
observed_goods as (
    select year, hs6, true as good_is_seen
    from goods semi join (select year + 1 as year, hs6 from goods) using (year, hs6)
    left join (select hs6, max(from_year) as from_year from sectors group by hs6) using (hs6)
    where year > coalesce(from_year, 0)
),
paired as (
    select year, exporter_code, importer_code, hs6, a.value_usd as v1, b.value_usd as v0, a.quantity as q1,
        b.quantity as q0
    from flows as a full join (
        select * replace (year + 1 as year) from flows where year + 1 in (select distinct year from flows)
    ) as b using (year, exporter_code, importer_code, hs6)
),
changes as (
    select paired.* replace (coalesce(v0, 0) as v0, coalesce(v1, 0) as v1), v0 is null as is_new, v1 is null as is_gone,
        coalesce(importer_is_seen and good_is_seen, false) as is_observed,
        case when v0 > 0 and v1 > 0 then ln((v1 / q1) / (v0 / q0)) end as r
    from paired left join observed_importers using (year, importer_code) left join observed_goods using (year, hs6)
)
select * exclude (is_new, is_gone, is_observed),
    case
        when not is_observed then 'not_observed' when is_new then 'entry' when is_gone then 'exit'
        when r is null then 'no_quantity' when round(abs(r), 12) > round(ln(3), 12) then 'trimmed' else 'kept'
    end::enum ('not_observed', 'entry', 'exit', 'no_quantity', 'trimmed', 'kept') as state
from changes;

create temp table kept_cells as
select * exclude (state), left(hs6, 4) in (
    select heading from read_csv(getvariable('seeds') || '/trade/price_basis.csv', all_varchar = true)
) as is_counted
from price_cells where state = 'kept';

create temp table price_goods as
with levels as (
    select year, exporter_code, hs6, sum(value_usd) as level_usd, sum(value_usd * gap) as level_gap
    from (
        select year, exporter_code, hs6, value_usd, ln((value_usd / quantity)
            / ((sum(value_usd) over good - value_usd) / (sum(quantity) over good - quantity))) as gap
        from flows where quantity > 0
        window good as (partition by year, importer_code, hs6)
        qualify count(*) over good > 1
    )
    where round(abs(gap), 12) <= round(ln(10), 12) group by all
),
matched as (
    select *, round(abs(r), 12) <= round(ln(2), 12) as is_trim2, count(*) over good > 1 as is_matched,
        0.5 * ((sum(v0 * r) over good - v0 * r) / nullif(sum(v0) over good - v0, 0)
            + (sum(v1 * r) over good - v1 * r) / nullif(sum(v1) over good - v1, 0)) as others_r
    from kept_cells window good as (partition by year, importer_code, hs6)
),
kept as (
    select year, exporter_code, hs6, count(*) as n_cells, count(*) filter (is_matched) as n_relative,
        sum(v0) as kept0, sum(v1) as kept1, sum(v1 * q0 / q1) as repriced0, sum(v0 * q1 / q0) as repriced1,
        sum(v0 * r) as log0, sum(v1 * r) as log1,
        sum(v0) filter (is_trim2) as trim0, sum(v1) filter (is_trim2) as trim1,
        sum(v0 * r) filter (is_trim2) as trim_log0, sum(v1 * r) filter (is_trim2) as trim_log1,
        sum(v0) filter (is_matched) as matched0, sum(v1) filter (is_matched) as matched1,
        sum(v0 * r) filter (is_matched) as matched_log0, sum(v1 * r) filter (is_matched) as matched_log1,
        sum(v0 * others_r) filter (is_matched) as others_log0, sum(v1 * others_r) filter (is_matched) as others_log1
    from matched group by all
),
totals as (
    select year, exporter_code, hs6, sum(v1) as value_usd, sum(v0) as value_before,
        sum(v1) filter (state = 'entry') as entered, sum(v0) filter (state = 'exit') as gone,
        sum(v1) filter (state in ('no_quantity', 'trimmed')) as unpriced1,
        sum(v0) filter (state in ('no_quantity', 'trimmed')) as unpriced0,
        sum(v1) filter (state = 'not_observed') as unseen1, sum(v0) filter (state = 'not_observed') as unseen0,
        count(*) filter (state = 'trimmed') as n_trimmed, sum(v1) filter (state = 'trimmed') as trimmed,
        sum(v1) filter (q1 is not null) as known
    from price_cells group by all
)
select *, left(hs6, 4) in (
    select heading from read_csv(getvariable('seeds') || '/trade/price_basis.csv', all_varchar = true)
) as is_counted
from totals left join kept using (year, exporter_code, hs6) left join levels using (year, exporter_code, hs6)
where value_usd > 0 or value_before > 0;

create temp table price_index as
with in_bases as (
    select 'baseline' as basis, * from price_goods where not is_counted
    union all by name
    select 'kg' as basis, * from price_goods
    union all by name
    select 'baseline' as basis, year, exporter_code, hs6, value_usd, value_before from price_goods where is_counted
    union all by name
    select 'unit' as basis, year, exporter_code, hs6, value_usd, value_before from price_goods
),
in_groups as (
    select 'hs2' as product_level, left(hs6, 2) as product_code, * from in_bases
    union all
    select 'sector', sector_id, in_bases.* from in_bases join sector_goods using (hs6) where year >= from_year
),
grouped as (
    select year, exporter_code, product_level, product_code, basis, sum(columns(* exclude (
        year, exporter_code, hs6, product_level, product_code, basis, is_counted
    )))
    from in_groups group by all
    union all by name
    select 'hs6' as product_level, hs6 as product_code, * exclude (hs6, is_counted) from in_bases
),
parts as (
    select *, repriced0 / nullif(kept0, 0) as laspeyres, kept1 / nullif(repriced1, 0) as paasche,
        kept1 / nullif(kept0, 0) as value_ratio, 0.5 * (log0 / nullif(kept0, 0) + log1 / nullif(kept1, 0)) as log_t,
        0.5 * (trim_log0 / nullif(trim0, 0) + trim_log1 / nullif(trim1, 0)) as log_trim2,
        0.5 * (matched_log0 / nullif(matched0, 0) + matched_log1 / nullif(matched1, 0)) as log_own,
        0.5 * (others_log0 / nullif(matched0, 0) + others_log1 / nullif(matched1, 0)) as log_others,
        coalesce(kept1, 0) / nullif(value_usd, 0) as link_coverage,
        coalesce(kept0, 0) / nullif(value_before, 0) as link_coverage_prev
    from grouped
)
select year, exporter_code, product_level, product_code, basis,
    case
        when coalesce(n_cells, 0) = 0 then 'none'
        when n_cells < 3 or round(least(coalesce(link_coverage, 0), coalesce(link_coverage_prev, 0)), 12) < 0.3
            then 'poor'
        else 'fair'
    end as quality,
    laspeyres, paasche, sqrt(laspeyres * paasche) as fisher, exp(log_t) as tornqvist,
    sqrt((value_ratio / paasche) * (value_ratio / laspeyres)) as quantity_fisher, value_ratio, value_usd, value_before,
    coalesce(n_cells, 0)::bigint as n_cells, coalesce(n_trimmed, 0)::bigint as n_trimmed,
    coalesce(known, 0) / nullif(value_usd, 0) as quantity_coverage, link_coverage, link_coverage_prev,
    coalesce(trimmed, 0) / nullif(value_usd, 0) as trimmed_share, 0 / nullif(value_usd, 0) as split_share,
    exp(log_trim2) as tornqvist_trim2, exp(log_own - log_others) as relative, exp(log_own) as own_matched,
    exp(log_others) as others, coalesce(matched1, 0) / nullif(value_usd, 0) as relative_coverage,
    coalesce(n_relative, 0)::bigint as n_relative, exp(level_gap / nullif(level_usd, 0)) as relative_level
from parts;

-- A link needs a row of the year before, so a run of links begins at a row without one.
create temp table price_chains as
with linked as (
    select distinct exporter_code, product_level, product_code, basis from price_index where fisher is not null
),
runs as (
    select year, exporter_code, product_level, product_code, basis, fisher, tornqvist, tornqvist_trim2, relative,
        count(*) filter (fisher is null) over line as run, lead(fisher) over line is not null as goes_on,
        count(*) filter (tornqvist_trim2 is null) over line as trim_run,
        lead(tornqvist_trim2) over line is not null as trim_goes_on,
        count(*) filter (relative is null) over line as relative_run,
        lead(relative) over line is not null as relative_goes_on
    from price_index semi join linked using (exporter_code, product_level, product_code, basis)
    window line as (partition by exporter_code, product_level, product_code, basis order by year)
)
select year, exporter_code, product_level, product_code, basis,
    case when fisher is not null or goes_on then first(year) over main end as chain_start_year,
    case when fisher is not null or goes_on then product(coalesce(fisher, 1)) over main end as chain_fisher,
    case when fisher is not null or goes_on then product(coalesce(tornqvist, 1)) over main end as chain_tornqvist,
    case when tornqvist_trim2 is not null or trim_goes_on then product(coalesce(tornqvist_trim2, 1)) over trim end
        as chain_tornqvist_trim2,
    case when relative is not null or relative_goes_on then first(year) over beside end as chain_relative_start_year,
    case when relative is not null or relative_goes_on then product(coalesce(relative, 1)) over beside end
        as chain_relative
from runs
window main as (partition by exporter_code, product_level, product_code, basis, run order by year),
    trim as (partition by exporter_code, product_level, product_code, basis, trim_run order by year),
    beside as (partition by exporter_code, product_level, product_code, basis, relative_run order by year);

-- Cells that were kept since the start of their good's chain, compared with it directly.
create temp table price_panel as
with members as (
    select c.year, exporter_code, importer_code, c.hs6, is_counted, chain_start_year, v0, v1, q0, q1
    from (
        select *, first(year) over (
            partition by exporter_code, importer_code, hs6, run order by year
        ) as kept_since
        from (
            select *, year - row_number() over (partition by exporter_code, importer_code, hs6 order by year) as run
            from kept_cells
        )
    ) as c join price_chains as p using (year, exporter_code)
    where p.product_level = 'hs6' and p.basis = 'kg' and p.product_code = c.hs6 and kept_since <= chain_start_year + 1
),
by_good as (
    select l.year, exporter_code, hs6, l.chain_start_year, e.year as link_year, any_value(e.is_counted) as is_counted,
        sum(e.v0) as kept0, sum(e.v1) as kept1, sum(e.v1 * e.q0 / e.q1) as repriced0,
        sum(e.v0 * e.q1 / e.q0) as repriced1,
        sum(l.v1) filter (e.year = l.chain_start_year + 1) as last_usd,
        sum(l.v1 * e.q0 / l.q1) filter (e.year = l.chain_start_year + 1) as first_at_last_prices,
        sum(e.v0 * l.q1 / e.q0) filter (e.year = l.chain_start_year + 1) as last_at_first_prices
    from members as l join members as e using (exporter_code, importer_code, hs6)
    where l.year > l.chain_start_year + 1 and e.year > l.chain_start_year and e.year <= l.year
    group by l.year, exporter_code, hs6, l.chain_start_year, e.year
),
in_groups as (
    select 'hs6' as product_level, hs6 as product_code, * from by_good
    union all
    select 'hs2', left(hs6, 2), * from by_good
    union all
    select 'sector', sector_id, by_good.* from by_good join sector_goods using (hs6)
),
by_link as (
    select g.year, g.exporter_code, g.product_level, g.product_code, p.basis, link_year, any_value(i.value_usd) as usd,
        sum(kept0) as kept0, sum(kept1) as kept1, sum(repriced0) as repriced0, sum(repriced1) as repriced1,
        sum(last_usd) as last_usd, sum(first_at_last_prices) as first_at_last_prices,
        sum(last_at_first_prices) as last_at_first_prices
    from in_groups as g
    join price_chains as p using (year, exporter_code, product_level, product_code, chain_start_year)
    join price_index as i using (year, exporter_code, product_level, product_code, basis)
    where i.fisher is not null and (basis = 'kg' or (basis = 'baseline' and not is_counted))
    group by all
)
select year, exporter_code, product_level, product_code, basis, max(last_usd) / max(usd) as panel_coverage,
    sum(0.5 * ln((repriced0 / kept0) * (kept1 / repriced1)))
        - max(0.5 * ln((first_at_last_prices / kept0) * (last_usd / last_at_first_prices))) as chain_drift
from by_link group by all;

create temp table names_of_products as
select 'hs6' as product_level, hs6 as product_code, hs6_name as product_name, null as note from products
union all
select 'hs2', hs2, hs2_name, null from chapters
union all
select 'sector', sector_id, max(name), max(note) from sectors group by all;

create table release.marts.export_price_index as
select year, exporter_code, iso3 as exporter_iso3, name as exporter_name, product_level, product_code, product_name,
    basis, quality, laspeyres, paasche, fisher, tornqvist, quantity_fisher, value_ratio, chain_start_year, chain_fisher,
    chain_tornqvist, value_usd, n_cells, n_trimmed, quantity_coverage, link_coverage, link_coverage_prev, trimmed_share,
    split_share,
    case when year = chain_start_year + 1 then link_coverage
        when year > chain_start_year then coalesce(panel_coverage, 0)
        end as panel_coverage,
    case when year = chain_start_year + 1 then 0 else chain_drift end as chain_drift,
    tornqvist_trim2, chain_tornqvist_trim2, null::double as tornqvist_with_estimates, relative, own_matched, others,
    chain_relative_start_year, chain_relative, relative_coverage, n_relative, relative_level, note as hs_note
from price_index
left join price_chains using (year, exporter_code, product_level, product_code, basis)
left join price_panel using (year, exporter_code, product_level, product_code, basis)
left join countries on code = exporter_code left join names_of_products using (product_level, product_code);

create table release.marts.involution as
with measured as (
    select g.*, fisher, quantity_fisher, value_ratio, relative, i.n_cells as n, link_coverage, link_coverage_prev,
        quality, i.n_cells >= 3 and round(least(coalesce(link_coverage, 0), coalesce(link_coverage_prev, 0)), 12) >= 0.3
            as is_measured
    from price_goods as g semi join (select distinct year from price_goods where value_before > 0) using (year)
    join price_index as i on i.year = g.year and i.exporter_code = g.exporter_code and i.product_code = g.hs6
        and i.product_level = 'hs6' and i.basis = 'baseline'
),
flagged as (
    select *, case when is_measured then round(fisher, 12) < 1 end as price_fell,
        case when is_measured then round(quantity_fisher, 12) > 1 end as quantity_rose,
        price_fell and quantity_rose as is_involution,
        row_number() over (partition by exporter_code, hs6, is_involution order by year) as place,
        case when is_counted then 0 else 1 end as priced
    from measured
)
select year, exporter_code, iso3 as exporter_iso3, name as exporter_name, hs6, hs6_name, quality, value_usd,
    value_before as value_usd_prev,
    priced * coalesce(0.5 * ((repriced0 - kept0) + (kept1 - repriced1)), 0) as price_effect,
    priced * coalesce(0.5 * ((repriced1 - kept0) + (kept1 - repriced0)), 0) as quantity_effect,
    coalesce(entered, 0) as entry, -coalesce(gone, 0) as exit,
    coalesce(unpriced1, 0) - coalesce(unpriced0, 0)
        + (1 - priced) * (coalesce(kept1, 0) - coalesce(kept0, 0)) as unpriced,
    coalesce(unseen1, 0) - coalesce(unseen0, 0) as not_observed, fisher, quantity_fisher, value_ratio, relative,
    n as n_cells, link_coverage, link_coverage_prev, is_measured, price_fell, quantity_rose, is_involution,
    case when is_measured then is_involution and round(value_ratio, 12) < 1 end as is_revenue_falling,
    case when is_measured then is_involution and round(relative, 12) < 1 end as is_relative,
    case
        when is_involution then row_number() over (
            partition by exporter_code, hs6, is_involution, year - place order by year
        )
        when not is_involution then 0
    end as years_in_a_row
from flagged left join products using (hs6) left join countries on code = exporter_code;

create table release.marts.involution_summary as
select year, exporter_code, exporter_iso3, exporter_name, count(*) as n_goods,
    count(*) filter (is_measured) as n_measured,
    count(*) filter (price_fell) as n_price_fell, count(*) filter (is_involution) as n_involution,
    count(*) filter (is_revenue_falling) as n_revenue_falling, count(*) filter (is_relative) as n_relative,
    n_involution / nullif(n_measured, 0) as involution_share,
    coalesce(sum(value_usd) filter (is_involution), 0) / nullif(sum(value_usd) filter (is_measured), 0)
        as involution_value_share,
    coalesce(sum(value_usd) filter (is_measured), 0) / nullif(sum(value_usd), 0) as measured_value_share,
    sum(i.value_usd) as value_usd, sum(i.value_usd_prev) as value_usd_prev, sum(i.price_effect) as price_effect,
    sum(i.quantity_effect) as quantity_effect, sum(i.entry) as entry, sum(i.exit) as exit, sum(i.unpriced) as unpriced,
    sum(i.not_observed) as not_observed
from release.marts.involution as i group by year, exporter_code, exporter_iso3, exporter_name;

create table release.marts.import_price_contribution as
with beside_others as (
    select year, importer_code, exporter_code, hs6, v0, v1, r, sum(v0) over good as good0, sum(v1) over good as good1,
        r - coalesce(0.5 * ((sum(v0 * r) over good - v0 * r) / nullif(good0 - v0, 0)
            + (sum(v1 * r) over good - v1 * r) / nullif(good1 - v1, 0)), r) as relative_r,
        0.5 * (ln(v0 / q0) + ln(v1 / q1)) as log_price,
        (v1 / good1 - v0 / good0) * (log_price
            - 0.5 * (sum(v0 * log_price) over good / good0 + sum(v1 * log_price) over good / good1)) as switched
    from kept_cells where not is_counted window good as (partition by year, importer_code, hs6)
),
chapters_of_suppliers as (
    select year, importer_code, exporter_code, left(hs6, 2) as hs2, count(*) as n_cells, sum(v0) as kept0,
        sum(v1) as kept1, sum(v0 * r) as log0, sum(v1 * r) as log1, sum(v0 * relative_r) as relative0,
        sum(v1 * relative_r) as relative1, sum(good0 * switched) as switched0, sum(good1 * switched) as switched1
    from beside_others group by all
),
summed as (
    select 'hs2' as product_level, hs2 as product_code, * exclude (hs2) from chapters_of_suppliers
    union all by name
    select 'all' as product_level, 'all' as product_code, year, importer_code, exporter_code,
        sum(n_cells)::bigint as n_cells, sum(columns(* exclude (year, importer_code, exporter_code, hs2, n_cells)))
    from chapters_of_suppliers group by year, importer_code, exporter_code
    union all by name
    select 'sector' as product_level, sector_id as product_code, year, importer_code, exporter_code,
        count(*) as n_cells, sum(v0) as kept0, sum(v1) as kept1, sum(v0 * r) as log0, sum(v1 * r) as log1,
        sum(v0 * relative_r) as relative0, sum(v1 * relative_r) as relative1, sum(good0 * switched) as switched0,
        sum(good1 * switched) as switched1
    from beside_others join sector_goods using (hs6) where year >= from_year
    group by year, importer_code, exporter_code, sector_id
),
groups as (
    select year, importer_code, product_level, product_code, sum(kept0) as all0, sum(kept1) as all1,
        0.5 * (sum(log0) / all0 + sum(log1) / all1) as import_price_change
    from summed group by all
),
bought as (
    select year, importer_code, 'hs2' as product_level, left(hs6, 2) as product_code, sum(import_value_usd) as usd
    from imports group by all
    union all
    select year, importer_code, 'all', 'all', sum(import_value_usd) from imports group by all
    union all
    select year, importer_code, 'sector', sector_id, sum(import_value_usd)
    from imports join sector_goods using (hs6) where year >= from_year group by all
)
select year, importer_code, i.iso3 as importer_iso3, i.name as importer_name, product_level, product_code,
    if(product_level = 'all', 'All goods', product_name) as product_name,
    exporter_code, e.iso3 as exporter_iso3, e.name as exporter_name, 0.5 * (log0 / all0 + log1 / all1) as within,
    0.5 * (switched0 / all0 + switched1 / all1) as switching,
    0.5 * (relative0 / all0 + relative1 / all1) as relative_contribution, import_price_change,
    0.5 * (kept0 / all0 + kept1 / all1) as share, n_cells, all1 / usd as link_coverage
from summed join groups using (year, importer_code, product_level, product_code)
join bought using (year, importer_code, product_level, product_code)
left join countries as i on i.code = importer_code left join countries as e on e.code = exporter_code
left join names_of_products using (product_level, product_code);

copy release.marts.export_price_index to 'parquet/export_price_index.parquet';
copy release.marts.involution to 'parquet/involution.parquet';
copy release.marts.involution_summary to 'parquet/involution_summary.parquet';
copy release.marts.import_price_contribution to 'parquet/import_price_contribution.parquet';
