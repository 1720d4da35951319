"""Event studies: what stocks, the peers of an industry and a customer's suppliers lost around the day of an event.

What belongs here: the market model, abnormal returns, and the tests over many firms that share one day. A model is
fitted once per event and security; windows take their days from it. Not here: where returns come from (`landing`), and
what a verdict is (dbt).

Formulas and the order of the reasons for leaving a stock out are those of docs/contagion.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

# Trading days relative to the day of the event, both ends included.
WINDOWS: Mapping[str, tuple[int, int]] = {"m1p1": (-1, 1), "d0": (0, 0), "p0p1": (0, 1), "m5p5": (-5, 5)}
ESTIMATION = (-250, -11)
FEWEST_RETURNS = 120
# Parts of the estimation days without a trade (no return, or a return of zero).
THIN, TOO_THIN = 0.33, 0.50
SPLITS = (1 / 10, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0, 4.0, 5.0, 10.0)
SPLIT_MOVE, SPLIT_TOLERANCE = 0.3, 0.02
FEWEST_PEERS = 3
FEWEST_COMMON_DAYS = 60
SUPPLIER = "supplier"

# The days that are looked at: those of the estimation and one before it, for the lag of Dimson's estimator, to the last
# day of any window and one after it.
_FIRST, _LAST = ESTIMATION[0] - 1, max(last for _, last in WINDOWS.values()) + 1
_DAYS = np.arange(_FIRST, _LAST + 1)
_ESTIMATION = (ESTIMATION[0] <= _DAYS) & (ESTIMATION[1] >= _DAYS)
# The last digits depend on the machine's order of sums; a release's content must not.
_DIGITS = 12
_BLOCK = 256  # securities that are correlated with all others at a time

FIRMS = pa.schema(
    [
        ("event_id", pa.string()),
        ("security_id", pa.string()),
        ("event_window", pa.string()),
        ("industry", pa.string()),
        ("role", pa.string()),
        ("day_zero", pa.date32()),
        ("n_obs", pa.int64()),
        ("n_window", pa.int64()),
        ("zero_share", pa.float64()),
        ("thin", pa.bool_()),
        ("alpha", pa.float64()),
        ("beta", pa.float64()),
        ("sigma", pa.float64()),
        ("car", pa.float64()),
        ("car_se", pa.float64()),
        ("t", pa.float64()),
        ("p_value", pa.float64()),
        ("q_value", pa.float64()),
        ("car_dimson", pa.float64()),
        ("reason", pa.string()),
    ]
)
GROUPS = pa.schema(
    [
        ("event_id", pa.string()),
        ("event_window", pa.string()),
        ("group_kind", pa.string()),
        ("industry", pa.string()),
        ("n_firms", pa.int64()),
        ("n_obs", pa.int64()),
        ("alpha", pa.float64()),
        ("beta", pa.float64()),
        ("sigma", pa.float64()),
        ("car", pa.float64()),
        ("car_se", pa.float64()),
        ("t", pa.float64()),
        ("p_value", pa.float64()),
        ("car_vw", pa.float64()),
        ("caar", pa.float64()),
        ("t_cross", pa.float64()),
        ("bmp", pa.float64()),
        ("mean_correlation", pa.float64()),
        ("kp", pa.float64()),
        ("n_negative", pa.int64()),
        ("sign_p", pa.float64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Panel:
    """Returns as a table of securities by dates, not a number where there is none.

    stocks    security -> (industry, market), in the order of their ids
    returns   security, market or stock -> its row of `values`; those of `caps` are the same
    """

    stocks: Mapping[str, tuple[str | None, str]]
    rows: Mapping[str, int]
    dates: npt.NDArray[np.datetime64]
    values: Floats
    caps: Floats | None


@dataclass(frozen=True)
class Event:
    """An event: its day, whether it became known after that day's close, and security -> role."""

    event_id: str
    date: dt.date
    after_close: bool
    roles: Mapping[str, str]


@dataclass(frozen=True)
class Around:
    """One event's days: row by row the returns of stocks and of each stock's market, and what was fitted to them.

    `day_zero` is not a time (NaT) where the market has no day that can be it.
    """

    event: Event
    names: Sequence[str]
    industries: Sequence[str | None]
    stock: Floats
    market: Floats
    caps: Floats | None
    day_zero: npt.NDArray[np.datetime64]
    fit: Fit
    zero_share: Floats
    has_returns: Bools


