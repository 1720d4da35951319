"""The checks of the relocation marts: do they agree with flows and totals, and does another road give their values?

Growth and surpluses span years: they are recomputed whole, from all years of the warehouse, and read only the pairs of
the settings. Not here: keys, types and formulas by hand, which dbt tests.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals
from dagster_project.datasets.trade.recomputed import EXPORTERS, PAIRS, YEARS

_MONEY = "1e-9 * abs({value}) + 0.01"

GOODS_BY_USE = """
    select hs6, coalesce(bec_class, 'other') as bec_class from stg_products left join (
        select unnest(codes) as bec4, bec_class from (values
            (['111', '121', '21', '22', '31', '322', '42', '53'], 'intermediate'),
            (['41', '521'], 'capital'),
            (['112', '122', '522', '61', '62', '63'], 'consumption')
        ) as classes (codes, bec_class)
    ) using (bec4)
"""
_CLASSES = """
    select *, value_usd / sum(value_usd) over (partition by year, exporter_code, importer_code) as share from (
        select year, exporter_code, importer_code, coalesce(bec_class, 'other') as bec_class,
            sum(value_usd) as value_usd, count(*) as n_goods
        from trade_flows semi join sampled_pairs using (year, exporter_code, importer_code)
        left join goods_by_use using (hs6) group by all
    )
"""
_WRONG_CLASS_SUMS = """
    with classes as (
        select year, exporter_code, importer_code, sum(value_usd) as classes_usd, sum(n_goods) as goods,
            sum(share) as shares
        from {batch} group by all
    )
    select year, exporter_code, importer_code, value_usd, classes_usd, n_goods, goods, shares
    from bilateral_totals full join classes using (year, exporter_code, importer_code)
    where n_goods is distinct from goods or abs(value_usd - classes_usd) > 1e-9 * abs(value_usd) + 0.01
        or abs(shares - 1) > 1e-9
"""
# A step is from one loaded year to the next, or from the first to the last.
_STEPS = """
    select a.year as year_from, b.year as year_to
    from all_years.int_year_settings as a join all_years.int_year_settings as b on a.year < b.year
    where not exists (
            select 1 from all_years.int_year_settings as between_them
            where between_them.year > a.year and between_them.year < b.year
        ) or (a.year, b.year) = (select (min(year), max(year)) from all_years.int_year_settings)
"""
_SALES = """
    select year, exporter_code, importer_code, hs6, value_usd as usd
    from all_years.trade_flows semi join stg_relocation_pairs using (exporter_code, importer_code)
"""
_GROWTH = f"""
    with steps as ({_STEPS}),
    sales as materialized ({_SALES}),
    goods as (select distinct exporter_code, importer_code, hs6 from sales),
    changed as (
        select year_from, year_to, goods.*, before.usd as old, after.usd as new
        from steps cross join goods
        left join sales as before on before.year = year_from and before.exporter_code = goods.exporter_code
            and before.importer_code = goods.importer_code and before.hs6 = goods.hs6
        left join sales as after on after.year = year_to and after.exporter_code = goods.exporter_code
            and after.importer_code = goods.importer_code and after.hs6 = goods.hs6
        where before.usd is not null or after.usd is not null
    ),
    margins as (
        select *, coalesce(bec_class, 'other') as class, case
                when old is null then 'entry_' when new is null then 'exit_' else 'continuing'
            end || case
                when old is not null and new is not null then ''
                when (if(old is null, year_from, year_to), importer_code, hs6) in (
                    select (year, importer_code, hs6) from all_years.import_vulnerability
                ) then 'supplier' else 'product'
            end as margin
        from changed left join goods_by_use using (hs6)
    )
    select exporter_code, importer_code, year_from, year_to, class as bec_class, margin, count(*) as n_goods,
        coalesce(sum(old), 0) as value_from_usd, coalesce(sum(new), 0) as value_to_usd,
        coalesce(sum(new), 0) - coalesce(sum(old), 0) as delta_usd,
        (coalesce(sum(new), 0) - coalesce(sum(old), 0)) / any_value(pair_usd) as contribution
    from margins left join (
        select exporter_code, importer_code, year as year_from, sum(usd) as pair_usd from sales group by all
    ) using (exporter_code, importer_code, year_from)
    group by all
