"""Expectations that a mart holds what another road gives: recomputed values, joined to the mart by key.

A mart can be wrong by a constant factor and still be plausible: its shares lie within [0, 1], its parts sum to its
totals. So values of every mart are computed once more from what it was made of, by SQL that is not the model's, where
that is dear for a sample only. A sample is the same for the same data. Not here: how any value is recomputed.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.checks.declarations import Expect, no_rows


def is_in_scope(product_scope: str) -> str:
    """SQL over the staged reference table: is the good in the scope that this expression names? Measures section 2."""
    return f"""hs6 <> '999999' and coalesce(case {product_scope}
            when 'all' then true
            when 'bec5_intermediate' then bec5 = 'INT'
            when 'bec4_intermediate' then bec4 in ('111', '121', '21', '22', '31', '322', '42', '53')
            else bec4 in ('111', '121', '21', '22', '31', '322', '41', '42', '521', '53')
        end, false)"""


GOODS_IN_SCOPE = f"""
    select hs6, {is_in_scope("(select max(product_scope) from int_year_settings)")} as in_scope from stg_products
"""
# Both roads add doubles, in another order; nothing else may differ.
_TOLERANCE = "1e-9 * abs({value}) + 1e-12"


def sampled(table: str, keys: str, n: int, where: str = "true") -> str:
    """A query of `n` of the table's keys, drawn by their hash; the seed is the table's own number of rows."""
    return f"""
        select {keys} from (select distinct {keys} from {table} where {where}) as found
        order by hash({keys}, (select count(*) from {table})), {keys} limit {n}
    """


def equals(
    recomputed: str,
    keys: str,
    *,
    numbers: Sequence[str] = (),
    others: Sequence[str] = (),
    sample: tuple[str, str] | None = None,
    unless_missing: str = "false",
    tolerance: str = _TOLERANCE,
) -> Expect:
    """The mart has the rows of `recomputed`, a table or a query with its `keys`, and their values.

    `numbers` may differ by the order of sums, `others` (counts, codes, flags, words) in nothing. `sample` is a table of
    keys and their names, to which the mart is limited; without one it is recomputed whole. `unless_missing` is true for
    recomputed rows that the mart need not have.
    """
    within = f"semi join {sample[0]} using ({sample[1]})" if sample else ""
    shown = "".join(f", mart.{name}, again.{name} as {name}_recomputed" for name in (*numbers, *others))
    wrong = [
        f"(mart.{name} is null) <> (again.{name} is null)"
        f" or abs(mart.{name} - again.{name}) > {tolerance.format(value=f'again.{name}')}"
        for name in numbers
    ] + [f"mart.{name} is distinct from again.{name}" for name in others]
    return no_rows(f"""
        with mart as (select *, true as is_there from {{batch}} {within}),
        again as (select *, true as is_there from ({recomputed}) as made)
        select {keys}{shown} from mart full join again using ({keys})
        where again.is_there is null or (mart.is_there is null and not ({unless_missing}))
            or (mart.is_there and ({" or ".join(wrong)}))
    """)


def figures_equal(dataset: str, parts: str) -> Expect:
    """Every computed figure of the dataset is what its parts give for the years that it was computed from.

    `parts` is a query of benchmark_id, year (null for inputs without years), numerator and denominator; a figure of
    several years is the sum of its numerators over that of its denominators.
    """
    return no_rows(f"""
        with computed as (
            select benchmark_id, computed_value, years, unnest(string_split(coalesce(years, ''), ', ')) as year
            from {{batch}} where dataset = '{dataset}' and computed_value is not null
        ),
        parts as ({parts}),
        again as (
            select c.benchmark_id, c.computed_value, c.years, sum(p.numerator) / sum(p.denominator) as recomputed_value
            from computed as c left join parts as p
                on p.benchmark_id = c.benchmark_id and coalesce(p.year::varchar, '') = c.year
            group by all
        )
        select * from again
        where recomputed_value is null or abs(computed_value - recomputed_value) > 1e-9 * abs(recomputed_value) + 1e-12
    """)
