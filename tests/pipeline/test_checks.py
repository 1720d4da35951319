"""The checks: each passes on plausible data and fails on the fault it is there for; failed, missing and crashed differ.

The tables are tiny and made here in SQL, independently of landing and dbt.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.checks import engine, factory
from dagster_project.checks.declarations import Check, Expect, Outcome, Stage, between, no_rows, not_null
from dagster_project.checks.views import (
    CheckedData,
    Previous,
    over_landing,
    over_warehouse,
    previous_release,
)
from dagster_project.datasets.trade.landing_checks import LANDING
from dagster_project.datasets.trade.mart_checks import MARTS
from dagster_project.datasets.trade.staging_checks import STAGING
from dagster_project.publish.manifest import write_manifest

YEARS = (2017, 2018)

# Three importers that report (China, Japan, the United States), a fourth supplier that does not (Taiwan, 490).
LANDING_SQL = """
    create table run_years as select unnest([2017, 2018]) as year;
    create table countries as select * from (values
        (0, null, null, 'World', true, false), (97, null, null, 'European Union', true, false),
        (156, 'CN', 'CHN', 'China', false, true), (392, 'JP', 'JPN', 'Japan', false, true),
        (490, 'TW', 'TWN', 'Taiwan (Other Asia, nes)', true, true), (842, 'US', 'USA', 'USA', false, true),
        (899, null, null, 'Areas, nes', false, false)
    ) as t (country_code, iso2, iso3, name, is_group, is_country);
    create table products as
        select 'H5' as hs_revision, hs6, 'good ' || hs6 as hs6_name, left(hs6, 2) as hs2, '22' as bec4, 'INT' as bec5
        from (select unnest(['010121', '270900', '283691', '850760', '854231', '854232', '870380', '880240']) as hs6);
    create table hs_conversion as
        select 'H4' as from_revision, hs6 as from_code, hs6, 1.0::double as weight from products where hs6 <> '854232'
        union all select 'H4', '999998', '850760', 0.25 union all select 'H4', '999998', '854231', 0.75;
    create table trade_flows as
        select year, reporter_code, 'M' as flow, partner_code, 'H5' as hs_revision, hs6 as cmd_code,
            1e6 * (1 + (partner_code * 7 + reporter_code * 3 + hs6::integer) % 97)::double as value_usd,
            10.0::double as quantity, 'kg' as quantity_unit, false as revision_assumed, 'comtrade' as source,
            'comtrade/files/c.csv' as archive_entry, row_number() over () as source_row
        from (select unnest([2017, 2018]) as year), (select unnest([156, 392, 842]) as reporter_code),
            (select unnest([156, 392, 490, 842]) as partner_code), products
        where reporter_code <> partner_code;
    create table trade_unallocated as
        select * replace (899 as partner_code, 5e5::double as value_usd) from trade_flows where partner_code = 490;
    create table trade_reimports as
        select * replace (reporter_code as partner_code, 2e5::double as value_usd) from trade_flows
        where partner_code = 490 and cmd_code = '850760';
    create table trade_control_totals as
        select year, reporter_code, flow, 0 as partner_code, any_value(hs_revision) as hs_revision, cmd_code,
            sum(value_usd) as value_usd, null::double as quantity, null as quantity_unit, false as revision_assumed,
            'comtrade' as source, 'comtrade/files/c.csv' as archive_entry, 1::bigint as source_row
        from (from trade_flows union all from trade_unallocated union all from trade_reimports) group by all;
    create table trade_reporters as
        select year, reporter_code, flow, count(*) as n_rows from trade_flows group by all;
    create table quarantine_trade as
        select 'trade' as dataset, 'comtrade' as source, 2017 as year, 'unknown_country' as reason, 'x' as detail,
            'comtrade/files/c.csv' as archive_entry, 1::bigint as source_row, '{}' as raw where false;
    create table trade_rule_counts as
        select year, 'comtrade' as source, 'landed' as rule, count(*) as n from trade_flows group by all
        union all select year, 'comtrade', 'area_partner', count(*) from trade_unallocated group by all
        union all select year, 'comtrade', 're_import', count(*) from trade_reimports group by all
        union all select year, 'comtrade', 'control_total', count(*) from trade_control_totals group by all;
    insert into trade_rule_counts select year, source, 'rows_read', sum(n) from trade_rule_counts group by all;
    create schema previous;
    create table previous.bilateral_totals as
        select year, partner_code as exporter_code, reporter_code as importer_code, sum(value_usd) as value_usd,
            false as is_mirror
        from trade_flows group by all;
"""

QUARANTINE_ONE_ROW = """
    insert into quarantine_trade values
        ('trade', 'comtrade', 2017, 'negative_value', 'value -5', 'comtrade/files/c.csv', 7, '{}');
    insert into trade_rule_counts values (2017, 'comtrade', 'quarantined:negative_value', 1);
    update trade_rule_counts set n = n + 1 where rule = 'rows_read' and year = 2017;
