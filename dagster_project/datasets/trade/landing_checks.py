"""Checks of landed trade: is what was read complete, accounted for, and plausible?

Not here: whether a single field can be read (landing quarantines those rows), nor what dbt makes of it.
"""

from __future__ import annotations

from dagster_project.checks.accounting import Cause, Noted, accounting, likely_cause
from dagster_project.checks.declarations import (
    WHY,
    Check,
    Stage,
    between,
    no_rows,
    not_null,
    one_of,
)
from dagster_project.checks.views import PREVIOUS_RELEASE
from dagster_project.hs import REVISIONS, UNSPECIFIED_GOODS

# A cell is (year, reporter, flow, code). It is off when its partners exceed its World row by more than this share, and
# by more than a dollar: publishers round.
CELL_TOLERANCE = 1e-4
# Partners below World are legal in part: confidential partners are in World only. In real reports of 2012 to 2024 the
# partners of no reporter sum to less than 94 % of World; cells below are slips or rows lost on the way.
CELL_COVERAGE = 0.95
REPORTER_COVERAGE = 0.90
# A few cells off are the publisher's slips; more than these are a systematic gap, such as rows counted twice.
SYSTEMATIC_SHARE = 0.01
FEW_CELLS = 5
VALUE_FALL_LIMIT = 0.30
# Of a file's rows of a year, and of a reporter's: more than this share of rows or of value lost to quarantine stops. In
# real files of 2017 to 2022 a reporter lost up to 12.4 % of its rows and up to 5.3 % of its value, to codes whose
# revision nobody states. A few rows may be bad in the smallest file, such as a footer, if they hold little of its
# value.
LOST_ROWS_LIMIT = 0.20
LOST_VALUE_LIMIT = 0.10
FEW_ROWS = 5
# What few rows may be worth, of all that was read of the year, where they are all that a file or a reporter holds: the
# services answer for each area by itself, also for one that has a single row and is no country.
SLIGHT_SHARE = 0.001
# Reports of both sides of a flow differ by freight and insurance, by timing and by errors, not by powers of ten. A unit
# is wrong where the ratio of the totals and the median of the partners' ratios both lie near one: near 1,000 (500 to
# 2,000), or a greater one, whoever tells it; near 100, or within an eighth of 10, where this many partners (or goods)
# do. In the sample the ratios lie between 0.91 and 1.13.
UNIT_WITNESSES = 5
MIRROR_MISMATCH = 3
# World trade in goods is 25 trillion USD. A ton of an average good costs 12,000 to 18,000 USD in real BACI files.
WORLD_TRADE_LIMIT_USD = 1e14
TON_LIMITS_USD = (100, 1e6)
TONS_TO_JUDGE = 30

_KEY = "year, reporter_code, flow, partner_code, cmd_code"
_ROW = f"{_KEY}, value_usd, quantity, source, archive_entry, source_row"

# Two scans of the flows that most checks of them can work from: who trades with whom, and in which goods.
_FLOW_PAIRS = """
    select year, flow, reporter_code, partner_code, count(*) as n_rows, sum(value_usd) as value_usd from trade_flows
    group by all
"""
_FLOW_GOODS = """
    select flow, hs_revision, source, cmd_code, count(*) as n_rows, sum(value_usd) as value_usd from trade_flows
    group by all
"""
# A quick search for keys that occur twice. Each (year, reporter, flow, partner) gets a bit string with one bit for each
# code. A group whose bits are fewer than its rows has some code twice; only such groups are grouped by the whole key,
# which takes three times the time and ten times the memory. DuckDB takes the number of bits from the column's
# statistics, which an empty table lacks: hence the row without a code.
_FLOW_CODES = """
    select cmd_code, row_number() over () as place from (select distinct cmd_code from flow_goods)
    union all select null, 0
"""
_REPEATED_KEYS = f"""
    with repeating as (
        select year, reporter_code, flow, partner_code from trade_flows join {{batch}} using (cmd_code) group by all
        having count(*) <> bit_count(bitstring_agg(place))
    )
    select {_KEY}, count(*) as n_rows, min(value_usd) as lowest_usd, max(value_usd) as highest_usd
    from trade_flows semi join repeating using (year, reporter_code, flow, partner_code)
    group by all having count(*) > 1
"""

