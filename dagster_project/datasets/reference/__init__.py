"""Countries, goods, HS conversions. `dataset` declares them; all else serves them. Not here: their dbt models."""
