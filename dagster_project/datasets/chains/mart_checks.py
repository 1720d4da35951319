"""Checks of the marts of input-output tables: identities, and every measure by another road.

The models solve systems of equations; here each solution is put back into its equation, flow by flow: a length is one
stage and the mean length of what follows, a participation is what crosses a border now and the part of the rest that
will. Not here: hand-worked cases (the tests), and whether a table is whole (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, Stage, no_rows, prepared
from dagster_project.checks.recomputed import equals
from dagster_project.datasets.chains.carbon_checks import CARBON, CARBON_PREPARED

_TOLERANCE = "1e-9 * abs({value}) + 1e-9"
_KEY = "edition, year, country_iso3, sector"

# The sectors with output, with the measures that stand in the equations.
_SECTORS = """
    select o.edition, o.year, o.position, o.country_iso3, o.sector, o.gross_output_usd as x, g.plv, g.ply,
        g.forward_participation as f, g.backward_participation as b, g.forward_domestic as d,
        g.forward_traditional as t, g.forward_simple as s, m.lly, m.v_ll, m.y,
        m.embodied as w
    from landed.io_output as o
    inner join gvc_position as g using (edition, year, country_iso3, sector)
    inner join int_io_sectors as m using (edition, year, country_iso3, sector)
    where o.gross_output_usd > 0
"""
# Sums over what a sector delivers (rows), and over what it uses (columns).
_ROWS = """
    select l.edition, l.year, l.src_position as position, sum(z) as sales,
        coalesce(sum(z) filter (not home), 0) as sales_abroad, sum(z * u.plv) as plv,
        coalesce(sum(z * u.f) filter (home), 0) as f, coalesce(sum(z * u.d) filter (home), 0) as d,
        coalesce(sum(z * u.t) filter (home), 0) as t, coalesce(sum(z * u.s) filter (home), 0) as s,
        coalesce(sum(z * u.d) filter (not home), 0) as crossing,
        coalesce(sum(z * u.lly / u.x) filter (home), 0) as lly
    from (
        select edition, year, src_position, dst_position, value_usd as z, src_iso3 = dst_iso3 as home
        from landed.io_flows
    ) as l
    inner join chain_sectors as u on u.edition = l.edition and u.year = l.year and u.position = l.dst_position
    group by all
"""
_COLUMNS = """
    select l.edition, l.year, l.dst_position as position, sum(z) as inputs,
        coalesce(sum(z) filter (not home), 0) as imported, sum(z * u.ply) as ply,
        coalesce(sum(z * u.b) filter (home), 0) as b, coalesce(sum(z * u.v_ll) filter (home), 0) as v_ll,
        coalesce(sum(z * (1 - u.b)) filter (not home), 0) + coalesce(sum(z * u.w) filter (home), 0) as w
    from (
        select edition, year, src_position, dst_position, value_usd as z, src_iso3 = dst_iso3 as home
        from landed.io_flows
    ) as l
    inner join chain_sectors as u on u.edition = l.edition and u.year = l.year and u.position = l.src_position
    group by all
"""
_SOURCES = """
    select edition, year, dst_position as position, src_iso3, src_iso3 <> dst_iso3 as is_foreign, sum(value_usd) as z
    from landed.io_flows group by all
"""
_ABROAD = """
    select edition, year, src_iso3 as country_iso3, src_sector as sector,
        coalesce(sum(value_usd) filter (dst_iso3 <> src_iso3), 0) as abroad
    from landed.io_final group by all
