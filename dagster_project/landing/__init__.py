"""From archived bytes to typed Parquet: one table per kind, and a quarantine for every row that could not be read.

Landing reads only the archive. It types, checks shapes and applies the named rules; it computes no measure. Rows
read = rows landed + rows set aside by a named rule + rows quarantined, on every load.
"""
