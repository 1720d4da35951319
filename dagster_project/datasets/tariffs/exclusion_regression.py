"""Is a tariff exclusion granted more often for goods that are hard to buy elsewhere? A logistic regression.

The chapter on which the project is based reads the approvals so; this tests it with what the marts say of a good. One
observation is a decided request. Requests for one good (HS6) have the good's properties in common and are often
decided alike, so standard errors are clustered by good. One company filed a fifth of all requests, nearly all in vain,
so every specification is also estimated without it. Not here: where the observations come from (dbt,
`int_exclusion_decisions`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dagster_project.datasets.tariffs.values import LISTS_WITH_REQUESTS

SCHEMA = pa.schema(
    [
        ("specification", pa.string()),
        ("term", pa.string()),
        ("estimate", pa.float64()),
        ("std_error", pa.float64()),
        ("z_value", pa.float64()),
        ("p_value", pa.float64()),
        ("odds_ratio", pa.float64()),
        ("n", pa.int64()),
        ("n_granted", pa.int64()),
        ("n_clusters", pa.int64()),
        ("pseudo_r2", pa.float64()),
        ("note", pa.string()),
    ]
)

INTERCEPT = "intercept"
_END_USE = ("intermediate", "consumption")
_COLUMN_OF = {
    "china_import_share": "china_import_share",
    "log_us_suppliers": "us_suppliers",
    "export_centrality_std": "export_centrality",
    "intermediate": "is_intermediate",
    "consumption": "is_consumption",
}
_TRADE = ("china_import_share", "log_us_suppliers", "export_centrality_std")
# With fewer decisions of the rarer kind per term, an estimate is not reliable (Peduzzi et al. 1996).
EVENTS_PER_TERM = 10
# Clustered errors are too small when there are few clusters (Cameron and Miller 2015).
FEWEST_CLUSTERS = 40
# The last digits depend on the machine's linear algebra; a release's content must not.
_DECIMALS = 9


@dataclass(frozen=True)
class Specification:
    """A name, the terms besides the intercept, whether the largest filer's requests are in, and a term per list."""

    name: str
    terms: Sequence[str]
    with_largest_filer: bool
    with_lists: bool = True


SPECIFICATIONS = (
    Specification("trade_and_end_use", (*_TRADE, *_END_USE), True),
    Specification("trade_and_end_use_without_largest_filer", (*_TRADE, *_END_USE), False),
    # For trade that covers a few goods only: there a list has few goods, too few for a term of its own.
    Specification("china_share", ("china_import_share", "intermediate"), True, with_lists=False),
    Specification("china_share_without_largest_filer", ("china_import_share", "intermediate"), False, with_lists=False),
    Specification("end_use", _END_USE, True),
    Specification("end_use_without_largest_filer", _END_USE, False),
)


def estimate(decisions: pd.DataFrame) -> pa.Table:
    """One row per specification and term; where something cannot be estimated, nulls with n and a note that says why.

    `decisions` has one row per decided request: request_id, list_id, hs6, is_granted, is_largest_filer,
    china_import_share (0..1), us_suppliers, export_centrality, is_intermediate, is_consumption; rows with a null in a
    column of the specification take no part in it. Terms: china_import_share as it is; log_us_suppliers =
    ln(suppliers); export_centrality_std = distance from the mean of the specification's goods in their standard
    deviations; intermediate and consumption 0 or 1, against capital and other goods; list_<id> 0 or 1, against the
    first list there is.
    """
    ordered = decisions.sort_values("request_id", ignore_index=True)
    rows = [row for specification in SPECIFICATIONS for row in _estimate(ordered, specification)]
    return pa.Table.from_pylist(rows, SCHEMA)


def _estimate(decisions: pd.DataFrame, specification: Specification) -> list[dict[str, Any]]:
    used = _observations(decisions, specification)
    lists = [name for name in LISTS_WITH_REQUESTS if specification.with_lists and (used["list_id"] == name).any()]
    terms = [INTERCEPT, *specification.terms, *(f"list_{name}" for name in lists[1:])]
    design = _design(used, terms)
    granted = used["is_granted"].to_numpy(dtype=float)
    kept, left_out = _without_perfect_prediction(design, granted)
    estimated = [term for term in terms if term not in left_out]
    design, granted, goods = design.loc[kept, estimated], granted[kept], used.loc[kept, "hs6"]
    numbers = {
        "specification": specification.name,
        "n": len(granted),
        "n_granted": int(granted.sum()),
        "n_clusters": int(goods.nunique()),
    }
    problem = _problem(design, granted, goods)
    fit = problem or _fit(design, granted, goods)
    if isinstance(fit, str):
        return [{**numbers, "term": term, "note": left_out.get(term, f"not estimable: {fit}")} for term in terms]
    caution = _caution(granted, len(estimated), int(goods.nunique()))
    return [{**numbers, "term": term, **fit.get(term, {}), "note": left_out.get(term, caution)} for term in terms]