"""

# The marts of measures.md 1-6 from `trade_flows` (year, exporter_code, importer_code, hs6, value_usd, is_mirror), as
# plainly as they can be written; all goods are in scope but crude oil.
MARTS_SQL = """
    create table bilateral_totals as
        select year, exporter_code, importer_code, sum(value_usd) as value_usd,
            coalesce(sum(value_usd) filter (hs6 <> '270900'), 0) as in_scope_value_usd, count(*) as n_goods,
            bool_or(is_mirror) as is_mirror
        from trade_flows group by all;
    create table importer_products as
        select year, importer_code, hs6, sum(value_usd) as import_value_usd, count(*) as n_suppliers,
            sum(value_usd ** 2) / sum(value_usd) ** 2 as import_hhi,
            max(value_usd) / sum(value_usd) as top_supplier_share
        from trade_flows group by all;
    create table exporter_products as
        select year, exporter_code, hs6, sum(f.value_usd) as value_usd,
            sum(f.value_usd / import_value_usd * n_suppliers) as relative,
            rank() over (partition by year, hs6 order by sum(f.value_usd) desc) as place
        from trade_flows as f join importer_products using (year, importer_code, hs6)
        group by year, exporter_code, hs6;
    create table product_centrality as
        with traders as (
            select year, hs6, count(distinct code) as n from (
                select year, hs6, exporter_code as code from trade_flows
                union all select year, hs6, importer_code from trade_flows
            ) group by all
        ),
        measured as (
            select year, hs6, left(hs6, 2) as hs2, hs6 <> '270900' as in_scope, sum(value_usd) as world_exports_usd,
                count(*) as n_exporters, any_value(n_importers) as n_importers,
                sqrt(greatest(sum((relative / (n - 1)) ** 2) / any_value(n)
                    - (sum(relative / (n - 1)) / any_value(n)) ** 2, 0)) as export_centrality,
                sum(value_usd ** 2) / sum(value_usd) ** 2 as export_hhi,
                max(value_usd) / sum(value_usd) as top_exporter_share,
                sum(value_usd) filter (place <= 3) / sum(value_usd) as top3_exporter_share
            from exporter_products join traders using (year, hs6)
            join (select year, hs6, count(*) as n_importers from importer_products group by all) using (year, hs6)
            group by year, hs6
        )
        select *, case when in_scope then export_centrality >= (
            select quantile_cont(export_centrality, 0.75) from measured as m where m.year = measured.year and in_scope
        ) end as high_centrality
        from measured;
    create table exporter_position as
        select *, n_top3 / n_goods as top3_share,
            n_high_centrality_top3 / nullif(n_high_centrality, 0) as high_centrality_top3_share
        from (
            select year, exporter_code, count(*) filter (in_scope) as n_goods,
                count(*) filter (in_scope and place = 1) as n_rank1,
                count(*) filter (in_scope and place <= 3) as n_top3,
                count(*) filter (high_centrality) as n_high_centrality,
                count(*) filter (high_centrality and place = 1) as n_high_centrality_rank1,
                count(*) filter (high_centrality and place <= 3) as n_high_centrality_top3,
                sum(value_usd) as export_value_usd
            from exporter_products join product_centrality using (year, hs6) group by all
        );
    create table import_vulnerability as
        with flagged as (
            select i.*, p.hs2, p.in_scope, p.high_centrality, 1 / i.import_hhi as effective_suppliers,
                case when p.in_scope then i.import_hhi >= quantile_cont(i.import_hhi, 0.75) filter (p.in_scope)
                    over (partition by year, importer_code) end as high_concentration,
                0.1::double as unallocated_share
            from importer_products as i join product_centrality as p using (year, hs6)
        )
        select *,
            case when in_scope then 4 - 2 * high_centrality::integer - high_concentration::integer end as category,
            case when in_scope then 0.5::double end as vulnerability_index
        from flagged;
    create table vulnerability_summary as
        select *, n_goods / sum(n_goods) over importer as goods_share,
            import_value_usd / sum(import_value_usd) over importer as value_share
        from (
            select year, importer_code, category, count(*) as n_goods, sum(import_value_usd) as import_value_usd
            from import_vulnerability where in_scope group by all
        ) window importer as (partition by year, importer_code);
    create table industry_vulnerability as
        select year, importer_code, hs2, n_goods, import_value_usd, n_category1,
            weighted / sum(import_value_usd) over (partition by year, importer_code) as vulnerability,
            rank() over (partition by year, importer_code order by weighted desc) as rank
        from (
            select year, importer_code, hs2, count(*) as n_goods, sum(import_value_usd) as import_value_usd,
                count(*) filter (category = 1) as n_category1, sum(import_value_usd * vulnerability_index) as weighted
            from import_vulnerability where in_scope group by all
        );
"""
STAGING_SQL = """
    create schema landed;
    create table landed.trade_flows as from trade_flows;
    create table landed.trade_unallocated as from trade_unallocated;
    create view stg_trade_flows as from trade_flows;
    create view stg_trade_unallocated as from trade_unallocated;
    create table stg_trade_reporters as from trade_reporters;
    create table stg_countries as select country_code, iso3, name from countries where is_country;
    create table stg_products as from products;
"""
# Turns the landed flows into the mart's: every import report is a flow from its partner to its reporter.
WAREHOUSE_SQL = """
    create table stg_trade_flows as from trade_flows;
    create table stg_trade_reimports as from trade_reimports;
    drop table trade_flows;
    create table trade_flows as
        select year, partner_code as exporter_code, reporter_code as importer_code, cmd_code as hs6, value_usd,
            quantity, quantity_unit, false as is_mirror, source
        from stg_trade_flows;
"""
SCOPE_SQL = """
    create table requested_years as select unnest([2017, 2018]) as year;
    create schema all_years;
    create view all_years.bilateral_totals as from main.bilateral_totals;
