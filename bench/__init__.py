"""The benchmark; see README.md beside this file. Nothing of the pipeline imports it."""
