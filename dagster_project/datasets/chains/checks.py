"""The checks of input-output tables at landing: whole, in balance, of known sectors, and every number accounted for.

Not here: whether a file can be used at all (reading refuses it), and what is computed from the tables.
"""

from __future__ import annotations

from dagster_project.checks.accounting import Noted, accounting
from dagster_project.checks.declarations import Check, Stage, between, no_rows, not_null

_WITHOUT_ROW = """
    select f.edition, f.year, f.src_iso3, f.src_sector, count(*) as n_rows
    from {batch} as f left join io_output as o
        on o.edition = f.edition and o.year = f.year and o.country_iso3 = f.src_iso3 and o.sector = f.src_sector
            and o.position = f.src_position
    where o.position is null group by all
"""
_MISPLACED = """
    select f.edition, f.year, f.dst_iso3, f.dst_sector, count(*) as n_rows
    from {batch} as f left join io_output as o
        on o.edition = f.edition and o.year = f.year and o.country_iso3 = f.dst_iso3 and o.sector = f.dst_sector
            and o.position = f.dst_position
    where o.position is null group by all
"""
_REPEATED = """
    select edition, year, src_position, dst_position, count(*) as n_rows from {batch}
    group by all having count(*) > 1
"""
_NOT_POSITIVE = """
    select f.edition, f.year, o.country_iso3, o.sector, count(*) as n_rows
    from {batch} as f inner join io_output as o
        on o.edition = f.edition and o.year = f.year and o.position in (f.src_position, f.dst_position)
    where not o.gross_output_usd > 0 group by all
"""
# Intermediate and final use add up to output where the table says where its products are used.
_OUT_OF_BALANCE = """
    with uses as (
        select edition, year, src_iso3, src_sector, value_usd from io_flows
        union all
        select edition, year, src_iso3, src_sector, value_usd from io_final
    ),
    sums as (select edition, year, src_iso3, src_sector, sum(value_usd) as used_usd from uses group by all)
    select o.edition, o.year, o.country_iso3, o.sector, o.gross_output_usd, coalesce(s.used_usd, 0) as used_usd
    from {batch} as o
    inner join io_tables as t on t.edition = o.edition and t.year = o.year and t.has_final
    left join sums as s on s.edition = o.edition and s.year = o.year
        and s.src_iso3 = o.country_iso3 and s.src_sector = o.sector
    where o.gross_output_usd > 0
        and abs(coalesce(s.used_usd, 0) - o.gross_output_usd) > 0.001 * o.gross_output_usd + 250e6
"""
_VALUE_ADDED = """
    with inputs as (
        select edition, year, dst_position as position, sum(value_usd) as inputs_usd from io_flows group by all
    )
    select o.edition, o.year, o.country_iso3, o.sector, o.gross_output_usd, o.value_added_usd, o.taxes_usd,
        coalesce(i.inputs_usd, 0) as inputs_usd
    from {batch} as o left join inputs as i using (edition, year, position)
    where o.gross_output_usd > 0 and o.value_added_usd is not null
        and abs(o.gross_output_usd - coalesce(i.inputs_usd, 0) - o.value_added_usd - coalesce(o.taxes_usd, 0))
            > 0.01 * o.gross_output_usd
"""
_FACTS = """
    select count(*) as n_tables, count(distinct edition) as n_editions, min(year) as first_year,
        max(year) as last_year, sum(dropped_flows)::bigint as dropped_flows, sum(dropped_flows_usd) as dropped_flows_usd
    from {batch}
"""
_DROPPED = "select edition, year, file, dropped_flows, dropped_flows_usd from {batch} where dropped_flows > 0"
_PARTIAL = "select edition, year, file, n_countries from {batch} where not is_complete"
_STRAY_INTENSITIES = """
    select e.edition, e.year, e.country_iso3, e.sector, count(*) as n_rows
    from {batch} as e left join io_output as o using (edition, year, country_iso3, sector)
    group by all having count(*) > 1 or count(o.position) = 0
"""
_USUAL = (0.01, 5)
_OTHER_UNIT = f"""
    select e.edition, e.year, sum(e.kg_co2_per_usd * o.gross_output_usd) / sum(o.gross_output_usd) as mean_kg_per_usd
    from {{batch}} as e inner join io_output as o using (edition, year, country_iso3, sector)
    where o.gross_output_usd > 0 group by all having not mean_kg_per_usd between {_USUAL[0]} and {_USUAL[1]}
"""
_WITHOUT_INTENSITY = """
    select o.edition, o.year, o.country_iso3, count(*) as n_sectors, min(o.sector) as first_sector,
        sum(o.gross_output_usd) as gross_output_usd
    from io_output as o anti join {batch} as e using (edition, year, country_iso3, sector)
    where o.gross_output_usd > 0 and (o.edition, o.year) in (select (edition, year) from {batch})
    group by all
"""