_BAD_VALUES = f"""
    select case
            when value_usd is null then 'value is missing'
            when not isfinite(value_usd) then 'value is not a finite number'
            when value_usd < 0 then 'value is negative'
            when not isfinite(quantity) then 'quantity is not a finite number'
            when quantity < 0 then 'quantity is negative'
            else 'kilograms or pieces are no finite number above zero'
        end as broken_rule, {_ROW}, net_weight_kg, quantity_kg, quantity_units
    from {{batch}}
    where value_usd is null or not isfinite(value_usd) or value_usd < 0 or not isfinite(quantity) or quantity < 0
        or not least(net_weight_kg, quantity_kg, quantity_units) > 0
        or not isfinite(greatest(net_weight_kg, quantity_kg, quantity_units))
"""

_BAD_CODES = f"""
    select case
            when not coalesce(regexp_matches(cmd_code, '^[0-9]{{{{6}}}}$'), false) then 'code is not six digits'
            when flow not in ('M', 'X') then 'flow is neither M nor X'
            when hs_revision not in {REVISIONS} then 'unknown HS revision'
            else 'unknown source'
        end as broken_rule, *
    from {{batch}}
    where not coalesce(regexp_matches(cmd_code, '^[0-9]{{{{6}}}}$'), false) or flow not in ('M', 'X')
        or hs_revision not in {REVISIONS} or source not in ('comtrade', 'baci', 'sample')
"""

_NOT_COUNTRIES = """
    with areas as (
        select year, 'reporter' as side, reporter_code as country_code, sum(n_rows) as n_rows,
            sum(value_usd) as value_usd
        from {batch} group by all
        union all
        select year, 'partner', partner_code, sum(n_rows), sum(value_usd) from {batch} group by all
    )
    select areas.*, countries.name from areas left join countries using (country_code)
    where not coalesce(countries.is_country, false)
"""

_UNKNOWN_PRODUCTS = f"""
    with known as (
        select hs_revision, hs6 as cmd_code from products
        union select from_revision, from_code from hs_conversion
    )
    select * from {{batch}} anti join known using (hs_revision, cmd_code) where cmd_code <> '{UNSPECIFIED_GOODS}'
"""

_SELF_TRADE = "select * from {batch} where reporter_code = partner_code"

_YEARS_NOT_ASKED_FOR = """
    select year, sum(n_rows) as n_rows, sum(value_usd) as value_usd from {batch} group by year
    having exists (select 1 from run_years) and year not in (select year from run_years)
"""
# Years without a flow (or no year at all), with what became of their rows, and in which files these are.
_YEARS_WITHOUT_ROWS = f"""
    with empty_years as (
        select year from run_years anti join (select distinct year from {{batch}}) using (year)
        union all
        select null where not exists (select 1 from run_years) and not exists (select 1 from {{batch}})
    ),
    files as (
        select e.year, file, sum(n_rows)::bigint as n_rows,
            sum(n_rows) filter (rule = 'code_level')::bigint as headings,
            min(example) filter (rule = 'code_level') as heading
        from empty_years as e join trade_losses as l on l.year is not distinct from e.year or e.year is null
        group by e.year, file
    ),
    by_rule as (
        select e.year, rule, sum(n_rows)::bigint as n_rows
        from empty_years as e join trade_losses as l on l.year is not distinct from e.year or e.year is null
        group by all
    ),
    rules as (
        select year, string_agg(rule || ' ' || n_rows, ', ' order by n_rows desc, rule) as rules from by_rule
        group by year
    ),
    shown as (
        select year, sum(n_rows)::bigint as rows_read, sum(headings)::bigint as rows_of_headings,
            min(heading) as heading, string_agg(file, ', ' order by n_rows desc, file) as files
        from files group by year
    )
    select e.year, coalesce(rows_read, 0) as rows_read, rules, files, heading,
        coalesce('year ' || e.year, 'all years')
            || format(': none of {{{{:,}}}} rows read is a flow', coalesce(rows_read, 0))
            || coalesce(' (' || rules || '), in ' || files, '') || '.' || case
                when rows_of_headings > 0 then ' The goods are HS headings or chapters'
                    || coalesce(' (such as ' || heading || ', ' || length(heading) || ' digits)', '')
                    || '; expected are six digits, such as 850760. Ask the publisher for all six-digit codes (AG6).'
                else '' end as {WHY}
    from empty_years as e left join shown using (year) left join rules using (year)
"""

