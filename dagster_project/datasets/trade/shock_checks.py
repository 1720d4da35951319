"""The checks of the shock marts: do losses and pools agree with the flows, and does another road give their values?

A pool that its losers share is replaced whole or not at all: the parts must add up per good. Not here: keys, types and
formulas by hand, which dbt tests.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals
from dagster_project.datasets.trade.recomputed import IMPORTERS

_EXPOSED = """
    with bought as (
        select year, importer_code, exporter_code, left(hs6, 2) as hs2, value_usd
        from trade_flows semi join sampled_importers using (year, importer_code)
        join goods_in_scope using (hs6) where in_scope
    ),
    settings as (select year, shock_cut from int_year_settings)
"""
_EXPOSURES = f"""
    {_EXPOSED}
    select year, exporter_code, importer_code, sum(value_usd) as exposed_value_usd, count(*) as n_goods,
        any_value(shock_cut) as cut, any_value(shock_cut) * sum(value_usd) as loss_usd,
        sum(value_usd) / any_value(imports) as exposure_share
    from (select *, sum(value_usd) over (partition by year, importer_code) as imports from bought)
    join settings using (year) group by year, exporter_code, importer_code
"""
_EXPOSURES_BY_INDUSTRY = f"""
    {_EXPOSED}
    select year, exporter_code, importer_code, hs2, sum(value_usd) as exposed_value_usd, count(*) as n_goods,
        any_value(shock_cut) as cut, any_value(shock_cut) * sum(value_usd) as loss_usd,
        sum(value_usd) / any_value(imports) as exposure_share
    from (select *, sum(value_usd) over (partition by year, importer_code, hs2) as imports from bought)
    join settings using (year) group by year, exporter_code, importer_code, hs2
"""
_WRONG_EXPOSURES = """
    select year, exporter_code, importer_code, in_scope_value_usd, exposed_value_usd, cut, loss_usd
    from (from bilateral_totals where in_scope_value_usd > 0) full join {batch}
        using (year, exporter_code, importer_code)
    where exposed_value_usd is null or in_scope_value_usd is null
        or abs(exposed_value_usd - in_scope_value_usd) > 1e-9 * abs(in_scope_value_usd) + 0.01
        or abs(loss_usd - cut * exposed_value_usd) > 1e-9 * abs(loss_usd) + 0.01
"""
_WRONG_INDUSTRIES = """
    with industries as (
        select year, exporter_code, importer_code, sum(exposed_value_usd) as industries_usd, sum(n_goods) as goods
        from {batch} group by all
    )
    select year, exporter_code, importer_code, exposed_value_usd, industries_usd, n_goods, goods
    from shock_exposure full join industries using (year, exporter_code, importer_code)
    where n_goods is distinct from goods
        or abs(exposed_value_usd - industries_usd) > 1e-9 * abs(exposed_value_usd) + 0.01
"""
# Of every good, the others replace the pool or, where that is more, all that is lost.
_WRONG_POOLS = """
    select year, exporter_code, hs6, sum(lost_usd) as all_lost_usd, any_value(pool_usd) as pool,
        sum(lost_usd - shortfall_usd) as replaced_usd, count(distinct pool_usd) as pools
    from {batch} group by all
    having pools > 1 or abs(replaced_usd - least(pool, all_lost_usd)) > 1e-9 * all_lost_usd + 0.01
        or max(shortfall_usd - lost_usd) > 0
"""
# The exporters that the settings take out good by good.
_CHOSEN = "select unnest(string_split(shock_exporters, ','))::integer from int_year_settings"
_LOST_FLOWS = f"""
    with flows as (
        select year, exporter_code, hs6, sum(value_usd) as flows_usd from trade_flows
        where exporter_code in ({_CHOSEN}) group by all
    ),
    lost as (select year, exporter_code, hs6, sum(lost_usd) as lost_usd from {{batch}} group by all)
    select * from flows full join lost using (year, exporter_code, hs6)
    where flows_usd is null or lost_usd is null or abs(flows_usd - lost_usd) > 1e-9 * flows_usd + 0.01
"""
_REMOVALS = f"""
    with lost as (
        select year, exporter_code, importer_code, hs6, value_usd as lost_usd
        from trade_flows semi join sampled_importers using (year, importer_code)
        where exporter_code in ({_CHOSEN})
    ),
    bought as (
        select year, importer_code, hs6, sum(value_usd) as import_value_usd
        from trade_flows semi join sampled_importers using (year, importer_code) group by all
    ),
    sold as (select year, exporter_code, hs6, sum(value_usd) as usd from trade_flows group by all),
    world as (
        select lost.year, lost.exporter_code, lost.hs6,
            sum(usd) filter (sold.exporter_code = lost.exporter_code) as removed_usd,
            coalesce(sum(usd) filter (sold.exporter_code <> lost.exporter_code), 0) as others_usd,
            count(*) - 1 as n_other_exporters
        from (select distinct year, exporter_code, hs6 from lost) as lost
        join sold on sold.year = lost.year and sold.hs6 = lost.hs6 group by all
    ),
    pools as (select *, spare_capacity * others_usd as pool_usd from world join (
        select year, spare_capacity from int_year_settings) using (year))
    select *, left(hs6, 2) as hs2, coalesce(in_scope, false) as in_scope, lost_usd / import_value_usd as lost_share,
        least(1, pool_usd / removed_usd) as replaceable_share, least(1, pool_usd / lost_usd) as replaceable_share_alone,
        greatest(0, lost_usd - lost_usd / removed_usd * pool_usd) as shortfall_usd
    from lost join bought using (year, importer_code, hs6) join pools using (year, exporter_code, hs6)
    left join goods_in_scope using (hs6)
