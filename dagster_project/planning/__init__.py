"""What a run has to do: what the sources hold now, what changed since the last release, which years to compute.

Works for every dataset of the registry and names none. Not here: the computing, and anything of Dagster.
"""