"""
GOOD = {
    "landing": LANDING_SQL,
    "staging": LANDING_SQL + STAGING_SQL,
    "marts": LANDING_SQL + WAREHOUSE_SQL + MARTS_SQL + SCOPE_SQL,
}
STAGES = {stage.name: stage for stage in (LANDING, STAGING, MARTS)}


def tables(sql: str, absent: dict[str, str] | None = None) -> CheckedData:
    return CheckedData(lambda connection: connection.execute(sql), absent or {})


def run(stage: str, table: str | None = None, check: str | None = None, fault: str = "") -> list[Outcome]:
    """Outcomes of a stage on the good tables with a fault planted in them."""
    only = {(table, check)} if table and check else None
    return engine.run(STAGES[stage], tables(GOOD[stage] + fault), only)


def outcome_of(stage: str, table: str, check: str, fault: str = "") -> Outcome:
    (outcome,) = run(stage, table, check, fault)
    return outcome


def statuses(outcomes: list[Outcome]) -> set[str]:
    return {outcome.status for outcome in outcomes}


@pytest.mark.parametrize("stage", STAGES)
def test_plausible_data_passes_every_check(stage: str) -> None:
    outcomes = run(stage)
    assert [(o.table, o.check, o.message) for o in outcomes if not o.passed] == []
    assert len(outcomes) == len(STAGES[stage].checks)


# (stage, table, check, fault, what the failing rows must show)
FAULTS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    (
        "landing",
        "trade_flows",
        "keys_not_null",
        "update trade_flows set partner_code = null where source_row = 100",
        {"partner_code": None, "source_row": 100},
    ),
    (
        "landing",
        "trade_flows",
        "key_unique",
        "insert into trade_flows from trade_flows where year = 2017 and reporter_code = 156 and partner_code = 842 "
        "and cmd_code = '850760'",
        {"year": 2017, "reporter_code": 156, "partner_code": 842, "cmd_code": "850760", "n_rows": 2},
    ),
    (
        "landing",
        "trade_flows",
        "values_plausible",
        "update trade_flows set value_usd = -5 where source_row = 3",
        {"broken_rule": "value is negative", "value_usd": -5.0, "source_row": 3},
    ),
    (
        "landing",
        "trade_flows",
        "values_plausible",
        "update trade_flows set value_usd = 'inf' where source_row = 3",
        {"broken_rule": "value is not a finite number", "value_usd": "inf"},
    ),
    (
        "landing",
        "trade_flows",
        "values_plausible",
        "update trade_flows set quantity = -1 where source_row = 3",
        {"broken_rule": "quantity is negative"},
    ),
    (
        "landing",
        "trade_flows",
        "codes_well_formed",
        "update trade_flows set cmd_code = '10121' where cmd_code = '010121' and year = 2017",
        {"broken_rule": "code is not six digits", "cmd_code": "10121"},
    ),
    (
        "landing",
        "trade_flows",
        "codes_well_formed",
        "update trade_flows set hs_revision = 'H9'",
        {"broken_rule": "unknown HS revision"},
    ),
    (
        "landing",
        "trade_flows",
        "areas_are_countries",
        "update trade_flows set partner_code = 97 where partner_code = 842 and year = 2018",
        {"side": "partner", "country_code": 97, "name": "European Union", "year": 2018},
    ),
    (
        "landing",
        "trade_flows",
        "products_known",
        "update trade_flows set cmd_code = '123456' where source_row = 9",
        {"cmd_code": "123456", "hs_revision": "H5", "n_rows": 1},
    ),
    (
        "landing",
        "trade_flows",
        "no_reimports",
        "update trade_flows set partner_code = reporter_code where source_row = 9",
        {"n_rows": 1},
    ),
    (
        "landing",
        "trade_flows",
        "years_as_requested",
        "update trade_flows set year = 2016 where year = 2018",
        {"year": 2016},
    ),
    ("landing", "trade_flows", "years_as_requested", "delete from trade_flows where year = 2018", {"year": 2018}),
    (
        "landing",
        "trade_flows",
        "coverage_value",
        "update trade_flows set value_usd = value_usd * 0.69 where year = 2018",
        {"year": 2018, "change": pytest.approx(-0.31)},
    ),
    (
        "landing",
        "trade_unallocated",
        "rows_plausible",
        "update trade_unallocated set partner_code = 842 where cmd_code = '850760' and year = 2018",
        {"partner_code": 842},
    ),
    (
        "landing",
        "trade_reimports",
        "rows_plausible",
        "update trade_reimports set partner_code = 842 where reporter_code = 156 and year = 2017",
        {"reporter_code": 156, "partner_code": 842},
    ),
    (
        "landing",
        "trade_control_totals",
        "rows_plausible",
        "update trade_control_totals set cmd_code = '85' where cmd_code = '850760' and year = 2017",
        {"cmd_code": "85"},
    ),
    (
        "landing",
        "trade_control_totals",
        "partners_within_world",
        "update trade_control_totals set value_usd = value_usd * 0.999 "
        "where year = 2017 and reporter_code = 392 and cmd_code = '850760'",
        {"year": 2017, "reporter_code": 392, "cmd_code": "850760"},
    ),
    (
        "landing",
        "trade_control_totals",
        "partners_within_world_overall",
        "update trade_control_totals set value_usd = value_usd * 0.999 where year = 2018",
        {"year": 2018, "cells": 24, "cells_off": 24},
    ),
    (
        "landing",
        "trade_control_totals",
        "partners_within_world_overall",
        "update trade_control_totals set value_usd = 1 where year = 2018 and cmd_code = '850760'",
        {"year": 2018, "cells_off": 3},
    ),
    (
        "landing",
        "trade_reporters",
        "reporters_plausible",
        "delete from trade_reporters where reporter_code = 392 and year = 2017",
        {"reporter_code": 392, "year": 2017, "n_rows": 24},
    ),
    (
        "landing",
        "trade_reporters",
        "reporters_plausible",
        "insert into trade_reporters values (2017, 97, 'M', 5)",
        {"reporter_code": 97},
    ),
    (
        "landing",
        "trade_reporters",
        "reporters_plausible",
        "update trade_reporters set n_rows = 0 where reporter_code = 392 and year = 2017",
        {"reporter_code": 392, "year": 2017, "flow": "M", "n_rows": 0},
    ),
    (
        "landing",
        "trade_reporters",
        "coverage_reporters",
        "delete from trade_reporters where reporter_code = 392 and year = 2018",
        {"year": 2018, "reporter_code": 392, "name": "Japan"},
    ),
    (
        "landing",
        "trade_rule_counts",
        "rows_accounted_for",
        "update trade_rule_counts set n = n + 3 where rule = 'rows_read' and year = 2018",
        {"year": 2018, "source": "comtrade"},
    ),
    (
        "landing",
        "trade_rule_counts",
        "counts_match_tables",
        "delete from trade_flows where source_row = 5",
        {"rule": "landed"},
    ),
    (
        "landing",
        "quarantine_trade",
        "nothing_quarantined",
        QUARANTINE_ONE_ROW,
        {"reason": "negative_value", "year": 2017, "n_rows": 1, "example": "value -5"},
    ),
    (
        "landing",
        "quarantine_trade",
        "few_quarantined",
        "insert into trade_rule_counts values (2018, 'comtrade', 'quarantined:negative_value', 40)",
        {"year": "2018", "rows_quarantined": 40},
    ),
    (
        "landing",
        "quarantine_trade",
        "counts_match_rows",
        "insert into trade_rule_counts values (2018, 'comtrade', 'quarantined:negative_value', 1)",
        {"reason": "negative_value", "rows_counted": 1, "rows_found": 0},
    ),
    (
        "landing",
        "countries",
        "countries_plausible",
        "update countries set is_country = true where country_code = 97",
        {"broken_rule": "a group is no country", "country_code": 97},
    ),
    (
        "landing",
        "countries",
        "countries_plausible",
        "insert into countries from countries where country_code = 842",
        {"country_code": 842},
    ),
    (
        "landing",
        "products",
        "products_plausible",
        "update products set hs2 = '99' where hs6 = '850760'",
        {"hs6": "850760", "hs2": "99"},
    ),
    (
        "landing",
        "hs_conversion",
        "weights_plausible",
        "delete from hs_conversion where from_code = '999998' and hs6 = '850760'",
        {"from_code": "999998", "sum_of_weights": 0.75},
    ),
    (
        "staging",
        "stg_trade_flows",
        "all_rows_arrived",
        "delete from trade_flows where year = 2017 and source_row < 4",
        {"year": 2017},
    ),
    (
        "staging",
        "stg_trade_unallocated",
        "all_rows_arrived",
        "update trade_unallocated set value_usd = 1",
        {"year": 2018},
    ),
    (
        "staging",
        "stg_trade_flows",
        "bec_covers_trade",
        "update stg_products set bec4 = null where hs6 = '850760'",
        {"hs6": "850760", "hs6_name": "good 850760"},
    ),
    (
        "staging",
        "stg_trade_reporters",
        "one_code_per_country",
        "insert into stg_countries values (841, 'USA', 'USA (before 1981)');"
        "insert into stg_trade_reporters values (2017, 841, 'M', 1)",
        {"year": 2017, "iso3": "USA", "codes": "841, 842"},
    ),
    (
        "marts",
        "trade_flows",
        "flows_plausible",
        "update trade_flows set value_usd = 'nan' where hs6 = '850760' and importer_code = 156 and year = 2017",
        {"hs6": "850760", "importer_code": 156, "value_usd": "nan"},
    ),
    (
        "marts",
        "bilateral_totals",
        "totals_match_flows",
        "update bilateral_totals set value_usd = value_usd + 1 where exporter_code = 842 and importer_code = 156",
        {"exporter_code": 842, "importer_code": 156, "difference_usd": pytest.approx(1)},
    ),
    (
        "marts",
        "bilateral_totals",
        "totals_match_flows",
        "delete from bilateral_totals where exporter_code = 842 and importer_code = 156 and year = 2017",
        {"exporter_code": 842, "mart_usd": None},
    ),
    (
        "marts",
        "bilateral_totals",
        "mirrors_fill_gaps_only",
        "update bilateral_totals set is_mirror = true where exporter_code = 842 and importer_code = 156",
        {"year": 2017, "importer_code": 156},
    ),
    (
        "marts",
        "bilateral_totals",
        "imports_as_reported",
        "delete from bilateral_totals where exporter_code = 842 and importer_code = 156 and year = 2017",
        {"year": 2017, "importer_code": 156},
    ),
    (
        "marts",
        "bilateral_totals",
        "no_self_trade",
        "insert into bilateral_totals values (2017, 842, 842, 5, 5, 1, false)",
        {"year": 2017, "exporter_code": 842},
    ),
    (
        "marts",
        "bilateral_totals",
        "coverage_years",
        "delete from bilateral_totals where year = 2018",
        {"year": 2018},
    ),
    (
        "marts",
        "bilateral_totals",
        "coverage_value",
        "update bilateral_totals set value_usd = value_usd * 0.6 where year = 2017",
        {"year": 2017, "change": pytest.approx(-0.4)},
    ),
    (
        "marts",
        "product_centrality",
        "totals_match_flows",
        "update product_centrality set world_exports_usd = 0 where hs6 = '850760' and year = 2018",
        {"hs6": "850760", "year": 2018, "mart_usd": 0.0},
    ),
    (
        "marts",
        "product_centrality",
        "measures_plausible",
        "update product_centrality set export_hhi = 0.1 where hs6 = '850760' and year = 2018",
        {"hs6": "850760", "export_hhi": 0.1},
    ),
    (
        "marts",
        "product_centrality",
        "high_is_a_quarter",
        "update product_centrality set high_centrality = in_scope where year = 2018",
        {"year": 2018, "goods": 7, "goods_flagged": 7},
    ),
    (
        "marts",
        "exporter_position",
        "totals_match_flows",
        "update exporter_position set export_value_usd = 7 where exporter_code = 490 and year = 2017",
        {"exporter_code": 490, "mart_usd": 7.0},
    ),
    (
        "marts",
        "exporter_position",
        "counts_plausible",
        "update exporter_position set n_rank1 = n_top3 + 1 where exporter_code = 490 and year = 2017",
        {"exporter_code": 490, "year": 2017},
    ),
    (
        "marts",
        "import_vulnerability",
        "totals_match_flows",
        "update import_vulnerability set import_value_usd = import_value_usd * 2 "
        "where hs6 = '270900' and year = 2017 and importer_code = 156",
        {"importer_code": 156, "year": 2017},
    ),
    (
        "marts",
        "import_vulnerability",
        "measures_plausible",
        "update import_vulnerability set effective_suppliers = n_suppliers + 1 where hs6 = '850760' and year = 2017",
        {"hs6": "850760", "effective_suppliers": 4.0},
    ),
    (
        "marts",
        "import_vulnerability",
        "measures_plausible",
        "update import_vulnerability set import_hhi = 0.2 where hs6 = '850760' and year = 2017",
        {"hs6": "850760", "import_hhi": 0.2},
    ),
    (
        "marts",
        "import_vulnerability",
        "measures_plausible",
        "update import_vulnerability set category = 5 where hs6 = '850760' and year = 2017",
        {"hs6": "850760", "category": 5},
    ),
    (
        "marts",
        "import_vulnerability",
        "high_is_a_quarter",
        "update import_vulnerability set high_concentration = false where importer_code = 156 and year = 2017",
        {"importer_code": 156, "goods_flagged": 0},
    ),
    (
        "marts",
        "vulnerability_summary",
        "shares_sum_to_one",
        "delete from vulnerability_summary where importer_code = 156 and year = 2017 and category = 4",
        {"importer_code": 156, "year": 2017},
    ),
    (
        "marts",
        "vulnerability_summary",
        "shares_sum_to_one",
        "update vulnerability_summary set category = 7 where importer_code = 156 and year = 2017 and category = 4",
        {"category": 7},
    ),
    (
        "marts",
        "vulnerability_summary",
        "counts_match_goods",
        "update vulnerability_summary set n_goods = n_goods + 1 where importer_code = 156 and category = 4",
        {"importer_code": 156, "category": 4},
    ),
    (
        "marts",
        "industry_vulnerability",
        "totals_match_goods",
        "delete from industry_vulnerability where hs2 = '85' and year = 2017 and importer_code = 156",
        {"importer_code": 156, "hs2": "85", "mart_usd": None},
    ),
    (
        "marts",
        "industry_vulnerability",
        "measures_plausible",
        "update industry_vulnerability set rank = rank + 1 where year = 2017 and importer_code = 156",
        {"importer_code": 156, "first_rank": 2},
    ),
]


@pytest.mark.parametrize(("stage", "table", "check", "fault", "shown"), FAULTS)
def test_fault_is_found_and_shown(stage: str, table: str, check: str, fault: str, shown: dict[str, Any]) -> None:
    outcome = outcome_of(stage, table, check, fault)
    assert outcome.status == "failed", outcome.message
    assert outcome.n_failed >= 1
    assert any(shown.items() <= row.items() for row in outcome.rows), outcome.rows


def test_every_check_has_a_fault_that_it_finds() -> None:
    declared = {(name, check.table, check.name) for name, stage in STAGES.items() for check in stage.checks}
    assert declared == {(stage, table, check) for stage, table, check, *_ in FAULTS}


def test_a_few_cells_off_warn_and_are_listed_while_the_rest_passes() -> None:
    fault = (
        "update trade_control_totals set value_usd = value_usd * 0.999 "
        "where year = 2017 and cmd_code = '850760' and reporter_code in (156, 842)"
    )
    outcomes = {outcome.check: outcome for outcome in run("landing", fault=fault) if not outcome.passed}
    assert set(outcomes) == {"partners_within_world"}
    assert outcomes["partners_within_world"].severity == "WARN"
    assert outcomes["partners_within_world"].n_failed == 2


def test_partners_below_world_are_legal_and_their_ratio_is_told() -> None:
    fault = "update trade_control_totals set value_usd = value_usd * 2"
    outcome = outcome_of("landing", "trade_control_totals", "partners_within_world", fault)
    assert outcome.passed
    assert outcome.facts["partners_over_world"] == pytest.approx(0.5)
    assert outcome.facts["cells"] == 48


def test_one_quarantined_row_warns_and_blocks_nothing() -> None:
    outcomes = [outcome for outcome in run("landing", fault=QUARANTINE_ONE_ROW) if not outcome.passed]
    assert [(outcome.check, outcome.severity) for outcome in outcomes] == [("nothing_quarantined", "WARN")]


def test_quarantined_rows_without_a_year_are_measured_against_all_rows() -> None:
    fault = (
        "insert into trade_rule_counts values (null, 'comtrade', 'rows_read', 2), "
        "(null, 'comtrade', 'quarantined:malformed_row', 2);"
        "insert into quarantine_trade select 'trade', 'comtrade', null, 'malformed_row', '', 'c', 1, '{}' from range(2)"
    )
    outcomes = [outcome.check for outcome in run("landing", fault=fault) if not outcome.passed]
    assert outcomes == ["nothing_quarantined"]


@pytest.mark.parametrize("stage", ["landing", "marts"])
def test_without_a_previous_release_coverage_passes_and_says_so(stage: str) -> None:
    absent = {"previous_release": "there is no previous release"}
    sql = GOOD[stage] + "drop schema previous cascade;"
    compared = [o for o in engine.run(STAGES[stage], tables(sql, absent)) if o.check.startswith("coverage")]
    assert len(compared) == 2
    for outcome in compared:
        assert outcome.passed
        assert outcome.message == "nothing to compare with: there is no previous release"


def test_many_failing_rows_are_counted_but_only_the_first_are_shown() -> None:
    stage = Stage("s", (Check("c", "t", "ERROR", "No rows.", (no_rows("select * from {batch}"),)),))
    (outcome,) = engine.run(stage, tables("create table t as select range as n from range(100000)"))
    assert outcome.n_failed == 100_000
    assert len(outcome.rows) == engine.ROWS_SHOWN
    assert outcome.message == "100,000 failing rows"


@pytest.mark.parametrize("stage", STAGES)
def test_empty_tables_fail_but_crash_nothing(stage: str) -> None:
    def fill(connection: Any) -> None:
        connection.execute(GOOD[stage])
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()
        for (name,) in names:
            if name != "run_years":
                connection.execute(f"delete from {name}")

    outcomes = engine.run(STAGES[stage], CheckedData(fill))
    assert [(o.table, o.check, o.message) for o in outcomes if o.status not in ("passed", "failed")] == []
    assert "failed" in statuses(outcomes)


# --- three meanings of success=False ---------------------------------------------------------------------------------

TABLE = "create table t as select 1 as n, 'a' as name"


def one(expect: Expect, sql: str = TABLE, **more: Any) -> Outcome:
    stage = Stage("s", (Check("c", "t", "ERROR", "A rule.", (expect,), **more),), keys={"t": ("n",)})
    (outcome,) = engine.run(stage, tables(sql))
    return outcome


def test_failed_data() -> None:
    outcome = one(between("n", 2, None))
    assert (outcome.status, outcome.n_failed, outcome.rows) == ("failed", 1, ({"n": 1},))


@pytest.mark.parametrize(
    "expect",
    [
        not_null("lost"),
        between("lost", 0, 1),
        no_rows("select * from {batch} where lost > 1"),
        no_rows("from {batch}, u"),
    ],
    ids=["column of one expectation", "of another", "of a query", "table of a query"],
)
def test_missing_column_or_table_is_neither_failed_nor_crashed(expect: Expect) -> None:
    outcome = one(expect)
    assert outcome.status == "missing"
    assert not outcome.passed and not outcome.crashed
    assert outcome.message.startswith("table or column missing: ")
    assert "lost" in outcome.message or "u" in outcome.message


def test_missing_table_under_check() -> None:
    assert one(not_null("n"), sql="create table other as select 1 as n").status == "missing"


@pytest.mark.parametrize(
    "expect",
    [
        no_rows("select no_such_function(n) from {batch}"),
        no_rows("select * from {batch} where name::integer > 0"),
        no_rows("this is no query of {batch}"),
        Expect("ExpectSomethingUnknown", {}),
        Expect("ExpectColumnValuesToBeBetween", {"column": "n"}),
        Expect("ExpectColumnValuesToMatchRegex", {"column": "name", "regex": "a"}),
    ],
    ids=["function", "conversion", "syntax", "no such expectation", "arguments", "not on this database"],
)
def test_crash_is_neither_failed_nor_passed(expect: Expect) -> None:
    outcome = one(expect)
    assert outcome.status == "crashed"
    assert outcome.crashed and not outcome.passed
    assert outcome.message.startswith("check crashed: ")
    assert outcome.rows == ()


def test_a_crash_leaves_the_other_checks_of_the_table_their_outcomes() -> None:
    checks = (
        Check("crashes", "t", "ERROR", "", (no_rows("select no_such_function(n) from {batch}"),)),
        Check("fails", "t", "ERROR", "", (between("n", 2, None),)),
        Check("passes", "t", "ERROR", "", (not_null("n"),)),
    )
    outcomes = engine.run(Stage("s", checks), tables(TABLE))
    assert [outcome.status for outcome in outcomes] == ["crashed", "failed", "passed"]


def test_a_check_is_as_bad_as_the_worst_of_its_expectations() -> None:
    crashing, failing, passing = no_rows("select f(n) from {batch}"), between("n", 2, None), not_null("n")
    checks = (
        Check("both", "t", "ERROR", "", (passing, failing, crashing)),
        Check("fails", "t", "ERROR", "", (passing, failing)),
    )
    outcomes = engine.run(Stage("s", checks), tables(TABLE))
    assert [outcome.status for outcome in outcomes] == ["crashed", "failed"]


def test_what_cannot_be_looked_at_crashes_every_check() -> None:
    def refuse(_connection: Any) -> None:
        raise OSError("no such disk")

    outcomes = engine.run(LANDING, CheckedData(refuse))
    assert len(outcomes) == len(LANDING.checks)
    assert all(outcome.crashed and "no such disk" in outcome.message for outcome in outcomes)


def test_a_shared_query_that_cannot_be_computed_breaks_only_the_checks_that_read_it() -> None:
    outcomes = run("landing", fault="alter table trade_reimports drop column value_usd")
    broken = {outcome.check: outcome.status for outcome in outcomes if not outcome.passed}
    assert broken == {
        "rows_plausible": "missing",
        "partners_within_world": "missing",
        "partners_within_world_overall": "missing",
    }


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ({"raised_exception": False, "exception_message": None}, None),
        ({"raised_exception": True, "exception_message": "one shape"}, "one shape"),
        ({"metric": {"raised_exception": True, "exception_message": "the other"}}, "the other"),
        ({}, None),
    ],
)
def test_both_shapes_of_exception_info_are_understood(info: dict[str, Any], text: str | None) -> None:
    class Result:
        exception_info = info

    assert engine._exception_of(Result()) == text


# --- what the checks look at -----------------------------------------------------------------------------------------


@pytest.fixture
def landing_dir(tmp_path: Path) -> Path:
    """The good landing tables as landing writes them: Parquet by year, reference tables in one file each."""
    connection = duckdb.connect()
    connection.execute(LANDING_SQL)
    landing = tmp_path / "landing"
    folders = {"quarantine_trade": "quarantine/trade"}
    for table in ("flows", "unallocated", "reimports", "control_totals", "reporters", "rule_counts"):
        folders[f"trade_{table}"] = f"trade_{table}"
    for table, folder in folders.items():
        for year in YEARS:
            target = landing / folder / f"year={year}"
            target.mkdir(parents=True)
            connection.execute(f"copy (from {table} where year = {year}) to '{target}/part-0.parquet'")
    (landing / "reference").mkdir()
    for table in ("countries", "products", "hs_conversion"):
        connection.execute(f"copy {table} to '{landing}/reference/{table}.parquet'")
    return landing


@pytest.mark.parametrize("years", [(), YEARS, (2017,)])
def test_over_landing_reads_the_parquet_of_the_years(landing_dir: Path, years: tuple[int, ...]) -> None:
    outcomes = engine.run(LANDING, over_landing(landing_dir, years))
    assert [(o.table, o.check, o.message) for o in outcomes if not o.passed] == []
    (read,) = [o.facts["rows_read"] for o in outcomes if o.check == "rows_accounted_for"]
    assert read == (123 if years == (2017,) else 246)


def test_over_landing_reports_a_year_without_flows_and_a_table_without_files(landing_dir: Path) -> None:
    for path in landing_dir.glob("trade_reporters/*/*.parquet"):
        path.unlink()
    outcomes = {(o.table, o.check): o for o in engine.run(LANDING, over_landing(landing_dir, (2017, 2019)))}
    assert outcomes["trade_flows", "years_as_requested"].rows == ({"year": 2019},)
    assert outcomes["trade_reporters", "reporters_plausible"].status == "missing"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A warehouse with the good marts, in the schemas that dbt writes."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema work; create schema staging; create schema marts; use work")
        connection.execute(LANDING_SQL.replace("create schema previous;", "").split("create table previous.")[0])
        connection.execute(WAREHOUSE_SQL)
        connection.execute(MARTS_SQL)
        for table in ("stg_trade_flows", "stg_trade_reimports"):
            # dbt's views name their database.
            connection.execute(f"create view staging.{table} as select * from warehouse.work.{table}")
        marts = "trade_flows", "bilateral_totals", "product_centrality", "exporter_position", "import_vulnerability"
        for table in (*marts, "vulnerability_summary", "industry_vulnerability"):
            connection.execute(f"create table marts.{table} as from work.{table}")
    return path


def test_over_warehouse_checks_the_years_of_the_run_only(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.bilateral_totals set value_usd = 0 where year = 2018")
    assert statuses(engine.run(MARTS, over_warehouse(warehouse, (2017,)))) == {"passed"}
    failed = [o.check for o in engine.run(MARTS, over_warehouse(warehouse, YEARS)) if not o.passed]
    assert "totals_match_flows" in failed


def test_checks_leave_no_lock_on_the_warehouse(warehouse: Path) -> None:
    engine.run(MARTS, over_warehouse(warehouse))
    # This process first, which would clash by configuration; then another one, which would clash by lock.
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table proof as select 1")
    engine.run(MARTS, over_warehouse(warehouse))
    write = f"import duckdb; duckdb.connect({str(warehouse)!r}).execute('drop table proof')"
    subprocess.run([sys.executable, "-c", write], check=True)


def release(published: Path, warehouse: Path, settings: dict[str, Any]) -> Path:
    """A previous release of the warehouse's bilateral totals, as the publisher lays it out."""
    directory = published / "releases" / "r1"
    directory.mkdir(parents=True)
    with duckdb.connect(str(directory / "chokepoint.duckdb")) as connection:
        connection.execute(f"attach '{warehouse}' as w (read_only); create schema marts")
        connection.execute("create table marts.bilateral_totals as from w.marts.bilateral_totals")
    write_manifest(directory, {"format": 1, "settings": settings})
    (published / "current").symlink_to(directory)
    return directory


