"""Market returns around events. `dataset` declares them; all else here is particular to them. Not here: dbt models."""