_PARTNER_CELLS = f"""
    with cells as (
        select year, reporter_code, flow, cmd_code, sum(value_usd) as world_usd from trade_control_totals group by all
    ),
    rows_with_partner as (
        select year, reporter_code, flow, cmd_code, value_usd from trade_flows
        union all select year, reporter_code, flow, cmd_code, value_usd from trade_unallocated
        union all select year, reporter_code, flow, cmd_code, value_usd from trade_reimports
    ),
    reporters as (select distinct year, reporter_code, flow from cells),
    partners as (
        select year, reporter_code, flow, cmd_code, sum(value_usd) as partners_usd
        from rows_with_partner semi join reporters using (year, reporter_code, flow) group by all
    )
    select * replace (coalesce(partners_usd, 0) as partners_usd),
        coalesce(partners_usd, 0) - world_usd as excess_usd,
        coalesce(partners_usd, 0) - world_usd > {CELL_TOLERANCE} * world_usd + 1 as is_off,
        coalesce(partners_usd, 0) < {CELL_COVERAGE} * world_usd - 1 as is_uncovered,
        -- Who reported nothing but World rows is filled from partners' reports, and named among the findings.
        (year, reporter_code, flow) in (select (year, reporter_code, flow) from trade_reporters) as is_reporter
    from cells left join partners using (year, reporter_code, flow, cmd_code)
"""
_UNCOVERED_CELLS = """
    select year, reporter_code, flow, cmd_code, world_usd, partners_usd, partners_usd / world_usd as coverage
    from {batch} where is_uncovered and is_reporter
    order by world_usd - partners_usd desc, year, reporter_code, flow, cmd_code
"""
_UNCOVERED_REPORTERS = f"""
    with covered as (
        select year, reporter_code, flow, sum(partners_usd) as partners_usd, sum(world_usd) as world_usd,
            count(*) as cells, count(*) filter (is_uncovered) as cells_uncovered
        from {{batch}} where is_reporter group by year, reporter_code, flow
    )
    select *, partners_usd / world_usd as coverage from covered
    where partners_usd < {REPORTER_COVERAGE} * world_usd - 1
    order by world_usd - partners_usd desc, year, reporter_code, flow
"""
_COVERAGE_FACTS = """
    with covered as (
        select sum(partners_usd) as partners_usd, sum(world_usd) as world_usd from {batch} where is_reporter
        group by year, reporter_code, flow
    )
    select count(*) as reporters, sum(partners_usd) / nullif(sum(world_usd), 0) as partners_over_world,
        min(partners_usd / nullif(world_usd, 0)) as lowest_of_a_reporter
    from covered
"""