@dataclass(frozen=True)
class Fit:
    """A market model for each row: ordinary least squares of its returns on its market's in the estimation window."""

    n: Ints
    alpha: Floats
    beta: Floats
    variance: Floats  # of a residual, SSR / (n - 2)
    market_mean: Floats
    market_spread: Floats  # sum of squared distances from the mean
    residuals: Floats  # in the estimation window, not a number where there is no return


def read_panel(returns: pa.Table, securities: pa.Table) -> Panel:
    """Returns (security_id, return_date, simple_return, market_cap) and securities as tables, in any order of rows."""
    listed = sorted(securities.to_pylist(), key=lambda each: str(each["security_id"]))
    stocks = {each["security_id"]: (each["industry"], each["market_id"]) for each in listed if each["kind"] == "stock"}
    names = returns["security_id"].combine_chunks().dictionary_encode()
    if isinstance(names, pa.ChunkedArray):
        names = names.unify_dictionaries().combine_chunks()
    days = returns["return_date"].to_numpy().astype("datetime64[D]")
    dates, column = np.unique(days, return_inverse=True)
    known = names.dictionary.to_pylist()
    row = names.indices.to_numpy()
    values = np.full((len(known), len(dates)), np.nan)
    values[row, column] = returns["simple_return"].to_numpy()
    caps = None
    if returns["market_cap"].null_count < len(returns):
        caps = np.full(values.shape, np.nan)
        caps[row, column] = returns["market_cap"].to_numpy()
    return Panel(stocks, {name: place for place, name in enumerate(known)}, dates, values, caps)


def read_events(events: pa.Table, roles: pa.Table) -> list[Event]:
    """The events with their roles, in the order of their ids."""
    by_event: dict[str, dict[str, str]] = {}
    for each in roles.to_pylist():
        by_event.setdefault(each["event_id"], {})[each["security_id"]] = each["role"]
    listed = sorted(events.to_pylist(), key=lambda each: str(each["event_id"]))
    return [
        Event(each["event_id"], each["event_date"], each["after_close"], by_event.get(each["event_id"], {}))
        for each in listed
    ]


def firms(returns: pa.Table, securities: pa.Table, events: pa.Table, roles: pa.Table) -> pa.Table:
    """One row per event, stock and window: its abnormal return, or the reason why it is left out."""
    panel = read_panel(returns, securities)
    parts = [_firms(around, window) for around in _arounds(panel, read_events(events, roles)) for window in WINDOWS]
    return pa.concat_tables([FIRMS.empty_table(), *parts])


def groups(returns: pa.Table, securities: pa.Table, events: pa.Table, roles: pa.Table) -> pa.Table:
    """One row per event, window and group: the peers of each industry, and all suppliers together."""
    panel = read_panel(returns, securities)
    rows = [
        row
        for around in _arounds(panel, read_events(events, roles))
        for window in WINDOWS
        for row in _groups(around, window)
    ]
    return pa.Table.from_pylist(rows, GROUPS)


def _arounds(panel: Panel, events: Sequence[Event]) -> Iterator[Around]:
    for event in events:
        yield _around(panel, event)


def _around(panel: Panel, event: Event) -> Around:
    names = list(panel.stocks)
    markets = sorted({market for _, market in panel.stocks.values()})
    places = {market: _places(panel, event, market) for market in markets}
    blank = np.full(len(panel.dates) + 1, np.nan)  # its last place stands for every day that there is not
    of_market = {market: np.append(panel.values[panel.rows[market]], np.nan)[places[market]] for market in markets}
    shape = (len(names), len(_DAYS))
    stock, market, caps = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    day_zero = np.full(len(names), np.datetime64("NaT"), "datetime64[D]")
    zero = int(np.flatnonzero(_DAYS == 0)[0])
    for place, name in enumerate(names):
        own = panel.stocks[name][1]
        row = panel.rows.get(name)
        market[place] = of_market[own]
        stock[place] = blank[places[own]] if row is None else np.append(panel.values[row], np.nan)[places[own]]
        if panel.caps is not None and row is not None:
            caps[place] = np.append(panel.caps[row], np.nan)[places[own]]
        if places[own][zero] >= 0:
            day_zero[place] = panel.dates[places[own][zero]]
    has_returns = np.array([name in panel.rows for name in names], dtype=bool)
    days = (~np.isnan(market[:, _ESTIMATION])).sum(axis=1)
    traded = (~np.isnan(stock[:, _ESTIMATION]) & (stock[:, _ESTIMATION] != 0)).sum(axis=1)
    zero_share = np.divide(days - traded, days, out=np.full(len(names), np.nan), where=days > 0)
    return Around(
        event,
        names,
        [panel.stocks[name][0] for name in names],
        stock,
        market,
        caps if panel.caps is not None else None,
        day_zero,
        fitted(stock[:, _ESTIMATION], market[:, _ESTIMATION]),
        zero_share,
        has_returns,
    )


