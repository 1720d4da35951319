"""The methodology and the glossary of a page: formulas with their sources, and the words that a reader meets.

The words are those of docs/glossary.md, which a test compares. Not here: formulas of single columns (see the data
dictionary).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dagster_project.brief.markup import folded, paragraph, table

CHAPTER = "Xu, “Global industrial chain restructuring and China's choice”, ANU Press 2022"
OURS = "our own choice"
# Measure, formula, how to read it, source.
FORMULAS = (
    (
        "Import concentration (HHI)",
        "H = Σᵢ sᵢ², sᵢ the share of supplier i in the importer's imports of the good",
        "1: a single supplier; 1/n: n equal ones",
        CHAPTER,
    ),
    (
        "Export centrality",
        "standard deviation over all countries of Cᵢ = 1/(n−1) · Σⱼ sᵢⱼ · dⱼ, sᵢⱼ the share of exporter i in importer "
        "j's imports of the good, dⱼ the number of j's suppliers, n all countries that trade it",
        "high: few exporters hold the good's buyers",
        "Korniyenko, Pinat and Dew, IMF WP/17/30",
    ),
    (
        "The four categories",
        "high: at or above the upper quartile; concentration among the importer's goods in scope, centrality among the "
        "world's, of the year",
        "doubly exposed: both are high",
        CHAPTER,
    ),
    (
        "Vulnerability index",
        "√(r_c · r_h), the two ranks as cumulative distributions in (0, 1]",
        "1: no good is more concentrated and none more central",
        OURS,
    ),
    (
        "Vulnerability of an industry",
        "V = Σₖ (Mₖ / M) · indexₖ over its goods k, Mₖ the imports of k, M all imports in scope",
        "large: much is imported, and of exposed goods",
        f"{OURS}; ranking after {CHAPTER}",
    ),
    (
        "Political distance",
        "distance of two states' ideal points; close, middle and distant by the terciles of all pairs",
        "how differently two states vote",
        "Bailey, Strezhnev and Voeten, Journal of Conflict Resolution 61 (2017), 430-456",
    ),
    (
        "Loss in a scenario",
        "L = cut · flows of the exporter; what others can deliver: spare capacity · their exports of the good, shared "
        "among all who lose in proportion",
        "what is at stake at first; no forecast",
        OURS,
    ),
    (
        "Export price",
        "chained Fisher index of unit values over cells of exporter, importer and good that are known in both years",
        "unit values are no price indices",
        "XMPI Manual (IMF); Silver, IMF WP/07/121",
    ),
    (
        "Learning rate",
        "1 − 2⁻ᵇ from ln P = a − b · ln Q, Q the quantity ever exported",
        "the fall of the price with every doubling",
        "Wright 1936; Ziegler and Trancik, Energy & Environmental Science 14 (2021)",
    ),
    (
        "Core patent",
        "a PCT publication with a citation within five years and in the top tenth of its field and filing year",
        "few filings matter to those that follow",
        CHAPTER,
    ),
)
GLOSSARY = {
    "approval share": "Granted requests over decided requests, granted and denied. It counts requests, not goods or "
    "value.",
    "export centrality": "How much a few exporters dominate the network of a good's buyers. The higher it is, the more "
    "one exporter can shake the market.",
    "effective suppliers": "1 / HHI: the number of equal suppliers that would give the same concentration.",
    "HHI": "Herfindahl-Hirschman index: the sum of squared shares. 1 means a single supplier, 1/n means n equal ones.",
    "HS2": "The first two digits of an HS code, its chapter. The marts treat a chapter as an industry.",
    "HS6": "A six-digit HS code, the finest that all countries share. In this project “a good” means an HS6.",
    "ideal point": "A country's place on one line, estimated from its votes in the UN General Assembly. Two countries' "
    "distance on it says how differently they vote.",
    "in scope": "Said of a good that counts as intermediate under `CHOKEPOINT_PRODUCT_SCOPE`. Thresholds and ranks are "
    "taken among these goods; the others stay in the marts.",
    "intermediate good": "A good that is used to make other goods, by its BEC category.",
    "involution": "Selling more of a good at lower prices, year after year. Here it is unit values and quantities, and "
    "says nothing about profit.",
    "learning rate": "How much the price falls with every doubling of the quantity ever made.",
    "mirror flow": "A flow filled from the exporter's report because the importer reported nothing usable that year. "
    "It is marked `is_mirror`.",
    "PageRank": "A country's rank in a network: high where highly ranked countries trade with it. The ranks of a "
    "network sum to 1.",
    "release": "One complete, verified set of marts with manifest, lock and brief. It never changes after it is "
    "published.",
    "unit value": "A value over a quantity. It moves with the mix of what is traded, and is no price index.",
}


def shown(manifest: Mapping[str, Any]) -> str:
    """How the numbers are made, and the glossary, both folded on a screen."""
    formulas = table(
        "Formulas and sources",
        [
            {"Measure": name, "Formula": formula, "Reading": reading, "Source": source}
            for name, formula, reading, source in FORMULAS
        ],
    )
    return (
        paragraph(
            "Values are USD as the importer reports them, with freight and insurance; where it reported nothing, what "
            "its partners report. Trade shows what crosses a border: what a country makes for itself is not in it. "
            f"Settings: scope {_setting(manifest, 'product_scope')}, HS revision {_setting(manifest, 'hs_revision')}, "
            f"cut of a first shock {_setting(manifest, 'shock_cut')}, spare capacity "
            f"{_setting(manifest, 'spare_capacity')}."
        )
        + folded("Formulas with their sources", formulas)
        + folded("Glossary", _terms(sorted(GLOSSARY.items(), key=lambda pair: pair[0].lower())))
    )


def _setting(manifest: Mapping[str, Any], name: str) -> str:
    return str(manifest["settings"].get(name, "not stated"))


def _terms(terms: Sequence[tuple[str, str]]) -> str:
    return (
        '<dl class="terms">'
        + "".join(f"<dt>{escape(term)}</dt><dd>{escape(text.replace('`', ''))}</dd>" for term, text in terms)
        + "</dl>"
    )