# Both are right for one reporter's file. Of a whole year they tell that the files are of another kind than Comtrade's.
_NOTED = {
    "area_alias": Noted(
        "rows with a country code that was taken for the economy's code of the year", 0.10, stops=False
    ),
    "breakdown_summed": Noted("parts that were added up, because their total is not there", 0.10, stops=False),
    "unreadable_quantity": Noted(
        "rows whose weight, second quantity or estimate flag cannot be read, and is taken as unknown", 0.10, stops=False
    ),
}
# What is likely behind rows that cannot be used, as far as their own text tells.
_CAUSES = (
    Cause(
        "hs_code_length",
        "The code has lost its leading zero: a spreadsheet or a program took it for a number. Export the file again "
        "with the codes as text, or put the zero back (81310 is 081310).",
        r"code [0-9]([0-9]{{2}}){{0,2}},",
    ),
    Cause(
        "hs_code_length",
        "HS codes have six digits; longer ones are lines of a national tariff. Ask the publisher for six digits.",
        r"code [0-9]{{7,}},",
    ),
    Cause(
        "revision_not_stated",
        "The file does not say the HS edition (classificationCode is HS), and the base revision has no such code. Ask "
        "the publisher for the edition as reported.",
    ),
    Cause("unknown_hs_code", "The base revision has no such code: is the classificationCode of these rows right?"),
    Cause(
        "no_conversion",
        "No table leads from that code to the base revision. Place the conversion table of that HS edition in the drop "
        "folder's reference/ folder.",
    ),
    Cause("unknown_country", "The country lists hold no such code. Place newer lists in the reference/ folder."),
    Cause("unknown_flow", "The flow is neither a code of Comtrade's (M, X …) nor a word for one (Import, Export)."),
    Cause("malformed_row", "The line has more or fewer fields than the header, or quotation marks that do not close."),
    Cause("not_annual", "Monthly and quarterly rows are not read. Ask the publisher for annual data."),
)

_LOSSES = f"""
    with places as (
        select file, year, null::integer as reporter_code, null::varchar as flow, file as of_file, reason, n_rows,
            value_usd, example
        from {{batch}}
        union all
        select null, year, reporter_code, flow, file, reason, n_rows, value_usd, example from {{batch}}
        where reporter_is_country and year is not null and flow is not null
        union all
        select null, year, reporter_code, null, file, reason, n_rows, value_usd, example from {{batch}}
        where reporter_is_country and year is not null
    ),
    reasons as (
        select file, year, reporter_code, flow, reason, sum(n_rows)::bigint as n_rows, sum(value_usd) as value_usd,
            min_by({{{{'example': example, 'file': of_file}}}}, (example, of_file)) filter (reason is not null) as first
        from places group by all
    ),
    placed as (
        select *, row_number() over (
                partition by file, year, reporter_code, flow, reason is null
                order by value_usd desc, n_rows desc, reason
            ) as place
        from reasons
    ),
    lost as (
        select file, year, reporter_code, flow,
            string_agg(concat(reason, ' ', n_rows), ', ' order by place) filter (reason is not null and place <= 3)
                as reasons,
            sum(n_rows) filter (reason is not null)::bigint as rows_lost, sum(n_rows)::bigint as rows_read,
            coalesce(sum(value_usd) filter (reason is not null), 0) as lost_usd, sum(value_usd) as read_usd,
            any_value(reason) filter (reason is not null and place = 1) as first_reason,
            any_value(first) filter (reason is not null and place = 1) as first
        from placed group by file, year, reporter_code, flow
        having rows_lost = rows_read or lost_usd > {LOST_VALUE_LIMIT} * read_usd
            or (rows_lost > {LOST_ROWS_LIMIT} * rows_read and rows_lost > {FEW_ROWS})
    ),
    years as (select year as of_year, sum(value_usd) as year_usd from {{batch}} group by year),
    grave as (
        select lost.* from lost join years on of_year is not distinct from year
        where rows_lost > {FEW_ROWS} or lost_usd > {SLIGHT_SHARE} * year_usd
    ),
    told as (
        select * exclude (first, first_reason), first.example as example,
            {likely_cause(_CAUSES, "first_reason", "first.example")} as cause,
            coalesce(file, 'reporter ' || reporter_code || coalesce(', flow ' || flow, '') || ', in ' || first.file)
                || coalesce(', year ' || year, ', rows without a year') as place
        from grave
        -- A reporter with one flow was told of under that flow.
        qualify reporter_code is null or flow is not null or rows_lost
            > coalesce(max(rows_lost) filter (flow is not null) over (partition by file, year, reporter_code), 0)
    )
    select * exclude (place, cause),
        place || format(': {{{{:,}}}} of {{{{:,}}}} rows', rows_lost, rows_read)
            || case when read_usd > 0 then printf(' and %.1f %% of the value', 100 * lost_usd / read_usd) else '' end
            || ' cannot be used: ' || reasons || '.' || coalesce(' For example ' || example || '.', '')
            || coalesce(' ' || cause, '') as {WHY}
    from told order by lost_usd desc, rows_lost desc, file nulls last, year, reporter_code, flow
"""