"""
_POSITION = """
    with known as (select edition, year, has_final from landed.io_tables),
    sums as (
        select c.*, coalesce(r.sales, 0) as sales, coalesce(r.sales_abroad, 0) as sales_abroad,
            coalesce(r.plv, 0) as r_plv, coalesce(r.f, 0) as r_f, coalesce(r.d, 0) as r_d, coalesce(r.t, 0) as r_t,
            coalesce(r.s, 0) as r_s, coalesce(r.crossing, 0) as crossing, coalesce(r.lly, 0) as r_lly,
            coalesce(u.inputs, 0) as inputs, coalesce(u.imported, 0) as imported, coalesce(u.ply, 0) as u_ply,
            coalesce(u.b, 0) as u_b, coalesce(u.v_ll, 0) as u_v_ll, coalesce(u.w, 0) as u_w,
            case when k.has_final then coalesce(a.abroad, 0) end as abroad
        from chain_sectors as c
        inner join known as k using (edition, year)
        left join chain_rows as r using (edition, year, position)
        left join chain_columns as u using (edition, year, position)
        left join chain_abroad as a using (edition, year, country_iso3, sector)
    ),
    solved as (
        select *, x - sales as final_output, (sales_abroad + r_f) / x as forward, (imported + u_b) / x as backward,
            x * (1 - f) + r_lly as again_lly, 1 - b + u_v_ll / x as again_v_ll, sales_abroad + abroad as e
        from sums
    ),
    sources as (
        select edition, year, position, sum(z * z) / (sum(z) * sum(z)) as hhi, max(z) / sum(z) as top_share,
            arg_min(src_iso3, (-round(z / total, 12), src_iso3)) as top
        from (
            select *, sum(z) over (partition by edition, year, position) as total from chain_sources where is_foreign
        ) group by all
    ),
    through as (
        select edition, year, country_iso3, sector, sum(lookthrough_share) as share from supplier_exposure group by all
    )
    select edition, year, country_iso3, sector, x - inputs as value_added_usd, final_output as final_output_usd,
        inputs as total_inputs_usd, imported as imported_inputs_usd, forward as forward_participation,
        backward as backward_participation, (x + r_plv) / x as plv, (x + u_ply) / x as ply,
        case when abs(x * forward) > 1e-12 * greatest(x, 1)
            then (x * (x + r_plv) / x - again_lly) / (x * forward) end as plv_gvc,
        case when abs(backward) > 1e-12 then ((x + u_ply) / x - again_v_ll) / backward end as ply_gvc,
        imported / nullif(inputs, 0) as imported_input_share, hhi as input_source_hhi, top as top_source_iso3,
        top_share as top_source_share, case when inputs > 0 then coalesce(share, 0) end as lookthrough_foreign_share,
        (final_output - abroad + r_d) / x as forward_domestic, (abroad + r_t) / x as forward_traditional,
        case when abroad is not null then (crossing + r_s) / x end as forward_simple,
        (1 - backward) * (final_output - abroad) / nullif(final_output, 0) as backward_domestic,
        (1 - backward) * abroad / nullif(final_output, 0) as backward_traditional,
        u_w / x * (final_output - abroad) / nullif(final_output, 0) as backward_simple, e as exports_usd,
        case when e > 0 then backward end as bm_backward_share,
        case when e > 0 then 1 - (1 - backward) * (abroad + crossing) / e end as bm_participation
    from solved left join sources using (edition, year, position)
    left join through using (edition, year, country_iso3, sector)
"""
_UNBALANCED = """
    select edition, year, sum(value_added_usd) as value_added_usd, sum(final_output_usd) as final_output_usd
    from {batch} group by all
    having abs(sum(value_added_usd) - sum(final_output_usd)) > 1e-9 * sum(abs(final_output_usd))
"""
_IMPLAUSIBLE = """
    select edition, year, country_iso3, sector, plv, ply, plv_gvc, ply_gvc, imported_input_share, input_source_hhi
    from {batch}
    where plv < 1 - 1e-9 or ply < 1 - 1e-9 or not imported_input_share between -1e-9 and 1 + 1e-9
        or not input_source_hhi between 0 and 1 + 1e-9 or not lookthrough_foreign_share between -1e-9 and 1 + 1e-9
        or (gross_output_usd > 0 and plv is null) or (not gross_output_usd > 0 and coalesce(
            value_added_usd, forward_participation, plv, imported_input_share, exports_usd) is not null)
"""
_OUTSIDE = """
    select edition, year, country_iso3, sector, forward_participation, backward_participation from {batch}
    where not forward_participation between -1e-9 and 1 + 1e-9
        or not backward_participation between -1e-9 and 1 + 1e-9
"""
_VALUE_ADDED = """
    select o.edition, o.year, o.country_iso3, o.sector, g.value_added_usd,
        o.value_added_usd + coalesce(o.taxes_usd, 0) as in_the_file
    from landed.io_output as o inner join {batch} as g using (edition, year, country_iso3, sector)
    where abs(g.value_added_usd - o.value_added_usd - coalesce(o.taxes_usd, 0)) > 0.01 * o.gross_output_usd
"""
_UNKNOWN_SECTORS = """
    select edition, sector, count(*) as n_rows from {batch}
    where sector not in (select sector from sector_classes) group by all
