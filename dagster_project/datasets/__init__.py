"""The datasets, one package each; `registry.py` lists them, `declaration.py` says what a dataset declares.

A package holds all that is particular to its dataset: which files and services it comes from, how they become landing
tables, which checks hold them, and its part of the sample. No package imports another one, Dagster, dbt or Great
Expectations; nothing outside of `datasets/` and the settings names a dataset. Not here: what is done with a declaration
(see `planning`).
"""
