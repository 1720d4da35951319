"""Estimations that SQL cannot do: pure functions from a table of observations to a table of results.

They know nothing of dbt, which calls them from its Python models, and nothing of Dagster.
"""
