"""Trade in goods. `dataset` declares it; all else here is particular to it. Not here: its dbt models."""