_NOTED = {
    "without_output": Noted("sectors without output, which have no measures", 0.1),
    "negative_final_use": Noted("final uses below 0: more was taken from stock than used", 0.05),
}

CHAINS_LANDING = Stage(
    name="landing of chains",
    keys={
        "io_flows": ("edition", "year", "src_iso3", "src_sector", "dst_iso3", "dst_sector"),
        "io_final": ("edition", "year", "src_iso3", "src_sector", "dst_iso3"),
        "io_output": ("edition", "year", "country_iso3", "sector"),
        "io_emissions": ("edition", "year", "country_iso3", "sector"),
    },
    checks=(
        Check(
            "flows_plausible",
            "io_flows",
            "ERROR",
            "Flows are above 0, each pair of labels is there once, at the place that its labels have in io_output, and "
            "no sector without output delivers or uses anything.",
            (
                between("value_usd", 0, None, strictly_above=True),
                no_rows(_WITHOUT_ROW, counted_by="n_rows"),
                no_rows(_MISPLACED, counted_by="n_rows"),
                no_rows(_REPEATED, counted_by="n_rows"),
                no_rows(_NOT_POSITIVE, counted_by="n_rows"),
            ),
        ),
        Check(
            "final_use_known",
            "io_final",
            "ERROR",
            "Every final use is a number, of a label that has an output.",
            (
                not_null("value_usd"),
                no_rows(
                    """
                    select f.edition, f.year, f.src_iso3, f.src_sector, count(*) as n_rows
                    from {batch} as f left join io_output as o
                        on o.edition = f.edition and o.year = f.year
                            and o.country_iso3 = f.src_iso3 and o.sector = f.src_sector
                    where o.position is null group by all
                    """,
                    counted_by="n_rows",
                ),
            ),
        ),
        Check(
            "output_in_balance",
            "io_output",
            "ERROR",
            "Output is a number; where final use is known, what is used adds up to it within 0.1 % and 250 million USD "
            "(the World Input-Output Database rounds to whole millions).",
            (not_null("gross_output_usd"), no_rows(_OUT_OF_BALANCE)),
        ),
        Check(
            "value_added_fits",
            "io_output",
            "WARN",
            "Output less inputs is value added and taxes of the file, within 1 % of output.",
            (no_rows(_VALUE_ADDED),),
        ),
        Check(
            "tables_landed",
            "io_tables",
            "ERROR",
            "Each table has at least one country and one sector.",
            (between("n_countries", 1, None), between("n_sectors", 1, None)),
            facts=_FACTS,
        ),
        Check(
            "no_flow_dropped",
            "io_tables",
            "WARN",
            "No flow was left out because a sector of it has no output.",
            (no_rows(_DROPPED),),
        ),
        Check(
            "tables_cover_the_world",
            "io_tables",
            "WARN",
            "Every table has a rest of the world (ROW); without it, imports and value added abroad are too low.",
            (no_rows(_PARTIAL),),
        ),
        Check(
            "measures_are_numbers",
            "io_published",
            "ERROR",
            "Every published measure is a number.",
            (not_null("value"),),
        ),
        Check(
            "intensities_plausible",
            "io_emissions",
            "ERROR",
            "Emission intensities are 0 or more, one for each country and sector, of a label of the table.",
            (not_null("kg_co2_per_usd"), between("kg_co2_per_usd", 0, None), no_rows(_STRAY_INTENSITIES)),
        ),
        Check(
            "intensities_in_kg",
            "io_emissions",
            "WARN",
            f"Weighed with output, intensities are {_USUAL[0]} to {_USUAL[1]} kg of CO2 per USD: the world's is about "
            "0.2. Others are likely in another unit.",
            (no_rows(_OTHER_UNIT),),
        ),
        Check(
            "intensities_for_all_output",
            "io_emissions",
            "WARN",
            "Where a table has intensities, every sector with output has one; what else is made of its products holds "
            "less carbon than it should.",
            (no_rows(_WITHOUT_INTENSITY, counted_by="n_sectors"),),
        ),
        *accounting(
            "chains",
            about="chains_rule_counts",
            by=("source", "year"),
            quarantine_by=("source", "year"),
            noted=_NOTED,
        ),
    ),
)
