"""Inter-country input-output tables. `dataset` declares them; all else here is particular to them. Not: dbt models."""
