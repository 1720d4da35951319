"""Chains of improvement: how many steps of its applicant's own a publication builds on.

One pass in the order of filing dates. SQL would follow every path of every chain, of which there are more than
citations. Not here: which citations are own ones (dbt, `int_pct_own_citations`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

SCHEMA = pa.schema([("place", pa.int32()), ("depth", pa.int32())])


def depths(own: pa.Table) -> pa.Table:
    """One row per citing publication of a citation within five years: 1 + the largest depth of those that it cites.

    `own` has the columns citing, cited, citing_filed and within_5y, in any order of rows. The cited ones were filed
    strictly earlier, so that their depths are final when their turn comes; those that cite none have 0.
    """
    used = own.filter(own["within_5y"])
    citing, cited = (used[name].to_numpy().astype(np.int64) for name in ("citing", "cited"))
    day = used["citing_filed"].to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.argsort(day, kind="stable")
    citing, cited, day = citing[order], cited[order], day[order]
    depth = np.zeros(1 + max(int(citing.max(initial=0)), int(cited.max(initial=0))), np.int32)
    days = [*np.flatnonzero(np.diff(day, prepend=np.iinfo(np.int64).min)).tolist(), len(day)]
    for start, end in pairwise(days):
        np.maximum.at(depth, citing[start:end], depth[cited[start:end]] + 1)
    found = np.unique(citing)
    return pa.table([found.astype(np.int32), depth[found]], schema=SCHEMA)
