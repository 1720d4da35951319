"""Rows that say the same trade again, or a part of it: which of them counts, and which are added up.

What belongs here: repeated rows, the breakdown rows beside a total or without one, and the codes of one economy. All of
them end in one table of verdicts. Not here: whole editions (`editions`), and what follows from a verdict (`landing`).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

# The rows that this module judges, and what identifies a flow: as stated, and by economy.
_SIX_DIGITS = "length(cmd_code) = 6"
_CANDIDATES = f"(shape_rule is null or (shape_rule = 'control_total' and breakdown is null and {_SIX_DIGITS}))"
_STATED = "reporter_stated, flow, partner_stated, cmd_code"
_ECONOMY = "reporter_code, flow, partner_code, cmd_code"
_ROW = "archive_entry, recency, source_row"
# What is added up of rows -> the sum's type. A sum of quantities is there where every row has its part: with one
# unknown, it would belong to another value.
_AMOUNTS: Mapping[str, str] = {
    "value_usd": "double", "quantity": "double", "quantity_unit": "varchar", "net_weight_kg": "double",
    "net_weight_estimated": "boolean", "quantity_kg": "double", "quantity_units": "double",
}  # fmt: skip
_SUMMED = ", ".join(f"sum_{name}" for name in _AMOUNTS)
# The columns of a row `s`, or of the sum that it stands for in the verdicts `v`: for `select s.* replace (…)`.
AMOUNTS_THAT_COUNT = ", ".join(
    f"case when v.sum_value_usd is null then s.{name} else v.sum_{name} end as {name}" for name in _AMOUNTS
)
_IN_FILE_ORDER = "order by recency, source_row"
_SUMS = f"""
    sum(value_usd {_IN_FILE_ORDER}) as sum_value_usd,
    case when count(quantity) = count(*) and count(quantity_unit) = count(*) and min(quantity_unit) = max(quantity_unit)
        then sum(quantity {_IN_FILE_ORDER}) end as sum_quantity,
    case when sum_quantity is not null then min(quantity_unit) end as sum_quantity_unit,
    case when count(net_weight_kg) = count(*) then sum(net_weight_kg {_IN_FILE_ORDER}) end as sum_net_weight_kg,
    case when count(net_weight_kg) = count(*) then bool_or(net_weight_estimated) end as sum_net_weight_estimated,
    case when count(quantity_kg) = count(*) then sum(quantity_kg {_IN_FILE_ORDER}) end as sum_quantity_kg,
    case when count(quantity_units) = count(*) then sum(quantity_units {_IN_FILE_ORDER}) end as sum_quantity_units
