"""The raw archive: every payload the pipeline ever reads, stored once as received.

`store` holds bytes and manifest, `lock` names the entries that one release was built from. Nothing here parses.
"""