"""
_SUMMARIES = """
    select year, exporter_code, importer_code, count(*) as n_goods,
        count(*) filter (round(replaceable_share, 12) < 0.5) as n_irreplaceable, sum(r.lost_usd) as lost_usd,
        sum(r.shortfall_usd) as shortfall_usd, sum(r.lost_usd) / any_value(imports) as lost_share,
        sum(r.shortfall_usd) / any_value(imports) as shortfall_share,
        sum(r.lost_usd * r.replaceable_share) / sum(r.lost_usd) as replaceable_share
    from supplier_removal as r join (
        select year, importer_code, sum(in_scope_value_usd) as imports from bilateral_totals group by all
    ) using (year, importer_code)
    where in_scope group by year, exporter_code, importer_code
"""
_IDLE_EXPORTERS = """
    select code as exporter_code, 'CHOKEPOINT_SHOCK_EXPORTERS: found ' || code || '; expected countries that export in '
        || 'a loaded year. It has no row in supplier_removal. Name another, or load what is missing.' as why
    from (select distinct unnest(string_split(shock_exporters, ','))::integer as code from {batch})
    where code not in (select exporter_code from all_years.bilateral_totals)
"""
# What every scenario takes from whom, good by good: the mart's lines before they are summed.
_SCENARIO_GOODS = """
    with exporters as (
        select year, iso3, arg_max(exporter_code, usd) as exporter_code from (
            select year, exporter_code, sum(value_usd) as usd from bilateral_totals group by all
        ) join stg_countries on country_code = exporter_code group by all
    ),
    goods as (
        select c.year, s.scenario_id, s.title, c.exporter_code, g.hs6, s.cut, s.spare_capacity
        from stg_scenarios as s join exporters as c on c.iso3 = s.exporter_iso3
        join goods_in_scope as g on starts_with(g.hs6, s.goods) or (s.goods = 'scope' and g.in_scope)
    ),
    world as (
        select year, scenario_id, hs6, any_value(spare_capacity)
                * coalesce(sum(value_usd) filter (f.exporter_code <> goods.exporter_code), 0) as pool_usd,
            any_value(cut) * sum(value_usd) filter (f.exporter_code = goods.exporter_code) as all_lost_usd
        from trade_flows as f join goods using (year, hs6) group by all
    )
    select year, scenario_id, importer_code, title, exporter_code, hs6, value_usd, cut * value_usd as lost_usd,
        least(1, pool_usd / all_lost_usd) as share
    from trade_flows join goods using (year, exporter_code, hs6) join world using (year, scenario_id, hs6)
    where (year, importer_code) in (select (year, importer_code) from sampled_importers)
"""
_SCENARIO_LOSSES = """
    with imports as (
        select f.year, scenario_id, importer_code, sum(value_usd) as import_value_usd
        from trade_flows as f semi join sampled_importers using (year, importer_code)
        join goods_in_scope as g using (hs6)
        join stg_scenarios as s on starts_with(g.hs6, s.goods) or (s.goods = 'scope' and g.in_scope) group by all
    )
    select year, scenario_id, importer_code, title, exporter_code, count(*) as n_goods,
        count(*) filter (round(share, 12) < 0.5) as n_irreplaceable, sum(value_usd) as exposed_value_usd,
        sum(lost_usd) as loss_usd, any_value(import_value_usd) as import_value_usd,
        sum(lost_usd) / any_value(import_value_usd) as loss_share, sum(lost_usd - lost_usd * share) as shortfall_usd,
        sum(lost_usd * share) / sum(lost_usd) as replaceable_share
    from scenario_lines join imports using (year, scenario_id, importer_code) group by all
"""
_UNKNOWN_GOODS = """
    select file_name, file_row, goods, exporter_iso3, 'scenario file ' || file_name
        || coalesce(', row ' || file_row, '') || ': found ' || case when iso3 is null
            then 'the exporter ' || exporter_iso3 || '; expected a country of the reference tables'
            else 'the goods ' || goods || '; expected the first digits of a code of HS revision ' || revision end
        || '. Correct the row.' as why
    from {batch} left join stg_countries on iso3 = exporter_iso3
    cross join (select max(hs_revision) as revision from stg_products)
    where iso3 is null or (goods <> 'scope' and not exists (
        select 1 from stg_products where starts_with(hs6, goods)
    ))
"""
_IDLE_SCENARIOS = """
    select scenario_id, file_name, min(file_row) as file_row, 'scenario file ' || file_name || ', row ' || min(file_row)
        || ': found ' || scenario_id || ', whose exporter sells none of its goods in any loaded year; it has no row. '
        || 'Name goods that it sells, or load what is missing.' as why
    from {batch} where file_row is not null and scenario_id not in (select scenario_id from all_years.scenario_losses)
    group by scenario_id, file_name