"""
_COUNTRIES = """
    with grouped as (
        select unnest(case when sector_class = 'none' then ['all'] else ['all', 'manufacturing'] end) as sector_group, *
        from gvc_position where gross_output_usd > 0
    )
    select edition, year, country_iso3, sector_group, count(*) as n_sectors, sum(gross_output_usd) as gross_output_usd,
        sum(value_added_usd) as value_added_usd, sum(final_output_usd) as final_output_usd,
        sum(total_inputs_usd) as total_inputs_usd, sum(imported_inputs_usd) as imported_inputs_usd,
        sum(value_added_usd * forward_participation) / sum(value_added_usd) as forward_participation,
        sum(final_output_usd * backward_participation) / sum(final_output_usd) as backward_participation,
        sum(value_added_usd * plv) / sum(value_added_usd) as plv,
        sum(final_output_usd * ply) / sum(final_output_usd) as ply,
        sum(imported_inputs_usd) / nullif(sum(total_inputs_usd), 0) as imported_input_share,
        case when sector_group = 'all' then sum(exports_usd) end as exports_usd
    from grouped group by edition, year, country_iso3, sector_group
"""
_COUNTRY_LENGTHS = """
    with sums as (
        select edition, year, country_iso3,
            sum(value_added_usd * forward_participation * plv_gvc)
                / nullif(sum(value_added_usd * forward_participation), 0) as plv_again,
            sum(final_output_usd * backward_participation * ply_gvc)
                / nullif(sum(final_output_usd * backward_participation), 0) as ply_again
        from gvc_position group by all
    )
    select c.edition, c.year, c.country_iso3, c.plv_gvc, plv_again, c.ply_gvc, ply_again
    from {batch} as c inner join sums using (edition, year, country_iso3)
    where c.sector_group = 'all'
        and (abs(c.plv_gvc - plv_again) > 1e-6 * abs(plv_again) or abs(c.ply_gvc - ply_again) > 1e-6 * abs(ply_again))
"""
_KWW = """
    select edition, year, sum(kww_iv_share * exports_usd) as indirect_usd,
        sum(kww_fv_share * exports_usd) as foreign_usd
    from {batch} where sector_group = 'all' group by all
    having abs(indirect_usd - foreign_usd) > 1e-9 * sum(abs(exports_usd))
"""
# T of one exporter: its own products in each column of A, and what is behind them; known from the shares and ply.
_SUPPLIERS = """
    with totals as (
        select s.edition, s.year, s.position, case
                when s.country_iso3 = e.exporter_iso3 then (1 - g.lookthrough_foreign_share) * (g.ply - 1)
                else coalesce(x.lookthrough_share, 0) * (g.ply - 1)
            end as t
        from chain_sectors as s
        inner join one_exporter as e using (edition, year)
        inner join gvc_position as g using (edition, year, country_iso3, sector)
        left join supplier_exposure as x on x.edition = s.edition and x.year = s.year
            and x.country_iso3 = s.country_iso3 and x.sector = s.sector and x.exporter_iso3 = e.exporter_iso3
    ),
    behind as (
        select f.edition, f.year, f.dst_position as position, sum(f.value_usd * coalesce(t.t, 0)) as z_t
        from landed.io_flows as f
        inner join totals as t on t.edition = f.edition and t.year = f.year and t.position = f.src_position
        group by all
    ),
    bought as (
        select c.edition, c.year, c.position, sum(c.z) as z_all,
            coalesce(sum(c.z) filter (c.src_iso3 = e.exporter_iso3), 0) as z
        from chain_sources as c inner join one_exporter as e using (edition, year) group by all
    )
    select s.edition, s.year, e.exporter_iso3, s.country_iso3, s.sector, b.z / b.z_all as face_value_share,
        (b.z + coalesce(h.z_t, 0)) / s.x / (s.ply - 1) as lookthrough_share
    from chain_sectors as s
    inner join one_exporter as e using (edition, year)
    inner join bought as b using (edition, year, position)
    left join behind as h using (edition, year, position)
    where s.country_iso3 <> e.exporter_iso3 and b.z_all > 0
"""
_TOO_MUCH = """
    select edition, year, country_iso3, sector, sum(face_value_share) as face_value, sum(lookthrough_share) as through
    from {batch} group by all having sum(face_value_share) > 1 + 1e-9 or sum(lookthrough_share) > 1 + 1e-9
