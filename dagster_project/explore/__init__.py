"""The explorer: a read-only web application over published releases, for questions that a page cannot foresee.

`reader` follows the current release and asks it, `choice` reads what an address says, `content` is what a page is made
of, `pages` has a module per page, `app` answers requests, `server` listens. Not here: the warehouse, Dagster, dbt and
Great Expectations; nothing is written, and nothing is fetched from another machine.
"""
