"""Where payloads come from: one module per data source, none of which knows Dagster, dbt or Great Expectations.

A source yields payloads: bytes as received, and where they came from. Not here: storing them (see `archive`) and
parsing them (see `landing`).
"""