def test_coverage_compares_with_the_previous_release(tmp_path: Path, warehouse: Path) -> None:
    settings = {"trade_source": "files", "hs_revision": "H5"}
    release(tmp_path / "published", warehouse, settings)
    previous = previous_release(tmp_path / "published", settings)
    assert previous.directory is not None
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from marts.bilateral_totals where year = 2018")
        connection.execute("update marts.bilateral_totals set value_usd = value_usd * 0.5 where year = 2017")

    def coverage(**arguments: Any) -> dict[str, Any]:
        outcomes = engine.run(MARTS, over_warehouse(warehouse, previous=previous, **arguments))
        return {o.check: [row["year"] for row in o.rows] for o in outcomes if o.check.startswith("coverage")}

    assert coverage() == {"coverage_years": [2018], "coverage_value": [2017]}
    assert coverage(requested_years=(2017,)) == {"coverage_years": [], "coverage_value": [2017]}


def test_coverage_of_a_run_of_one_year_does_not_miss_the_others(tmp_path: Path, warehouse: Path) -> None:
    release(tmp_path / "published", warehouse, {})
    previous = previous_release(tmp_path / "published", {})
    assert statuses(engine.run(MARTS, over_warehouse(warehouse, (2017,), previous))) == {"passed"}


def test_no_previous_release_or_one_of_other_settings_says_why(tmp_path: Path, warehouse: Path) -> None:
    published = tmp_path / "published"
    assert previous_release(published, {}) == Previous(None, "there is no previous release")
    directory = release(published, warehouse, {"trade_source": "sample", "hs_revision": "H5"})
    assert previous_release(published, {"trade_source": "sample"}).directory == directory
    other = previous_release(published, {"trade_source": "files", "hs_revision": "H5"})
    assert other.directory is None
    assert other.reason == (
        "the previous release was made with other settings: trade_source was 'sample' and is 'files'"
    )
    (directory / "manifest.json").write_text("{}")
    assert "cannot be read" in previous_release(published, {}).reason