def _caution(granted: np.ndarray, n_terms: int, n_clusters: int) -> str | None:
    reasons = []
    if min(granted.sum(), len(granted) - granted.sum()) < EVENTS_PER_TERM * n_terms:
        reasons.append(f"fewer than {EVENTS_PER_TERM} decisions of the rarer kind per term")
    if n_clusters < FEWEST_CLUSTERS:
        reasons.append(f"fewer than {FEWEST_CLUSTERS} goods, so errors are understated")
    return f"{'; '.join(reasons)}: read with care" if reasons else None


def _observations(decisions: pd.DataFrame, specification: Specification) -> pd.DataFrame:
    columns = [_COLUMN_OF[term] for term in specification.terms]
    used = decisions if specification.with_largest_filer else decisions[~decisions["is_largest_filer"].astype(bool)]
    return used.dropna(subset=columns).reset_index(drop=True)


def _design(used: pd.DataFrame, terms: Sequence[str]) -> pd.DataFrame:
    """The columns of the regression; a standardised term is 0 where all goods are alike."""
    of_good = used.drop_duplicates("hs6")["export_centrality"].astype(float)
    spread = float(of_good.std(ddof=0)) if len(of_good) else 0.0
    apart = used["export_centrality"].astype(float) - float(of_good.mean() if len(of_good) else 0.0)
    columns: dict[str, Any] = {
        INTERCEPT: np.ones(len(used)),
        "china_import_share": used["china_import_share"].astype(float),
        "log_us_suppliers": np.log(used["us_suppliers"].astype(float)),
        "export_centrality_std": apart / spread if spread > 0 else 0.0 * apart,
        "intermediate": used["is_intermediate"].astype(float),
        "consumption": used["is_consumption"].astype(float),
    }
    for term in terms:
        if term.startswith("list_"):
            columns[term] = (used["list_id"] == term.removeprefix("list_")).astype(float)
    return pd.DataFrame(columns, index=used.index)[list(terms)]


def _without_perfect_prediction(design: pd.DataFrame, granted: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
    """Rows to keep, and the terms left out with the reason.

    A 0/1 term at one of whose values every request was decided alike has no finite estimate, and those requests say
    nothing of the other terms: term and requests are left out, as is usual (Stata's `logit` does the same). A term that
    does not vary is left out too.
    """
    kept, left_out = np.ones(len(design), dtype=bool), {}
    candidates = [term for term in design.columns if term != INTERCEPT]
    changed = True
    while changed and kept.any():
        changed = False
        for term in [term for term in candidates if term not in left_out]:
            values = design[term].to_numpy()
            if np.ptp(values[kept]) == 0:
                left_out[term] = "left out: the same for every observation"
                changed = True
            elif set(np.unique(values[kept])) <= {0.0, 1.0}:
                for value, where in ((1.0, "with"), (0.0, "without")):
                    alike = kept & (values == value)
                    if np.ptp(granted[alike]) == 0:
                        word = "granted" if granted[alike][0] else "denied"
                        left_out[term] = f"left out: each of the {int(alike.sum())} requests {where} it was {word}"
                        kept &= ~alike
                        changed = True
                        break
    return kept, left_out


def _problem(design: pd.DataFrame, granted: np.ndarray, goods: pd.Series) -> str | None:
    """Why there is nothing to estimate, or None."""
    n_terms = design.shape[1]
    rarer = int(min(granted.sum(), len(granted) - granted.sum())) if len(granted) else 0
    if rarer < n_terms or goods.nunique() <= n_terms:
        return (
            f"too few observations ({len(granted)} requests, {rarer} decisions of the rarer kind, "
            f"{goods.nunique()} goods, {n_terms} terms)"
        )
    if np.linalg.matrix_rank(design.to_numpy()) < n_terms:
        return "the terms depend on each other linearly"
    return None


def _fit(design: pd.DataFrame, granted: np.ndarray, goods: pd.Series) -> Mapping[str, Mapping[str, float]] | str:
    """Maximum likelihood with standard errors clustered by good; a text when there is no finite maximum."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    groups = pd.factorize(goods, sort=True)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = sm.Logit(granted, design.to_numpy())
            result = model.fit(disp=0, maxiter=100, cov_type="cluster", cov_kwds={"groups": groups})
        except (PerfectSeparationError, np.linalg.LinAlgError, Warning) as error:
            return f"no finite maximum of the likelihood, as where terms tell grants apart ({type(error).__name__})"
    values = zip(design.columns, result.params, result.bse, result.tvalues, result.pvalues, strict=True)
    r2 = round(float(result.prsquared), _DECIMALS)
    return {
        term: {
            "estimate": round(float(estimate), _DECIMALS),
            "std_error": round(float(error), _DECIMALS),
            "z_value": round(float(z), _DECIMALS),
            "p_value": round(float(p), _DECIMALS),
            "odds_ratio": round(float(np.exp(estimate)), _DECIMALS),
            "pseudo_r2": r2,
        }
        for term, estimate, error, z, p in values
    }
