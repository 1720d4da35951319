"""Checks of the carbon embodied in exports: each solution put back into its equation, and what follows from it.

They read what `mart_checks` prepares of the flows. Not here: whether the intensities can be used (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals

_TOLERANCE = "1e-9 * abs({value}) + 1e-9"

# Solutions for one emitter put back: what is emitted for a product is its own and that behind what it is made of.
_CARBON = """
    with links as (
        select f.edition, f.year, f.dst_position as position, sum(f.value_usd * c.kg_per_usd) as kg,
            coalesce(sum(f.value_usd * c.at_home_kg_per_usd) filter (f.src_iso3 = f.dst_iso3), 0) as at_home,
            sum(f.value_usd * c.coverage * g.ply) as covered
        from landed.io_flows as f
        inner join one_emitter as c on c.edition = f.edition and c.year = f.year and c.country_iso3 = f.src_iso3
            and c.sector = f.src_sector
        inner join chain_sectors as g on g.edition = f.edition and g.year = f.year and g.position = f.src_position
        group by all
    )
    select c.edition, c.year, c.emitter_iso3, c.country_iso3, c.sector,
        case when c.country_iso3 = c.emitter_iso3 then coalesce(e.kg_co2_per_usd, 0) else 0 end
            + coalesce(l.kg, 0) / s.x as kg_per_usd,
        coalesce(e.kg_co2_per_usd, 0) + coalesce(l.at_home, 0) / s.x as at_home_kg_per_usd,
        ((e.kg_co2_per_usd is not null)::int + coalesce(l.covered, 0) / s.x) / s.ply as coverage
    from one_emitter as c
    inner join chain_sectors as s using (edition, year, country_iso3, sector)
    left join links as l using (edition, year, position)
    left join landed.io_emissions as e using (edition, year, country_iso3, sector)
"""
_UNSOLVED = f"""
    with again as ({_CARBON})
    select c.edition, c.year, c.country_iso3, c.sector, c.kg_per_usd, a.kg_per_usd as kg_again, c.at_home_kg_per_usd,
        a.at_home_kg_per_usd as at_home_again, c.coverage, a.coverage as coverage_again
    from one_emitter as c inner join again as a using (edition, year, country_iso3, sector)
    where abs(c.kg_per_usd - a.kg_per_usd) > 1e-9 * abs(a.kg_per_usd) + 1e-12
        or abs(c.at_home_kg_per_usd - a.at_home_kg_per_usd) > 1e-9 * abs(a.at_home_kg_per_usd) + 1e-12
        or abs(c.coverage - a.coverage) > 1e-9
"""
_EXPORTED = """
    with known as (select distinct edition, year from landed.io_emissions),
    behind as (
        select edition, year, country_iso3, sector, sum(kg_per_usd) as kg,
            sum(kg_per_usd) filter (emitter_iso3 = country_iso3) as own, any_value(at_home_kg_per_usd) as at_home
        from int_io_carbon group by all
    )
    select g.edition, g.year, g.country_iso3, g.sector, e.kg_co2_per_usd * g.gross_output_usd / 1000 as emissions_t,
        b.kg * g.exports_usd / 1000 as embodied_carbon_t, b.own * g.exports_usd / 1000 as domestic_carbon_t,
        b.at_home * g.exports_usd / 1000 as territorial_carbon_t
    from gvc_position as g
    inner join known using (edition, year)
    inner join landed.io_emissions as e using (edition, year, country_iso3, sector)
    inner join behind as b using (edition, year, country_iso3, sector)
    where g.gross_output_usd > 0 and g.exports_usd is not null
"""
# All that is emitted is in what is finally used.
_LOST_CARBON = """
    with emitted as (
        select edition, year, sum(kg_co2_per_usd * x) as kg
        from landed.io_emissions inner join chain_sectors using (edition, year, country_iso3, sector) group by all
    ),
    arrived as (
        select edition, year, sum(kg_per_usd * y) as kg
        from int_io_carbon inner join chain_sectors using (edition, year, country_iso3, sector) group by all
    )
    select edition, year, emitted.kg as emitted_kg, arrived.kg as arrived_kg
    from emitted full join arrived using (edition, year)
    where coalesce(abs(emitted.kg - arrived.kg) > 1e-9 * emitted.kg, true)
"""
_UNREASONED = """
    with mart as (select * from {batch}),
    known as (select distinct edition, year from landed.io_emissions)
    select edition, year, country_iso3, sector, reason, embodied_carbon_t, territorial_carbon_t, domestic_carbon_t
    from mart left join known using (edition, year)
    where (embodied_carbon_t is null) <> (reason is not null)
        or territorial_carbon_t > domestic_carbon_t * (1 + 1e-9) + 1e-9
        or domestic_carbon_t > embodied_carbon_t * (1 + 1e-9) + 1e-9
        or (reason like 'no emission intensities%') <> (known.year is null)
"""
_CARBON_OF_COUNTRIES = """
    select edition, year, country_iso3, sum(exports_usd) as exports_usd, sum(emissions_t) as emissions_t,
        sum(embodied_carbon_t) as embodied_carbon_t, sum(domestic_carbon_t) as domestic_carbon_t,
        sum(foreign_carbon_t) as foreign_carbon_t, sum(territorial_carbon_t) as territorial_carbon_t,
        1 - sum(domestic_carbon_t) / nullif(sum(embodied_carbon_t), 0) as foreign_share,
        1000 * sum(embodied_carbon_t) / nullif(sum(exports_usd) filter (embodied_carbon_t is not null), 0)
            as embodied_kg_per_usd,
        case when count(embodied_carbon_t) > 0 then
            1 - coalesce(sum(exports_usd) filter (embodied_carbon_t is null), 0) / nullif(sum(exports_usd), 0) end
            as counted_share
    from embodied_carbon group by all
"""

CARBON_PREPARED: Mapping[str, str] = {
    "one_emitter": """
        select c.* from int_io_carbon as c inner join one_exporter as o
            on o.edition = c.edition and o.year = c.year and o.exporter_iso3 = c.emitter_iso3
    """,
    "carbon_rows": "select edition, year, country_iso3, sector from embodied_carbon where reason is null",
}
CARBON: tuple[Check, ...] = (
    Check(
        "recomputed_from_flows",
        "embodied_carbon",
        "ERROR",
        "For the largest exporter of each table, the carbon behind a product is put back into its equation over the "
        "flows and solves it; exports hold it, all that is emitted is in final use, and nulls have their reason.",
        (
            no_rows(_UNSOLVED),
            no_rows(_LOST_CARBON),
            equals(
                _EXPORTED,
                "edition, year, country_iso3, sector",
                numbers=("emissions_t", "embodied_carbon_t", "domestic_carbon_t", "territorial_carbon_t"),
                sample=("carbon_rows", "edition, year, country_iso3, sector"),
                tolerance=_TOLERANCE,
            ),
            no_rows(_UNREASONED),
        ),
    ),
    Check(
        "recomputed_from_sectors",
        "embodied_carbon_country",
        "ERROR",
        "A country's embodied carbon is that of its sectors.",
        (
            equals(
                _CARBON_OF_COUNTRIES,
                "edition, year, country_iso3",
                numbers=(
                    *("exports_usd", "emissions_t", "embodied_carbon_t", "domestic_carbon_t", "foreign_carbon_t"),
                    *("territorial_carbon_t", "foreign_share", "embodied_kg_per_usd", "counted_share"),
                ),
                tolerance=_TOLERANCE,
            ),
        ),
    ),
)
