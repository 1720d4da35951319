"""Where payloads come from: one module per data source, none of which knows Dagster, dbt or Great Expectations.

A source yields `Payload`s (bytes as received and where they came from). It neither parses meaning into them nor
stores them: `archive` stores, `landing` parses.
"""