"""
# What a sector lacks: the exporter's goods, and a part of what each of its suppliers lacks.
_SHOCKS = """
    with cuts as (select distinct edition, year, exporter_iso3, cut from shock_exposure_io),
    links as (
        select f.*, c.exporter_iso3, c.cut, f.src_iso3 = c.exporter_iso3 as from_it,
            f.dst_iso3 = c.exporter_iso3 as to_it
        from landed.io_flows as f inner join cuts as c using (edition, year)
    ),
    lacking as (
        select l.edition, l.year, l.exporter_iso3, l.dst_iso3 as country_iso3, l.dst_sector as sector,
            coalesce(sum(l.cut * l.value_usd) filter (l.from_it and k.is_goods), 0) as direct,
            coalesce(sum(p.propagated_loss_usd / s.x * l.value_usd) filter (not l.from_it), 0) as passed_on
        from links as l
        left join sector_classes as k on k.sector = l.src_sector
        left join chain_sectors as s on s.edition = l.edition and s.year = l.year and s.position = l.src_position
        left join shock_exposure_io as p on p.edition = l.edition and p.year = l.year
            and p.exporter_iso3 = l.exporter_iso3 and p.country_iso3 = l.src_iso3 and p.sector = l.src_sector
        where not l.to_it group by all
    ),
    delivered as (
        select l.edition, l.year, l.exporter_iso3, l.src_iso3 as country_iso3, l.src_sector as sector,
            coalesce(sum(l.value_usd) filter (l.to_it), 0) as to_exporter,
            coalesce(sum(l.value_usd) filter (l.dst_iso3 <> l.src_iso3), 0) as abroad
        from links as l where not l.from_it group by all
    )
    select s.edition, s.year, c.exporter_iso3, s.country_iso3, s.sector, c.cut,
        coalesce(l.direct, 0) as direct_loss_usd,
        coalesce(l.direct, 0) + coalesce(l.passed_on, 0) as propagated_loss_usd,
        (coalesce(l.direct, 0) + coalesce(l.passed_on, 0)) * s.y / s.x as final_use_loss_usd,
        (coalesce(l.direct, 0) + coalesce(l.passed_on, 0)) * coalesce(d.to_exporter, 0) / s.x as returned_loss_usd,
        (coalesce(l.direct, 0) + coalesce(l.passed_on, 0)) * coalesce(d.abroad, 0) / s.x as intermediate_export_loss_usd
    from chain_sectors as s
    inner join cuts as c using (edition, year)
    left join lacking as l using (edition, year, exporter_iso3, country_iso3, sector)
    left join delivered as d using (edition, year, exporter_iso3, country_iso3, sector)
    where s.country_iso3 <> c.exporter_iso3
"""
_LOST = """
    select edition, year, exporter_iso3, sum(direct_loss_usd) as direct_usd,
        sum(final_use_loss_usd + returned_loss_usd) as arrived_usd
    from {batch} group by all
    having abs(sum(direct_loss_usd) - sum(final_use_loss_usd + returned_loss_usd)) > 1e-9 * sum(direct_loss_usd)
"""
_WITHOUT_EXPORTER = """
    select t.edition, t.year, e.exporter_iso3,
        'the table ' || t.edition || ' of ' || t.year || ' has no ' || e.exporter_iso3
            || ' (CHOKEPOINT_SHOCK_EXPORTERS); it has ' || (
                select string_agg(distinct country_iso3, ', ' order by country_iso3) from landed.io_output as o
                where o.edition = t.edition and o.year = t.year
            ) || '. No shock of it goes through this table.' as why
    from landed.io_tables as t cross join stg_shock_exporters as e
    where (t.edition, t.year, e.exporter_iso3) not in (select (edition, year, exporter_iso3) from {batch})
        and not exists (
        select 1 from landed.io_output as o
        where o.edition = t.edition and o.year = t.year and o.country_iso3 = e.exporter_iso3
    )