# --- quiet, offline, lazy --------------------------------------------------------------------------------------------


def test_checks_reach_for_no_network_and_print_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a check reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for stage in STAGES:
        assert statuses(run(stage)) == {"passed"}
    assert capsys.readouterr() == ("", "")


def test_importing_the_checks_imports_no_great_expectations() -> None:
    modules = [
        f"dagster_project.checks.{name}" for name in ("landing", "staging", "marts", "engine", "factory", "views")
    ]
    code = f"import sys, {', '.join(modules)}; print(json.dumps('great_expectations' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"import json; {code}"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) is False


# --- Dagster ---------------------------------------------------------------------------------------------------------

BY_YEAR = dg.TimeWindowPartitionsDefinition(cron_schedule="0 0 1 1 *", fmt="%Y", start="2015", end="2020")


def graph(
    stage: Stage, data: Callable[[dg.AssetCheckExecutionContext], CheckedData], shared: bool = False
) -> tuple[dg.Definitions, list[str]]:
    """The way a stage check is put to use: a yearly asset -> its checks -> an asset downstream that notes its years."""
    done: list[str] = []
    policy = dg.BackfillPolicy.single_run()

    @dg.asset(partitions_def=BY_YEAR, backfill_policy=policy)
    def landed() -> None: ...

    @dg.asset
    def reference() -> None: ...

    @dg.asset(deps=[landed, reference], partitions_def=BY_YEAR, backfill_policy=policy)
    def downstream(context) -> None:
        done.extend(context.partition_keys)

    key = dg.AssetKey("landed")
    keys = {table: key if shared or table != "r" else dg.AssetKey("reference") for table in stage.tables}
    check = factory.make_stage_check("landing_checks", stage, keys, data)
    job = dg.define_asset_job("everything", "*")
    return dg.Definitions(assets=[landed, reference, downstream], asset_checks=[check], jobs=[job]), done


