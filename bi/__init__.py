"""BI tools over a published release: the Superset dashboard, declared (`dashboard`) and written (`superset_bundle`).

Not here: Dagster, and anything that a run needs.
"""
