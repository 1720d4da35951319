"""Learning rates from the sums of their regressions: how much a price fell with every doubling of what was made.

ln P = a - b·ln Q by ordinary least squares (Wright 1936; Ziegler and Trancik 2021), with classical errors and Student's
t. Pure functions over Arrow tables. Not here: prices, quantities and their sums (dbt, `int_learning_sums`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95
KEYS = ("exporter_code", "product_level", "product_code", "cumulative")
# The last digits depend on the machine's mathematics; a release's content must not.
_DECIMALS = 12

SCHEMA = pa.schema(
    [
        ("exporter_code", pa.int32()),
        ("product_level", pa.string()),
        ("product_code", pa.string()),
        ("cumulative", pa.string()),
        ("b", pa.float64()),
        ("b_se", pa.float64()),
        ("learning_rate", pa.float64()),
        ("learning_rate_se", pa.float64()),
        ("learning_rate_low", pa.float64()),
        ("learning_rate_high", pa.float64()),
        ("r2", pa.float64()),
        ("p_value", pa.float64()),
    ]
)


def fitted(sums: pa.Table) -> pa.Table:
    """One row per row of `sums` that gives no reason against it, sorted by key.

    `sums` has the keys, n, `reason`, and the sums of squares and products around the means of x = ln Q and y = ln P:
    sum_xx, sum_xy, sum_yy, and sum_residuals. A perfect fit has errors of 0. r2 is null where the price never moves.
    """
    usable = sums.filter(pc.is_null(sums["reason"])).sort_by([(key, "ascending") for key in KEYS])
    n, xx, xy, yy, rest = (
        usable[name].to_numpy().astype(float) for name in ("n", "sum_xx", "sum_xy", "sum_yy", "sum_residuals")
    )
    freedom = n - 2
    b, error = -xy / xx, np.sqrt(rest / freedom / xx)
    width = stdtrit(freedom, (1 + CONFIDENCE) / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(b == 0, 0.0, np.abs(b) / error)
        r2 = np.where(yy > 0, 1 - rest / yy, np.nan)
    measures = {
        "b": b,
        "b_se": error,
        "learning_rate": 1 - 2**-b,
        "learning_rate_se": np.log(2) * 2**-b * error,
        "learning_rate_low": 1 - 2 ** (width - b),
        "learning_rate_high": 1 - 2 ** -(b + width),
        "r2": r2,
        "p_value": 2 * stdtr(freedom, -t),
    }
    columns = [usable[key] for key in KEYS] + [
        pa.array(np.round(values, _DECIMALS), from_pandas=True) for values in measures.values()
    ]
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True))).cast(SCHEMA)
