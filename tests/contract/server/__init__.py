"""A server on loopback that speaks the live sources' contracts, generated from the sample.

`world` is what it serves, `app` how it answers, `faults` what can be made to go wrong, by script.
"""
