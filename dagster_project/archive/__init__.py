"""The raw archive: every payload that the pipeline reads, stored once, as received.

`payload` is what a source gives, `store` keeps its bytes and its entry, `lock` names the entries that one release was
built from. Not here: parsing.
"""
