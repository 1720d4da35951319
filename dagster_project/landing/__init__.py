"""From archived bytes to typed Parquet: one table per kind, and a quarantine for every row that could not be read.

Landing reads only the archive. It types, checks shapes and applies the named rules. Rows read = rows landed + rows set
aside by a named rule + rows quarantined, on every load. Not here: measures, which dbt computes.
"""