"""
_NO_SUMS = ", ".join("null" for _ in _AMOUNTS)
_SUMS_WITHOUT_VERDICT = ", ".join(f"case when verdict is null then sum_{name} end" for name in _AMOUNTS)


def verdicts(connection: duckdb.DuckDBPyConnection, rows: str, shaped: str) -> str:
    """A table of the rows that do not count by themselves, by row.

    `verdict` is the rule that sets the row aside; null for a row that stands for several, whose sums are then in the
    columns `sum_value_usd`, `sum_quantity` and so on.
    """
    sums = ", ".join(f"sum_{name} {kind}" for name, kind in _AMOUNTS.items())
    connection.execute(f"""
        create table verdicts (archive_entry varchar, recency integer, source_row bigint, verdict varchar, {sums})
    """)
    _repeated_rows(connection, rows, shaped)
    _breakdowns(connection, shaped)
    _codes_of_one_economy(connection, shaped)
    return "verdicts"


def _repeated_rows(connection: duckdb.DuckDBPyConnection, rows: str, shaped: str) -> None:
    """Rows that lose against another of the same key.

    The row of the payload retrieved last wins, ties by name (last), then position (last). Rows equal to it (1e-9) are
    equal: one stays, with a stated revision if any has one, and of those the one that tells most of the quantities that
    enter prices, else a price would be lost with the duplicate. Rows that differ are superseded. Control totals repeat
    too when payloads overlap; they compete among themselves and stay control totals.
    """
    # One bit per code in each (reporter, flow, partner). Where a group has fewer bits than rows, a key repeats in it.
    # That takes a fraction of the time and memory of grouping by the whole key; only such groups are grouped again.
    connection.execute(f"""
        create table places as
        select cmd_code, row_number() over () as place from (select distinct cmd_code from {rows})
    """)
    n_codes = len(connection.execute("select place from places").fetchall())
    connection.execute(f"""
        create table repeating as
        select reporter_stated, flow, partner_stated from {shaped} join places using (cmd_code) where {_CANDIDATES}
        group by all having count(*) <> bit_count(bitstring_agg(place, 1::bigint, {max(n_codes, 1)}::bigint))
    """)
    connection.execute(f"""
        create table repeated as
        select {_STATED} from {shaped} semi join repeating using (reporter_stated, flow, partner_stated)
        where {_CANDIDATES} group by all having count(*) > 1
    """)
    connection.execute(f"""
        insert into verdicts
        with contenders as (
            select s.*, first_value(value_usd) over newest as winning_value, row_number() over newest as place
            from {shaped} as s semi join repeated using ({_STATED})
            where {_CANDIDATES}
            window newest as (partition by {_STATED} order by recency desc, source_row desc)
        ),
        compared as (
            select *, abs(value_usd - winning_value) <= 1e-9 * greatest(value_usd, winning_value) as is_equal
            from contenders
        ),
        placed as (
            select *, row_number() over (
                partition by {_STATED}, is_equal
                order by stated_revision is null, cast(quantity_kg is null as integer)
                    + cast(quantity_units is null as integer), place
            ) as place_among_equals
            from compared
        )
        select {_ROW}, case when is_equal then 'duplicate_equal' else 'quarantined:superseded' end, {_NO_SUMS}
        from placed where not (is_equal and place_among_equals = 1)
    """)


def _breakdowns(connection: duckdb.DuckDBPyConnection, shaped: str) -> None:
    """Breakdown rows repeat a total that is there; where it is not, they are added up to it.

    Rows may be broken down by several of second partner, transport and customs procedure, and by each alone. Rows that
    are broken down in the same way tell different parts of the flow; the way with the largest sum is taken, since no
    sum of parts can exceed the flow, and the other ways repeat it.
    """
    connection.execute(f"""
        create table broken as
        select {_STATED}, {_ROW}, breakdown, stated_revision, {", ".join(_AMOUNTS)},
            concat_ws('/', split_part(breakdown, '/', 1) <> '0', split_part(breakdown, '/', 2) <> '0',
                split_part(breakdown, '/', 3) <> 'C00') as way
        from {shaped} where breakdown is not null and shape_rule in ('breakdown', 'control_total')
    """)
    if connection.execute("select 1 from broken limit 1").fetchone() is None:
        return
    connection.execute(f"""
        create table totals as
        select distinct {_STATED} from {shaped} semi join (from broken) as b using ({_STATED})
        where breakdown is null and coalesce(shape_rule, 'code_level') in ('code_level', 'control_total')
    """)
    connection.execute(f"""
        insert into verdicts
        select {_ROW}, 'breakdown_duplicate', {_NO_SUMS} from broken semi join totals using ({_STATED})
        union all
        select {_ROW}, 'code_level', {_NO_SUMS} from broken anti join totals using ({_STATED})
        where not {_SIX_DIGITS}
    """)
    connection.execute(f"""
        create table parts as
        with newest as (
            select *, row_number() over last_row as place, first_value(value_usd) over last_row as winning_value
            from broken anti join totals using ({_STATED}) where {_SIX_DIGITS}
            window last_row as (partition by {_STATED}, breakdown order by recency desc, source_row desc)
        ),
        ways as (
            select {_STATED}, way, {_SUMS}
            from newest where place = 1 group by all
        ),
        taken as (
            select *, row_number() over (
                partition by {_STATED} order by sum_value_usd desc, length(replace(way, 'false', '')), way
            ) = 1 as is_taken
            from ways
        )
        select newest.*, taken.is_taken, {_SUMMED}, row_number() over (
                partition by {_STATED}, place = 1 and is_taken
                order by stated_revision is null, recency desc, source_row desc
            ) = 1 as is_first
        from newest join taken using ({_STATED}, way)
    """)
    connection.execute(f"""
        insert into verdicts
        select {_ROW},
            case
                when place > 1 and abs(value_usd - winning_value) <= 1e-9 * greatest(value_usd, winning_value)
                    then 'duplicate_equal'
                when place > 1 then 'quarantined:superseded'
                when not is_taken then 'breakdown_duplicate'
                when not is_first then 'breakdown_summed'
            end as verdict,
            {_SUMS_WITHOUT_VERDICT}
        from parts
    """)


def _codes_of_one_economy(connection: duckdb.DuckDBPyConnection, shaped: str) -> None:
    """Rows that differ only in which code of an economy they state are added up where one payload states both.

    The payload retrieved last counts; what others say of the same flow is the same again, or superseded.
    """
    connection.execute(f"""
        create table renamed as
        select distinct {_ECONOMY} from {shaped}
        where reporter_code <> reporter_stated or partner_code <> partner_stated
    """)
    if connection.execute("select 1 from renamed limit 1").fetchone() is None:
        return
    connection.execute(f"""
        create table of_one_economy as
        with counting as (
            select s.* replace ({AMOUNTS_THAT_COUNT})
            from (from {shaped} semi join renamed using ({_ECONOMY})) as s left join verdicts as v using ({_ROW})
            where v.verdict is null and coalesce(s.shape_rule, 'breakdown') in ('breakdown', 'control_total')
                and length(s.cmd_code) = 6
        ),
        placed as (
            select *, count(*) over (partition by {_ECONOMY}) as n_rows,
                first_value(archive_entry) over (
                    partition by {_ECONOMY} order by recency desc, source_row desc
                ) = archive_entry as is_of_newest
            from counting
        ),
        sums as (
            select {_ECONOMY}, {_SUMS}
            from placed where is_of_newest group by all
        )
        select {_ROW}, value_usd, is_of_newest, {_SUMMED},
            row_number() over (
                partition by {_ECONOMY}, is_of_newest
                order by stated_revision is null, reporter_code <> reporter_stated, partner_code <> partner_stated,
                    recency desc, source_row desc
            ) = 1 as is_first
        from placed join sums using ({_ECONOMY}) where n_rows > 1
    """)
    connection.execute(f"delete from verdicts where ({_ROW}) in (select ({_ROW}) from of_one_economy)")
    connection.execute(f"""
        insert into verdicts
        select {_ROW},
            case
                when is_of_newest and not is_first then 'area_alias'
                when not is_of_newest and abs(value_usd - sum_value_usd) <= 1e-9 * greatest(value_usd, sum_value_usd)
                    then 'duplicate_equal'
                when not is_of_newest then 'quarantined:superseded'
            end as verdict,
            {_SUMS_WITHOUT_VERDICT}
        from of_one_economy
    """)