"""
_WRONG_GROWTH = """
    with steps as (
        select exporter_code, importer_code, year_from, year_to, sum(delta_usd) as deltas_usd,
            sum(contribution) as contributions
        from {batch} group by all
    )
    select steps.*, coalesce(b.value_usd, 0) as before_usd, coalesce(a.value_usd, 0) as after_usd
    from steps
    left join all_years.bilateral_totals as b
        on b.year = year_from and b.exporter_code = steps.exporter_code and b.importer_code = steps.importer_code
    left join all_years.bilateral_totals as a
        on a.year = year_to and a.exporter_code = steps.exporter_code and a.importer_code = steps.importer_code
    where abs(after_usd - before_usd - deltas_usd) > 1e-9 * (after_usd + before_usd) + 0.01
        or abs(contributions - (after_usd / before_usd - 1)) > 1e-9 * (1 + after_usd / before_usd)
        or (contributions is null) <> (before_usd = 0)
"""
_IDLE_PAIRS = """
    select exporter_code, importer_code, 'CHOKEPOINT_RELOCATION_PAIRS: found ' || exporter_code || '-' || importer_code
        || '; expected two countries of which the first sells to the second in a loaded year. The pair has no row. '
        || 'Name another, or load the years or partners that are missing.' as why
    from {batch} anti join all_years.bilateral_totals using (exporter_code, importer_code)
"""
_SURPLUSES = """
    with balance as (
        select year, exporter_code as one, importer_code as other, value_usd as usd from all_years.bilateral_totals
        union all
        select year, importer_code, exporter_code, -value_usd from all_years.bilateral_totals
    ),
    triples as (
        select p.exporter_code as a_code, p.importer_code as b_code, third_code as c_code,
            list(member_code) as members
        from (
            from stg_relocation_pairs semi join all_years.bilateral_totals using (exporter_code, importer_code)
        ) as p join stg_relocation_thirds on member_code not in (p.exporter_code, p.importer_code) group by all
    ),
    surpluses as (
        select year, a_code, b_code, c_code,
            coalesce(sum(usd) filter (one = a_code and list_contains(members, other)), 0) as surplus_a_c_usd,
            coalesce(sum(usd) filter (one = b_code and list_contains(members, other)), 0) as surplus_b_c_usd,
            coalesce(sum(usd) filter (one = a_code and other = b_code), 0) as surplus_a_b_usd
        from all_years.int_year_settings cross join triples left join balance using (year) group by all
    ),
    changes as (
        select *, first(year) over since as base_year,
            surplus_a_c_usd - first(surplus_a_c_usd) over since as change_a_c_usd,
            surplus_b_c_usd - first(surplus_b_c_usd) over since as change_b_c_usd,
            surplus_a_b_usd - first(surplus_a_b_usd) over since as change_a_b_usd
        from surpluses window since as (partition by a_code, b_code, c_code order by year)
    )
    select *, greatest(0, least(-change_a_c_usd, change_b_c_usd, change_a_b_usd)) as shift_usd
    from changes where year in (select year from int_year_settings)