# Both sides of a flow, where both report it: by reporter and partner, what the one and the other say.
_BOTH_SIDES = """
    with imports as (
        select year, reporter_code as importer_code, partner_code as exporter_code, value_usd
        from flow_pairs where flow = 'M' and value_usd > 0
    ),
    exports as (
        select year, partner_code as importer_code, reporter_code as exporter_code, value_usd
        from flow_pairs where flow = 'X' and value_usd > 0
    ),
    told as (
        select year, importer_code, exporter_code, i.value_usd as import_usd, e.value_usd as export_usd
        from imports as i join exports as e using (year, importer_code, exporter_code)
    ),
    sides as (
        select year, importer_code as reporter_code, 'M' as flow, import_usd as own_usd, export_usd as partners_usd
        from told
        union all select year, exporter_code, 'X', export_usd, import_usd from told
    )
    select year, reporter_code, flow, count(*) as witnesses, sum(own_usd) as own_usd, sum(partners_usd) as partners_usd,
        sum(own_usd) / sum(partners_usd) as ratio, median(own_usd / partners_usd) as median_ratio
    from sides group by all
"""


def near_power_of_ten(total: str, median: str, witnesses: str) -> str:
    """SQL: do a ratio of totals and the median ratio of their parts tell of a wrong unit?"""
    power = f"round(log10({total}))"
    off = f"greatest(abs(log10({total}) - {power}), abs(log10({median}) - {power}))"
    return f"""
        case when abs({power}) >= 3 then {off} <= 0.301
            when abs({power}) = 2 then {witnesses} >= {UNIT_WITNESSES} and {off} <= 0.301
            when abs({power}) = 1 then {witnesses} >= {UNIT_WITNESSES} and {off} <= 0.05
            else false end
    """


_WRONG_UNITS = f"""
    select * from {{batch}} where {near_power_of_ten("ratio", "median_ratio", "witnesses")}
    order by own_usd desc, year, reporter_code, flow
"""
_MISMATCHES = f"""
    select * from {{batch}}
    where ratio not between {1 / MIRROR_MISMATCH} and {MIRROR_MISMATCH} and witnesses >= {UNIT_WITNESSES}
    order by abs(own_usd - partners_usd) desc, year, reporter_code, flow
"""
_RATIO_FACTS = """
    select count(*) as reporters_compared, min(ratio) as lowest_ratio, median(ratio) as median_ratio,
        max(ratio) as highest_ratio
    from {batch}
"""
_TOO_MUCH_TRADE = f"""
    select year, flow, sum(value_usd) as value_usd from {{batch}} group by all
    having sum(value_usd) > {WORLD_TRADE_LIMIT_USD}
"""
_TON_PRICES = """
    select year, source, count(*) as n_rows, median(value_usd / quantity) as median_usd_per_ton from trade_flows
    where quantity_unit = 't' and quantity > 0 and value_usd > 0 group by all
"""
_WRONG_TONS = f"""
    select * from {{batch}}
    where n_rows >= {TONS_TO_JUDGE}
        and median_usd_per_ton not between {TON_LIMITS_USD[0]} and {TON_LIMITS_USD[1]}
"""
_TON_FACTS = "select min(median_usd_per_ton) as lowest, max(median_usd_per_ton) as highest from {batch}"


def _findings(name: str) -> str:
    return f"""
        select year, f.reporter_code, c.name, flow, code, n_rows, value_usd, detail
        from {{batch}} as f left join countries as c on c.country_code = f.reporter_code
        where finding = '{name}' order by value_usd desc, year, f.reporter_code, flow, code
    """


_CELL_FACTS = """
    select count(*) as cells, count(*) filter (is_off) as cells_off,
        round(sum(partners_usd) / nullif(sum(world_usd), 0), 9) as partners_over_world,
        sum(excess_usd) filter (is_off) as excess_usd
    from {batch}
"""

