"""Input-output tables. `dataset` declares them; all else here is particular to them. Not here: their dbt models."""