"""
SHOCKS_PREPARED = {"scenario_lines": _SCENARIO_GOODS, "recomputed_removals": _REMOVALS}
_PAIR, _IMPORTER = "year, exporter_code, importer_code", ("sampled_importers", "year, importer_code")
_EXPOSURE_NUMBERS = ("exposed_value_usd", "cut", "loss_usd", "exposure_share")

SHOCKS = (
    Check(
        "totals_match_flows",
        "shock_exposure",
        "ERROR",
        "What is exposed is the pair's trade in goods in scope, and the loss is the cut of it.",
        (no_rows(_WRONG_EXPOSURES),),
    ),
    Check(
        "recomputed_from_flows",
        "shock_exposure",
        "ERROR",
        f"What {IMPORTERS} importers have at stake with every supplier is recomputed from their flows.",
        (equals(_EXPOSURES, _PAIR, numbers=_EXPOSURE_NUMBERS, others=("n_goods",), sample=_IMPORTER),),
    ),
    Check(
        "industries_sum_to_pairs",
        "shock_exposure_industry",
        "ERROR",
        "The industries of every pair of countries sum to what is exposed between them.",
        (no_rows(_WRONG_INDUSTRIES),),
    ),
    Check(
        "recomputed_from_flows",
        "shock_exposure_industry",
        "ERROR",
        f"What {IMPORTERS} importers have at stake by industry is recomputed from their flows.",
        (
            equals(
                _EXPOSURES_BY_INDUSTRY,
                f"{_PAIR}, hs2",
                numbers=_EXPOSURE_NUMBERS,
                others=("n_goods",),
                sample=_IMPORTER,
            ),
        ),
    ),
    Check(
        "all_flows_are_lost",
        "supplier_removal",
        "ERROR",
        "Of every good, what importers lose is all that the exporter sells.",
        (no_rows(_LOST_FLOWS),),
    ),
    Check(
        "pools_are_shared_whole",
        "supplier_removal",
        "ERROR",
        "Of every good, all that others can deliver is delivered, up to what is lost; no shortfall exceeds its loss.",
        (no_rows(_WRONG_POOLS),),
    ),
    Check(
        "recomputed_from_flows",
        "supplier_removal",
        "ERROR",
        f"What {IMPORTERS} importers lose of every good, and what others can deliver, is recomputed from its flows.",
        (
            equals(
                "from recomputed_removals",
                f"{_PAIR}, hs6",
                numbers=(
                    *("lost_usd", "import_value_usd", "lost_share", "pool_usd", "replaceable_share"),
                    "replaceable_share_alone",
                ),
                others=("n_other_exporters", "in_scope", "hs2"),
                sample=_IMPORTER,
            ),
            # A difference of money: of what is replaced almost whole, only cents can be compared.
            equals(
                "from recomputed_removals",
                f"{_PAIR}, hs6",
                numbers=("shortfall_usd",),
                sample=_IMPORTER,
                tolerance="1e-9 * abs({value}) + 0.01",
            ),
        ),
    ),
    Check(
        "exporters_export",
        "supplier_removal",
        "WARN",
        "Every exporter that the settings name exports in a loaded year.",
        (no_rows(_IDLE_EXPORTERS),),
        on="int_year_settings",
    ),
    Check(
        "recomputed_from_goods",
        "supplier_removal_summary",
        "ERROR",
        "Goods, losses and shares of every pair are recomputed from its goods and the importer's totals.",
        (
            equals(
                _SUMMARIES,
                _PAIR,
                numbers=("lost_usd", "shortfall_usd", "lost_share", "shortfall_share", "replaceable_share"),
                others=("n_goods", "n_irreplaceable"),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "scenario_losses",
        "ERROR",
        f"What {IMPORTERS} importers lose in every scenario, and what others could deliver, is recomputed from flows.",
        (
            equals(
                _SCENARIO_LOSSES,
                "year, scenario_id, importer_code",
                numbers=("exposed_value_usd", "loss_usd", "import_value_usd", "loss_share", "replaceable_share"),
                others=("n_goods", "n_irreplaceable", "title", "exporter_code"),
                sample=_IMPORTER,
            ),
            equals(
                _SCENARIO_LOSSES,
                "year, scenario_id, importer_code",
                numbers=("shortfall_usd",),
                sample=_IMPORTER,
                tolerance="1e-9 * abs({value}) + 0.01",
            ),
        ),
    ),
    Check(
        "exporters_and_goods_are_known",
        "scenario_losses",
        "ERROR",
        "Every scenario names a country of the reference tables, and goods of the HS revision.",
        (no_rows(_UNKNOWN_GOODS),),
        on="stg_scenarios",
    ),
    Check(
        "scenarios_trade",
        "scenario_losses",
        "WARN",
        "In every scenario of the user's file, somebody buys of the exporter in a loaded year.",
        (no_rows(_IDLE_SCENARIOS),),
        on="stg_scenarios",
    ),
)