# The rows that a rule counts must lie in the table that it fills. (World rows below six digits are counted, not kept.)
_LANDED_COUNTS = """
    with counted as (
        select year, rule, sum(n) as rows_counted from {batch}
        where rule in ('landed', 're_import', 'area_partner') and year is not null group by all
    ),
    found as (
        select year, 'landed' as rule, sum(n_rows)::bigint as rows_found from flow_pairs group by all
        union all select year, 're_import', count(*) from trade_reimports group by all
        union all select year, 'area_partner', count(*) from trade_unallocated group by all
    )
    select year, rule, coalesce(rows_counted, 0) as rows_counted, coalesce(rows_found, 0) as rows_found
    from counted full join found using (year, rule) where coalesce(rows_counted, 0) <> coalesce(rows_found, 0)
"""
_REPORTERS_WITHOUT_TRACE = """
    select year, reporter_code, flow, sum(n_rows)::bigint as n_rows from flow_pairs
    anti join {batch} using (year, reporter_code, flow) where value_usd > 0 group by all
"""

_VANISHED_REPORTERS = """
    select b.year, b.importer_code as reporter_code, any_value(c.name) as name, sum(b.value_usd) as previous_usd
    from previous.bilateral_totals as b left join countries as c on c.country_code = b.importer_code
    where not b.is_mirror and b.year in (select year from {batch})
        and not exists (
            select 1 from {batch} as r where r.flow = 'M' and r.year = b.year and r.reporter_code = b.importer_code
        )
    group by b.year, b.importer_code order by previous_usd desc, b.year, b.importer_code
"""
_FALLEN_VALUE = f"""
    with before as (
        select year, sum(value_usd) as previous_usd from previous.bilateral_totals where not is_mirror group by all
    ),
    today as (select year, sum(value_usd) as landed_usd from {{batch}} where flow = 'M' group by all)
    select *, landed_usd / previous_usd - 1 as change from today join before using (year)
    where landed_usd < (1 - {VALUE_FALL_LIMIT}) * previous_usd
"""


def _side_table(table: str, of_what: str, broken: str) -> Check:
    """The check of a table beside the flows, in one scan; `broken` is the condition that its areas must not meet."""
    sql = f"""
        select {_ROW} from {{batch}}
        where year is null or reporter_code is null or partner_code is null or flow is null or flow not in ('M', 'X')
            or not coalesce(regexp_matches(cmd_code, '^[0-9]{{{{6}}}}$'), false)
            or value_usd is null or not isfinite(value_usd) or value_usd < 0 or {broken}
    """
    description = f"{of_what}: keys are filled, codes have six digits, values are finite and not negative."
    return Check("rows_plausible", table, "ERROR", description, (no_rows(sql),))