def _places(panel: Panel, event: Event, market: str) -> Ints:
    """Where the days around an event stand among the panel's dates; -1 for days that the market does not have.

    A trading day is a day for which the market has a return. Day 0 is the first one on or after the event's day; after
    it, where the event became known after the close.
    """
    calendar = np.flatnonzero(~np.isnan(panel.values[panel.rows[market]]))
    day = np.datetime64(event.date)
    zero = int(np.searchsorted(panel.dates[calendar], day, side="right" if event.after_close else "left"))
    there = (_DAYS + zero >= 0) & (_DAYS + zero < len(calendar)) & (zero < len(calendar))
    found = np.full(len(_DAYS), -1)
    found[there] = calendar[_DAYS[there] + zero]
    return found


def fitted(stock: Floats, market: Floats) -> Fit:
    """The market model of every row, over the days on which both have a return."""
    both = ~np.isnan(stock) & ~np.isnan(market)
    n = both.sum(axis=1)
    y, x = np.where(both, stock, 0.0), np.where(both, market, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x_mean, y_mean = x.sum(axis=1) / n, y.sum(axis=1) / n
        x_apart = np.where(both, market - x_mean[:, None], 0.0)
        y_apart = np.where(both, stock - y_mean[:, None], 0.0)
        spread = (x_apart**2).sum(axis=1)
        beta = (x_apart * y_apart).sum(axis=1) / spread
        alpha = y_mean - beta * x_mean
        residuals = stock - alpha[:, None] - beta[:, None] * market
        variance = np.nansum(np.where(both, residuals, 0.0) ** 2, axis=1) / (n - 2)
    return Fit(n, alpha, beta, variance, x_mean, spread, residuals)


@dataclass(frozen=True)
class Abnormal:
    """The cumulative abnormal return of every row in a window, its standard error, t and two-sided p."""

    days: Ints
    car: Floats
    error: Floats
    t: Floats
    p: Floats


def abnormal(fit: Fit, stock: Floats, market: Floats) -> Abnormal:
    """Over the days of a window on which both have a return; nothing is filled."""
    from scipy.stats import t as student

    both = ~np.isnan(stock) & ~np.isnan(market)
    days = both.sum(axis=1)
    apart = np.where(both, stock - fit.alpha[:, None] - fit.beta[:, None] * market, 0.0)
    car = apart.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(both, market, 0.0).sum(axis=1) - days * fit.market_mean
        error = np.sqrt(fit.variance * (days + days**2 / fit.n + distance**2 / fit.market_spread))
        t = np.where(error > 0, car / error, np.nan)
    return Abnormal(days, car, error, t, 2 * student.sf(np.abs(t), fit.n - 2))


def _in_window(window: str) -> Bools:
    first, last = WINDOWS[window]
    return (first <= _DAYS) & (last >= _DAYS)


def _reasons(around: Around, window: str) -> list[str | None]:
    """Why each stock is left out of a window: the first reason that holds."""
    inside = _in_window(window)
    looked_at = around.stock[:, _ESTIMATION | inside]
    tests = (
        ("window_outside_data", np.isnan(around.market[:, inside]).any(axis=1)),
        ("no_returns", ~around.has_returns),
        ("too_few_returns", (around.fit.n < FEWEST_RETURNS) | ~(around.fit.market_spread > 0)),
        ("thin_trading", around.zero_share > TOO_THIN),
        ("no_trade_in_window", np.isnan(around.stock[:, inside]).all(axis=1)),
        ("possible_split", _like_a_split(looked_at).any(axis=1)),
    )
    found: list[str | None] = [None] * len(around.names)
    for reason, holds in reversed(tests):
        for place in np.flatnonzero(holds):
            found[place] = reason
    return found


def _like_a_split(returns: Floats) -> Bools:
    """Whether a return is a large one that a split not adjusted for would give."""
    large = np.abs(returns) > SPLIT_MOVE
    near = [np.abs(1 + returns - ratio) <= SPLIT_TOLERANCE * ratio for ratio in SPLITS]
    return np.asarray(large & np.any(near, axis=0), dtype=np.bool_)


def _firms(around: Around, window: str) -> pa.Table:
    inside = _in_window(window)
    reasons = _reasons(around, window)
    used = np.array([reason is None for reason in reasons])
    found = abnormal(around.fit, around.stock[:, inside], around.market[:, inside])
    roles = [around.event.roles.get(name) for name in around.names]
    thin = around.zero_share >= THIN
    estimated = {
        "alpha": around.fit.alpha,
        "beta": around.fit.beta,
        "sigma": np.sqrt(around.fit.variance),
        "car": found.car,
        "car_se": found.error,
        "t": found.t,
        "p_value": found.p,
        "q_value": _by_role(found.p, used, roles),
        "car_dimson": np.where(thin, _dimson(around, inside, thin & used), np.nan),
    }
    columns: dict[str, Any] = {
        "event_id": [around.event.event_id] * len(around.names),
        "security_id": around.names,
        "event_window": [window] * len(around.names),
        "industry": around.industries,
        "role": roles,
        "day_zero": pa.array(around.day_zero, pa.date32(), mask=np.isnat(around.day_zero)),
        "n_obs": around.fit.n,
        "n_window": found.days,
        "zero_share": _nullable(around.zero_share),
        "thin": pa.array(thin, mask=np.isnan(around.zero_share)),
        **{name: _nullable(np.where(used, values, np.nan)) for name, values in estimated.items()},
        "reason": reasons,
    }
    return pa.table([columns[name] for name in FIRMS.names], schema=FIRMS)


def _nullable(values: Floats) -> pa.Array:
    return pa.array(_rounded(values), mask=~np.isfinite(values))


def _rounded(values: Floats) -> Floats:
    """To so many significant digits."""
    finite = np.isfinite(values) & (values != 0)
    size = np.floor(np.log10(np.abs(values), where=finite, out=np.zeros_like(values)))
    scale = 10.0 ** (_DIGITS - 1 - size)
    return np.where(finite, np.round(values * scale) / scale, values)


def _by_role(p: Floats, used: Bools, roles: Sequence[str | None]) -> Floats:
    """Benjamini and Hochberg's q among the stocks of one role that are used."""
    found = np.full(len(p), np.nan)
    known = used & np.isfinite(p)
    for role in dict.fromkeys(roles):
        those = np.flatnonzero(known & np.array([each == role for each in roles]))
        order = those[np.argsort(p[those], kind="stable")]
        raw = p[order] * len(order) / np.arange(1, len(order) + 1)
        found[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return found


def _dimson(around: Around, inside: Bools, wanted: Bools) -> Floats:
    """The CAR of stocks that trade thinly: their beta is the sum of those on the market of the day before, the day
    itself and the day after (Dimson 1979).
    """
    found = np.full(len(around.names), np.nan)
    days = np.flatnonzero(_ESTIMATION)
    for place in np.flatnonzero(wanted):
        market, stock = around.market[place], around.stock[place]
        design = np.column_stack([np.ones(len(days)), market[days - 1], market[days], market[days + 1]])
        whole = ~np.isnan(design).any(axis=1) & ~np.isnan(stock[days])
        alpha, *betas = np.linalg.lstsq(design[whole], stock[days][whole], rcond=None)[0]
        found[place] = np.nansum(stock[inside] - alpha - sum(betas) * market[inside])
    return found


def _groups(around: Around, window: str) -> Iterator[dict[str, Any]]:
    inside = _in_window(window)
    reasons = _reasons(around, window)
    used = np.array([reason is None for reason in reasons], dtype=bool)
    found = abnormal(around.fit, around.stock[:, inside], around.market[:, inside])
    roles = [around.event.roles.get(name) for name in around.names]
    key = {"event_id": around.event.event_id, "event_window": window}
    for industry in sorted({each for each in around.industries if each is not None}):
        of_industry = np.array([each == industry for each in around.industries])
        peers = np.flatnonzero(used & of_industry & np.array([role is None for role in roles]))
        yield {
            **key,
            "group_kind": "industry",
            "industry": industry,
            "n_firms": len(peers),
            **_portfolio(around, peers, inside),
            **_together(around, found, peers),
        }
    suppliers = np.flatnonzero(used & np.array([role == SUPPLIER for role in roles]))
    yield {**key, "group_kind": "suppliers", "n_firms": len(suppliers), **_together(around, found, suppliers)}


def _portfolio(around: Around, peers: Ints, inside: Bools) -> dict[str, Any]:
    """The peers of an industry as one portfolio with a market model of its own.

    Equal weights over those that have a return that day. Stocks of several markets are put together by their distance
    in trading days from the event, and so are the returns of their markets.
    """
    if len(peers) < FEWEST_PEERS:
        return {"reason": "too_few_peers"}
    stock, market = around.stock[peers], around.market[peers]
    fit, found = _portfolio_of(stock, market, np.ones(len(peers)), inside)
    values = {
        "alpha": fit.alpha[0],
        "beta": fit.beta[0],
        "sigma": np.sqrt(fit.variance[0]),
        "car": found.car[0],
        "car_se": found.error[0],
        "t": found.t[0],
        "p_value": found.p[0],
    }
    if around.caps is not None:
        weights = around.caps[peers, int(np.flatnonzero(ESTIMATION[1] == _DAYS)[0])]
        if np.isfinite(weights).all():
            values["car_vw"] = _portfolio_of(stock, market, weights, inside)[1].car[0]
    return {"n_obs": int(fit.n[0]), **{name: _number(value) for name, value in values.items()}}


def _portfolio_of(stock: Floats, market: Floats, weights: Floats, inside: Bools) -> tuple[Fit, Abnormal]:
    there = ~np.isnan(stock) & ~np.isnan(market)
    weight = np.where(there, weights[:, None], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = (weight * np.where(there, stock, 0.0)).sum(axis=0) / weight.sum(axis=0)
        others = (weight * np.where(there, market, 0.0)).sum(axis=0) / weight.sum(axis=0)
    fit = fitted(own[None, _ESTIMATION], others[None, _ESTIMATION])
    return fit, abnormal(fit, own[None, inside], others[None, inside])


def _together(around: Around, found: Abnormal, places: Ints) -> dict[str, Any]:
    """The tests over the CARs of many firms, and over their standardised CARs (t)."""
    from scipy.stats import binomtest

    n = len(places)
    car, scar = found.car[places], found.t[places]
    if not n:
        return {"n_negative": 0}
    negative = int((car < 0).sum())
    values: dict[str, Any] = {"caar": _number(car.mean())}
    if n >= 2:
        correlation = mean_correlation(around.fit.residuals[places])
        bmp = _over_its_error(scar)
        values |= {
            "t_cross": _number(_over_its_error(car)),
            "bmp": _number(bmp),
            "mean_correlation": _number(correlation),
            "kp": _number(bmp * _shrunk(correlation, n)),
        }
    return {**values, "n_negative": negative, "sign_p": _number(binomtest(negative, n).pvalue)}


def _over_its_error(values: Floats) -> float:
    spread = values.std(ddof=1)
    return float(values.mean() / (spread / np.sqrt(len(values)))) if spread > 0 else float("nan")


def _shrunk(correlation: float, n: int) -> float:
    """What is left of a test that takes n firms for independent (Kolari and Pynnönen 2010)."""
    left = (1 - correlation) / (1 + (n - 1) * correlation)
    return float(np.sqrt(left)) if left > 0 else float("nan")


def mean_correlation(residuals: Floats) -> float:
    """The mean over all pairs of rows of their correlation on the days that both have, where these are enough."""
    there = (~np.isnan(residuals)).astype(np.float64)
    values = np.where(there > 0, residuals, 0.0)
    total, pairs = 0.0, 0
    for start in range(0, len(values), _BLOCK):
        block = slice(start, start + _BLOCK)
        n = there[block] @ there.T
        x, y = values[block] @ there.T, there[block] @ values.T
        with np.errstate(divide="ignore", invalid="ignore"):
            both = values[block] @ values.T - x * y / n
            spread = ((values[block] ** 2) @ there.T - x**2 / n) * (there[block] @ (values**2).T - y**2 / n)
            correlation = both / np.sqrt(spread)
        later = np.arange(len(values))[None, :] > np.arange(start, start + len(n))[:, None]
        wanted = later & (n >= FEWEST_COMMON_DAYS) & np.isfinite(correlation)
        total += float(correlation[wanted].sum())
        pairs += int(wanted.sum())
    return total / pairs if pairs else float("nan")


def _number(value: float) -> float | None:
    return float(_rounded(np.array([value]))[0]) if np.isfinite(value) else None
