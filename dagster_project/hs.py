"""The editions of the Harmonized System, and two codes that all layers must read alike.

What belongs here: how publishers spell the editions (H5, 2017, 17, hs17). Not here: which edition a run converts to
(a setting), and the codes of an edition (reference data).
"""

from __future__ import annotations

# Comtrade's name of an edition -> the year from which it is in force.
YEAR_OF_REVISION = {"H0": 1992, "H1": 1996, "H2": 2002, "H3": 2007, "H4": 2012, "H5": 2017, "H6": 2022}
REVISIONS = tuple(YEAR_OF_REVISION)

# The other spellings -> Comtrade's name.
REVISION_OF_YEAR = {str(year): revision for revision, year in YEAR_OF_REVISION.items()}
REVISION_OF_TWO_DIGITS = {year[2:]: revision for year, revision in REVISION_OF_YEAR.items()}  # BACI's HS17

# Comtrade's "Other Asia, nes", which is Taiwan. One of Comtrade's lists calls it a group; here it is a country.
TAIWAN = 490
# Goods that are not specified by kind: no HS code, and the same in every edition.
UNSPECIFIED_GOODS = "999999"