TRADE_LANDING = Stage(
    name="landing",
    keys={
        "trade_reporters": ("year", "reporter_code", "flow"),
    },
    prepare={
        "flow_pairs": _FLOW_PAIRS,
        "flow_goods": _FLOW_GOODS,
        "flow_codes": _FLOW_CODES,
        "partner_cells": _PARTNER_CELLS,
        "both_sides": _BOTH_SIDES,
        "ton_prices": _TON_PRICES,
    },
    checks=(
        # What was lost comes first: it explains what fails after it.
        Check(
            "little_lost",
            "trade_losses",
            "ERROR",
            f"No file and no reporter lost more than {LOST_ROWS_LIMIT:.0%} of its rows or {LOST_VALUE_LIMIT:.0%} of "
            f"its value of a year to quarantine, or all rows. Up to {FEW_ROWS} rows count by their value, and not "
            f"at all where that is at most {SLIGHT_SHARE:.1%} of the year's.",
            (no_rows(_LOSSES),),
        ),
        *accounting(
            "trade",
            about="trade_rule_counts",
            by=("source", "year"),
            quarantine_by=("source", "year"),
            noted=_NOTED,
            causes=_CAUSES,
        ),
        Check(
            "keys_not_null",
            "trade_flows",
            "ERROR",
            "Every flow says its year, reporter, flow, partner, product and where it comes from.",
            (
                no_rows(f"""
                    select {_ROW} from {{batch}}
                    where year is null or reporter_code is null or flow is null or partner_code is null
                        or cmd_code is null or hs_revision is null or source is null or archive_entry is null
                """),
            ),
        ),
        Check(
            "key_unique",
            "trade_flows",
            "ERROR",
            "No flow (year, reporter, flow, partner, product) is there twice: its value would count twice.",
            (no_rows(_REPEATED_KEYS, counted_by="n_rows"),),
            on="flow_codes",
        ),
        Check(
            "values_plausible",
            "trade_flows",
            "ERROR",
            "Values and quantities are finite and not negative, weights, kilograms and pieces above zero; no value is "
            "missing.",
            (no_rows(_BAD_VALUES),),
        ),
        Check(
            "codes_well_formed",
            "trade_flows",
            "ERROR",
            "Products have six digits, flows are M or X, HS revisions and sources are known ones.",
            (no_rows(_BAD_CODES, counted_by="n_rows"),),
            on="flow_goods",
        ),
        Check(
            "areas_are_countries",
            "trade_flows",
            "ERROR",
            "Both ends of every flow are countries: World, groups and areas not elsewhere specified are not.",
            (no_rows(_NOT_COUNTRIES, counted_by="n_rows"),),
            on="flow_pairs",
        ),
        Check(
            "products_known",
            "trade_flows",
            "ERROR",
            "Every product is in the code list of its HS revision, so that it has a way to the base revision.",
            (no_rows(_UNKNOWN_PRODUCTS, counted_by="n_rows"),),
            on="flow_goods",
        ),
        Check(
            "no_reimports",
            "trade_flows",
            "ERROR",
            "No flow has the same country at both ends: re-imports are kept apart.",
            (no_rows(_SELF_TRADE, counted_by="n_rows"),),
            on="flow_pairs",
        ),
        Check(
            "years_as_requested",
            "trade_flows",
            "ERROR",
            "Every year that was asked for has flows, and no other year has.",
            (no_rows(_YEARS_NOT_ASKED_FOR, counted_by="n_rows"), no_rows(_YEARS_WITHOUT_ROWS)),
            on="flow_pairs",
        ),
        Check(
            "coverage_value",
            "trade_flows",
            "ERROR",
            f"In no year did reported imports fall by more than {VALUE_FALL_LIMIT:.0%} against the previous release.",
            (no_rows(_FALLEN_VALUE),),
            on="flow_pairs",
            requires=PREVIOUS_RELEASE,
        ),
        _side_table(
            "trade_unallocated",
            "Imports whose partner is no country",
            "partner_code = 0 or partner_code in (select country_code from countries where is_country)",
        ),
        _side_table("trade_reimports", "Re-imports (reporter and partner are one)", "reporter_code <> partner_code"),
        _side_table("trade_control_totals", "World rows, kept as control totals", "partner_code <> 0"),
        Check(
            "partners_within_world",
            "trade_control_totals",
            "WARN",
            "In no cell (year, reporter, flow, product) do the partners exceed the World row the publisher gives.",
            (no_rows("select * from {batch} where is_off order by excess_usd desc"),),
            on="partner_cells",
            facts=_CELL_FACTS,
        ),
        Check(
            "partners_within_world_overall",
            "trade_control_totals",
            "ERROR",
            f"Partners exceed the World row in fewer than {FEW_CELLS} cells of a year or at most "
            f"{SYSTEMATIC_SHARE:.0%} of them, and by no more than {SYSTEMATIC_SHARE:.0%} of its value.",
            (
                no_rows(f"""
                    select year, flow, count(*) as cells, count(*) filter (is_off) as cells_off,
                        sum(world_usd) as world_usd, coalesce(sum(excess_usd) filter (is_off), 0) as excess_usd
                    from {{batch}} group by all
                    having (cells_off >= {FEW_CELLS} and cells_off > {SYSTEMATIC_SHARE} * cells)
                        or excess_usd > {SYSTEMATIC_SHARE} * sum(world_usd)
                """),
            ),
            on="partner_cells",
        ),
        Check(
            "partners_cover_world",
            "trade_control_totals",
            "WARN",
            f"In every cell of a reporter the partners sum to at least {CELL_COVERAGE:.0%} of the World row.",
            (no_rows(_UNCOVERED_CELLS),),
            on="partner_cells",
            facts=_COVERAGE_FACTS,
        ),
        Check(
            "partners_cover_world_overall",
            "trade_control_totals",
            "ERROR",
            f"The partners of every (year, reporter, flow) sum to at least {REPORTER_COVERAGE:.0%} of its World rows.",
            (no_rows(_UNCOVERED_REPORTERS),),
            on="partner_cells",
            facts=_COVERAGE_FACTS,
        ),
        Check(
            "units_agree_with_partners",
            "trade_flows",
            "ERROR",
            "What a country reports is no power of ten times what its partners report of the same trade.",
            (no_rows(_WRONG_UNITS),),
            on="both_sides",
            facts=_RATIO_FACTS,
        ),
        Check(
            "values_agree_with_partners",
            "trade_flows",
            "WARN",
            f"What a country and its partners tell of the same trade differs by at most a factor of {MIRROR_MISMATCH}.",
            (no_rows(_MISMATCHES),),
            on="both_sides",
            facts=_RATIO_FACTS,
        ),
        Check(
            "world_trade_plausible",
            "trade_flows",
            "ERROR",
            f"The flows of a year sum to less than {WORLD_TRADE_LIMIT_USD / 1e12:.0f} trillion USD.",
            (no_rows(_TOO_MUCH_TRADE),),
            on="flow_pairs",
        ),
        Check(
            "ton_prices_plausible",
            "trade_flows",
            "ERROR",
            f"The median price of a ton lies between {TON_LIMITS_USD[0]:,} and {TON_LIMITS_USD[1]:,.0f} USD.",
            (no_rows(_WRONG_TONS),),
            on="ton_prices",
            facts=_TON_FACTS,
        ),
        Check(
            "reports_usable",
            "trade_findings",
            "WARN",
            "Every reporter sent a usable row of the year. Imports of others are filled from their partners' exports.",
            (no_rows(_findings("reported_nothing_usable")),),
        ),
        Check(
            "breakdowns_have_totals",
            "trade_findings",
            "WARN",
            "Rows by second partner, transport or customs procedure have a total beside them. Others were added up.",
            (no_rows(_findings("breakdown_summed"), counted_by="n_rows"),),
        ),
        Check(
            "quantities_readable",
            "trade_findings",
            "WARN",
            "Weights, second quantities and estimate flags are numbers and flags. Others are taken as unknown.",
            (no_rows(_findings("unreadable_quantity"), counted_by="n_rows"),),
        ),
        Check(
            "headings_have_goods",
            "trade_findings",
            "WARN",
            "Every heading that a country reports has a usable six-digit row below it. Headings are no flows.",
            (no_rows(_findings("heading_only"), counted_by="n_rows"),),
        ),
        Check(
            "reporters_plausible",
            "trade_reporters",
            "ERROR",
            "Reporters are countries with at least one row, and every reporter that has flows is among them.",
            (
                not_null("year"),
                one_of("flow", "M", "X"),
                between("n_rows", 1, None),
                no_rows(
                    "select * from {batch} anti join (select * from countries where is_country) as c "
                    "on c.country_code = reporter_code"
                ),
                no_rows(_REPORTERS_WITHOUT_TRACE),
            ),
        ),
        Check(
            "coverage_reporters",
            "trade_reporters",
            "ERROR",
            "Every country that reported its imports of a year in the previous release still does.",
            (no_rows(_VANISHED_REPORTERS),),
            requires=PREVIOUS_RELEASE,
        ),
        Check(
            "counts_match_tables",
            "trade_rule_counts",
            "ERROR",
            "The counts of landed, re-imported and unallocated rows are the numbers of rows in their tables.",
            (no_rows(_LANDED_COUNTS),),
        ),
    ),
)
