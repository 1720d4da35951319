"""The published figures of contagion by another road: from verdicts and peers. Not here: whether one is reproduced."""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage
from dagster_project.checks.recomputed import figures_equal

_PARTS = """
    select 'xu_contagion_industries' as benchmark_id, null::integer as year,
        count(distinct industry) filter (verdict = 'contagion')::double as numerator, 1::double as denominator
    from contagion_industries where event_id = 'huawei_2019' and "window" = 'm1p1' and n_suppliers > 0
    having count(*) > 0
    union all
    select 'xu_contagion_suppliers', null, count(*) filter (i.verdict = 'contagion'), 1
    from contagion_firms as f join contagion_industries as i using (event_id, industry, "window")
    where event_id = 'huawei_2019' and "window" = 'm1p1' and f.role = 'supplier' having count(*) > 0
    union all
    select 'lang_stulz_direction', null, -sum(car), count(*)
    from contagion_firms as f join stg_contagion_events using (event_id)
    where label ilike '%bankrupt%' and "window" = 'm1p1' and f.role is null and f.reason is null
        and (event_id, industry) in (select (event_id, industry) from contagion_firms where role = 'source')
    having count(*) > 0
"""

CONTAGION_FIGURES = Stage(
    name="figures of contagion",
    checks=(
        Check(
            "contagion_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of contagion is recomputed from the verdicts of industries and the returns of peers.",
            (figures_equal("contagion", _PARTS),),
        ),
    ),
)