"""
_RANKS = """
    with sold as (
        select year, exporter_code, importer_code, value_usd, round(value_usd, 2) as cents
        from bilateral_totals semi join sampled_exporters using (year, exporter_code)
    ),
    told as (
        select year, reporter_code as exporter_code, partner_code as importer_code, sum(value_usd) as usd,
            round(sum(value_usd), 2) as cents
        from stg_trade_flows
        where flow = 'X' and (year, reporter_code) in (select (year, exporter_code) from sampled_exporters)
        group by all
    ),
    ahead as (
        select one.year, one.exporter_code, one.importer_code, count(other.importer_code) as n,
            count(other.importer_code) filter (other.importer_code <> 344) as n_without_hkg
        from sold as one left join sold as other
            on other.year = one.year and other.exporter_code = one.exporter_code and other.cents > one.cents
        group by all
    ),
    told_ahead as (
        select one.year, one.exporter_code, one.importer_code, count(other.importer_code) as n_told
        from told as one left join told as other
            on other.year = one.year and other.exporter_code = one.exporter_code and other.cents > one.cents
        group by all
    )
    select year, exporter_code, importer_code, value_usd, told.usd as exporter_reported_usd,
        1 + n as destination_rank,
        case when importer_code <> 344 then 1 + n_without_hkg end as destination_rank_without_hkg,
        1 + n_told as destination_rank_exporter_report
    from sold join ahead using (year, exporter_code, importer_code)
    left join told using (year, exporter_code, importer_code)
    left join told_ahead using (year, exporter_code, importer_code)
"""

RELOCATION_PREPARED = {"goods_by_use": GOODS_BY_USE}
_PAIR = "year, exporter_code, importer_code"

RELOCATION = (
    Check(
        "classes_sum_to_totals",
        "relocation",
        "ERROR",
        "The classes of every pair of countries sum to its total and to its goods; their shares sum to 1.",
        (no_rows(_WRONG_CLASS_SUMS),),
    ),
    Check(
        "recomputed_from_flows",
        "relocation",
        "ERROR",
        f"The classes of {PAIRS} pairs of countries are recomputed from their flows.",
        (
            equals(
                _CLASSES,
                f"{_PAIR}, bec_class",
                numbers=("value_usd", "share"),
                others=("n_goods",),
                sample=("sampled_pairs", _PAIR),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "relocation_growth",
        "ERROR",
        "The change of every pair, by class and margin, is recomputed from the flows of all years.",
        (
            equals(
                _GROWTH,
                "exporter_code, importer_code, year_from, year_to, bec_class, margin",
                numbers=("value_from_usd", "value_to_usd", "delta_usd", "contribution"),
                others=("n_goods",),
            ),
        ),
    ),
    Check(
        "sums_to_change_of_pairs",
        "relocation_growth",
        "ERROR",
        "The changes of a pair's goods sum to the change of its trade, and their contributions to its growth rate.",
        (no_rows(_WRONG_GROWTH),),
    ),
    Check(
        "pairs_trade",
        "relocation_growth",
        "WARN",
        "Every pair that the settings name trades in a loaded year.",
        (no_rows(_IDLE_PAIRS),),
        on="stg_relocation_pairs",
    ),
    Check(
        "recomputed_from_totals",
        "relocation_surplus",
        "ERROR",
        "The surpluses, their changes and the shift of every pair and third are recomputed from the totals of pairs.",
        (
            equals(
                _SURPLUSES,
                "year, a_code, b_code, c_code",
                numbers=(
                    *("surplus_a_c_usd", "surplus_b_c_usd", "surplus_a_b_usd", "change_a_c_usd", "change_b_c_usd"),
                    *("change_a_b_usd", "shift_usd"),
                ),
                others=("base_year",),
                tolerance=_MONEY,
            ),
        ),
    ),
    Check(
        "recomputed_from_totals",
        "destination_ranks",
        "ERROR",
        f"The destinations of {EXPORTERS} exporters of up to {YEARS} years are ranked again, by counting who is ahead.",
        (
            equals(
                _RANKS,
                _PAIR,
                numbers=("value_usd", "exporter_reported_usd"),
                others=("destination_rank", "destination_rank_without_hkg", "destination_rank_exporter_report"),
                sample=("sampled_exporters", "year, exporter_code"),
            ),
        ),
    ),
)