"""
_PREPARED: Mapping[str, str] = {
    "chain_sectors": _SECTORS,
    "chain_rows": _ROWS,
    "chain_columns": _COLUMNS,
    "chain_sources": _SOURCES,
    "chain_abroad": _ABROAD,
    # The exporter of which most is bought, of each table: one is enough, and all would be a join of billions.
    "one_exporter": """
        select edition, year, arg_min(src_iso3, (-round(z, 2), src_iso3)) as exporter_iso3 from (
            select edition, year, src_iso3, sum(z) as z from chain_sources where is_foreign group by all
        ) group by all
    """,
}
_DOLLARS = ("value_added_usd", "final_output_usd", "total_inputs_usd", "imported_inputs_usd")

CHAINS_MARTS = Stage(
    name="marts of chains",
    prepare=prepared(_PREPARED, CARBON_PREPARED),
    keys={"gvc_position": ("edition", "year", "country_iso3", "sector")},
    checks=(
        Check(
            "value_added_is_final_output",
            "gvc_position",
            "ERROR",
            "In each table all value added is all final output.",
            (no_rows(_UNBALANCED),),
        ),
        Check(
            "measures_plausible",
            "gvc_position",
            "ERROR",
            "A length is 1 or more, a share is in 0..1, and a sector without output has no measure.",
            (no_rows(_IMPLAUSIBLE),),
        ),
        Check(
            "recomputed_from_flows",
            "gvc_position",
            "ERROR",
            "Every measure is put back into its equation over the flows of the table, and solves it.",
            (
                equals(
                    f"select * from ({_POSITION}) as solved",
                    _KEY,
                    numbers=(
                        *_DOLLARS,
                        *("forward_participation", "backward_participation", "plv", "ply", "imported_input_share"),
                        *("input_source_hhi", "top_source_share", "lookthrough_foreign_share", "exports_usd"),
                        *("forward_domestic", "forward_traditional", "forward_simple"),
                        *("backward_domestic", "backward_traditional", "backward_simple", "bm_backward_share"),
                        "bm_participation",
                    ),
                    others=("top_source_iso3",),
                    sample=("chain_sectors", _KEY),
                    tolerance=_TOLERANCE,
                ),
                equals(
                    f"select * from ({_POSITION}) as solved where abs(forward_participation) > 1e-6",
                    _KEY,
                    numbers=("plv_gvc",),
                    sample=("(select * from chain_sectors where abs(f) > 1e-6)", _KEY),
                    tolerance="1e-6 * abs({value})",
                ),
                equals(
                    f"select * from ({_POSITION}) as solved where abs(backward_participation) > 1e-6",
                    _KEY,
                    numbers=("ply_gvc",),
                    sample=("(select * from chain_sectors where abs(b) > 1e-6)", _KEY),
                    tolerance="1e-6 * abs({value})",
                ),
            ),
        ),
        Check(
            "value_added_fits_the_file",
            "gvc_position",
            "WARN",
            "Value added is value added and taxes of the file, within 1 % of output.",
            (no_rows(_VALUE_ADDED),),
        ),
        Check(
            "participation_within_bounds",
            "gvc_position",
            "WARN",
            "Participation is in 0..1. Changes of inventories can push it out; it is not cut off.",
            (no_rows(_OUTSIDE),),
        ),
        Check(
            "sectors_classified",
            "gvc_position",
            "WARN",
            "Every sector is in the seed sector_classes; others count as of class none.",
            (no_rows(_UNKNOWN_SECTORS, counted_by="n_rows"),),
        ),
        Check(
            "recomputed_from_sectors",
            "gvc_position_country",
            "ERROR",
            "A country's measures follow from those of its sectors, and all value added in others' exports is all "
            "foreign value added in exports.",
            (
                equals(
                    _COUNTRIES,
                    "edition, year, country_iso3, sector_group",
                    numbers=(
                        *("gross_output_usd", *_DOLLARS, "forward_participation", "backward_participation"),
                        *("plv", "ply", "imported_input_share", "exports_usd"),
                    ),
                    others=("n_sectors",),
                    tolerance=_TOLERANCE,
                ),
                no_rows(_COUNTRY_LENGTHS),
                no_rows(_KWW),
            ),
        ),
        Check(
            "recomputed_from_flows",
            "supplier_exposure",
            "ERROR",
            "For the largest exporter of each table, shares are put back into their equation over the flows and solve "
            "it; and no sector has more than all from abroad.",
            (
                equals(
                    _SUPPLIERS,
                    "edition, year, exporter_iso3, country_iso3, sector",
                    numbers=("face_value_share", "lookthrough_share"),
                    sample=("one_exporter", "edition, year, exporter_iso3"),
                    tolerance=_TOLERANCE,
                ),
                no_rows(_TOO_MUCH),
            ),
        ),
        Check(
            "recomputed_from_flows",
            "shock_exposure_io",
            "ERROR",
            "Losses are put back into their equation over the flows and solve it, and what was missing arrives: in "
            "final use, or in what would have gone back to the exporter.",
            (
                equals(
                    _SHOCKS,
                    "edition, year, exporter_iso3, country_iso3, sector",
                    numbers=(
                        *("cut", "direct_loss_usd", "propagated_loss_usd", "final_use_loss_usd"),
                        *("returned_loss_usd", "intermediate_export_loss_usd"),
                    ),
                    # USD: a millionth of a cent is rounding
                    tolerance="1e-9 * abs({value}) + 1e-3",
                ),
                no_rows(_LOST),
            ),
        ),
        *CARBON,
        Check(
            "exporters_in_tables",
            "shock_exposure_io",
            "WARN",
            "Every exporter whose goods are cut is in every table.",
            (no_rows(_WITHOUT_EXPORTER),),
        ),
    ),
)
