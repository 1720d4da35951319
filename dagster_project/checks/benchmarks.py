"""The benchmark stage's checks: is every published figure there, and does each verdict follow from its numbers?

Not here: how a figure is computed, and recomputed, which its dataset declares; nor whether it is reproduced: a figure
that differs is a finding, no fault.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, between, no_rows, not_empty, not_null, one_of, unique
from dagster_project.checks.paradox import PARADOX, PARADOX_PREPARED

_MISPLACED = """
    select benchmark_id, figures.published_value as printed, marts.published_value as in_the_mart
    from published_figures as figures full join {batch} as marts using (benchmark_id)
    where marts.published_value is distinct from figures.published_value
        or marts.tolerance is distinct from figures.tolerance
        or marts.tolerance_kind is distinct from figures.tolerance_kind
"""
_VALUE_WITHOUT_VERDICT = """
    select benchmark_id, computed_value, difference, verdict from {batch}
    where (computed_value is null) is distinct from (verdict = 'not computable from these inputs')
        or (difference is null) is distinct from (computed_value is null)
        or abs(difference - (computed_value - published_value)) > 1e-9
        or not isfinite(computed_value)
"""
_WRONG_VERDICT = """
    with judged as (
        select *, case tolerance_kind
            when 'absolute' then abs(difference) <= tolerance + 1e-9
            when 'relative' then abs(difference) <= tolerance * abs(published_value) + 1e-9
            when 'exact' then abs(difference) <= 1e-9
            when 'lower_bound' then round(difference, 12) > 0
        end as within
        from {batch} where computed_value is not null
    )
    select benchmark_id, published_value, computed_value, difference, tolerance, tolerance_kind, verdict from judged
    where verdict is distinct from case when within then 'reproduced' else 'differs' end
"""
_MADE_UP = """
    select benchmark_id, dataset, stg_inputs.source, computed_value, verdict
    from {batch} left join stg_inputs using (dataset)
    where computed_value is not null and (is_synthetic or is_synthetic is null)
"""
_FACTS = """
    select count(*) as figures, count(*) filter (verdict = 'reproduced') as reproduced,
        count(*) filter (verdict = 'differs') as differs,
        count(*) filter (computed_value is null) as not_computable
    from {batch}
"""
_TABLE = "published_benchmarks"

BENCHMARKS = Stage(
    name="benchmarks",
    keys={_TABLE: ("benchmark_id",)},
    checks=(
        Check(
            "one_row_per_figure",
            _TABLE,
            "ERROR",
            "Every published figure has one row, with the value and tolerance that the seed holds.",
            (not_empty(), not_null("benchmark_id"), unique("benchmark_id"), no_rows(_MISPLACED)),
        ),
        Check(
            "verdicts_are_known",
            _TABLE,
            "ERROR",
            "A verdict is reproduced, differs or not computable from these inputs, and the inputs are stated.",
            (
                not_null("verdict"),
                one_of("verdict", "reproduced", "differs", "not computable from these inputs"),
                not_null("inputs"),
                between("tolerance", 0, None),
            ),
            facts=_FACTS,
        ),
        Check(
            "values_and_verdicts_go_together",
            _TABLE,
            "ERROR",
            "A value is there exactly where it is computable, and the difference is computed - published.",
            (no_rows(_VALUE_WITHOUT_VERDICT),),
        ),
        Check(
            "verdicts_follow_from_differences",
            _TABLE,
            "ERROR",
            "A figure is reproduced exactly where the difference is within its tolerance.",
            (no_rows(_WRONG_VERDICT),),
        ),
        Check(
            "nothing_from_synthetic_inputs",
            _TABLE,
            "ERROR",
            "No figure is computed from a dataset that is synthetic or off.",
            (no_rows(_MADE_UP),),
        ),
        *PARADOX,
    ),
    prepare=PARADOX_PREPARED,
)