def execute(definitions: dg.Definitions, **arguments: Any) -> dg.ExecuteInProcessResult:
    job = definitions.resolve_job_def("everything")
    instance = dg.DagsterInstance.ephemeral()
    return job.execute_in_process(instance=instance, raise_on_error=False, **arguments)


RANGE = {"dagster/asset_partition_range_start": "2016", "dagster/asset_partition_range_end": "2018"}


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def small_stage(severity: Any, expect: Expect) -> Stage:
    passing = Check("passes", "t", "ERROR", "There is a number.", (not_null("n"),), facts="select 7 as rows_seen")
    other = Check("passes", "r", "ERROR", "There is a number.", (not_null("n"),))
    return Stage("landing", (passing, Check("decides", "t", severity, "The rule.", (expect,)), other))


TWO_TABLES = "create table t as select 1 as n; create table r as select 1 as n"
BAD = no_rows("select n, null as empty, 2.5 as half from {batch}")


def test_failed_error_check_shows_its_rows_and_stops_everything_downstream() -> None:
    definitions, done = graph(small_stage("ERROR", BAD), lambda _: tables(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert not result.success
    assert done == []
    failed = evaluations(result)["decides"]
    assert not failed.passed and failed.blocking and failed.severity is dg.AssetCheckSeverity.ERROR
    assert failed.description == "1 failing row. Rule: The rule."
    assert [record.data for record in failed.metadata["first_failing_rows"].records] == [
        {"n": 1, "empty": None, "half": 2.5}
    ]
    assert failed.metadata["failing_rows"].value == 1
    assert failed.metadata["years"].value == "2017"
    assert "from {batch}" in failed.metadata["expectation"].value
    passed = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.check_name == "passes"]
    assert [evaluation.passed for evaluation in passed] == [True, True]
    assert passed[0].metadata["rows_seen"].value == 7


def test_failed_warning_is_shown_and_stops_nothing() -> None:
    definitions, done = graph(small_stage("WARN", BAD), lambda _: tables(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert result.success
    assert done == ["2017"]
    warned = evaluations(result)["decides"]
    assert not warned.passed and warned.severity is dg.AssetCheckSeverity.WARN


def test_crashed_check_stops_and_reads_as_a_crash() -> None:
    crash = no_rows("select no_such_function(n) from {batch}")
    definitions, done = graph(small_stage("ERROR", crash), lambda _: tables(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert not result.success
    assert done == []
    crashed = evaluations(result)["decides"]
    assert not crashed.passed and crashed.severity is dg.AssetCheckSeverity.ERROR
    assert crashed.description.startswith("check crashed: ")
    assert crashed.metadata["crashed"].value is True
    assert "no_such_function" in crashed.metadata["exception"].value
    assert "first_failing_rows" not in crashed.metadata


def test_crash_of_a_warning_is_an_error() -> None:
    crash = no_rows("select no_such_function(n) from {batch}")
    definitions, _ = graph(small_stage("WARN", crash), lambda _: tables(TWO_TABLES))
    crashed = evaluations(execute(definitions, partition_key="2017"))["decides"]
    assert crashed.severity is dg.AssetCheckSeverity.ERROR
    assert crashed.description.startswith("check crashed: ")


def test_a_run_of_several_years_is_one_step_that_knows_its_years() -> None:
    seen: list[tuple[int, ...]] = []

    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        seen.append(factory.years_of_run(context))
        return tables(TWO_TABLES)

    definitions, done = graph(small_stage("ERROR", not_null("n")), data)
    result = execute(definitions, tags=RANGE)
    assert result.success
    assert seen == [(2016, 2017, 2018)]
    assert done == ["2016", "2017", "2018"]


def test_data_that_cannot_be_had_is_a_crash_of_every_check() -> None:
    def data(_context: dg.AssetCheckExecutionContext) -> CheckedData:
        raise FileNotFoundError("landing is gone")

    definitions, done = graph(small_stage("ERROR", not_null("n")), data)
    result = execute(definitions, partition_key="2017")
    assert done == []
    assert all("landing is gone" in e.description for e in result.get_asset_check_evaluations())


def test_tables_that_share_an_asset_keep_their_checks_apart() -> None:
    definitions, _ = graph(small_stage("ERROR", not_null("n")), lambda _: tables(TWO_TABLES), shared=True)
    assert set(evaluations(execute(definitions, partition_key="2017"))) == {"t_passes", "t_decides", "r_passes"}


def test_a_stage_check_needs_an_asset_for_every_table() -> None:
    with pytest.raises(ValueError, match="no asset key for the tables r"):
        factory.make_stage_check("c", small_stage("ERROR", BAD), {"t": dg.AssetKey("a")}, lambda _: tables(""))


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_real_stages_make_definitions(stage: Stage) -> None:
    keys = {table: dg.AssetKey([stage.name, table]) for table in stage.tables}
    check = factory.make_stage_check(f"{stage.name}_checks", stage, keys, lambda _: tables(""))
    specs = list(check.check_specs)
    assert len(specs) == len(stage.checks)
    assert [spec.blocking for spec in specs] == [check.severity == "ERROR" for check in stage.checks]
    assert all(spec.description for spec in specs)


def test_markdown_rows_survive_bars_and_lost_columns() -> None:
    rows = [{"a": 1, "b": "x|y"}, {"a": 2, "c": None}]
    assert factory.as_markdown(rows) == "| a | b | c |\n| --- | --- | --- |\n| 1 | x\\|y |  |\n| 2 |  | None |"
