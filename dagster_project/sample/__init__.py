"""The synthetic world that the sample is made of: economies, goods, flows, and what countries report of them.

It says nothing about the real world, and every file made from it is marked synthetic. What belongs here: the world,
and what a faultless pipeline must make of it (see `truth`). Not here: files in their publishers' shapes, which the
`sample` module of each dataset makes of it.
"""

from dagster_project.archive.payload import Provenance

PROVENANCE = Provenance(
    source="sample",
    publisher="Chokepoint (synthetic sample)",
    citation="Synthetic data made by the Chokepoint project; not statistics of any country",
    licence="Apache-2.0",
    synthetic=True,
)
