"""Chokepoint: public trade, tariff and patent data made into marts of supply vulnerability.

One direction: source -> archive -> landing -> dbt staging -> intermediate -> marts -> release -> reader.
Importing this package imports none of its parts: `sources`, `archive`, `landing` and `publish` must stay
usable without Dagster, dbt or Great Expectations.
"""
