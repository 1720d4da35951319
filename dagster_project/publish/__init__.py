"""Releases: what readers see. A release is built aside, verified, and made current in one atomic step.

`release` writes them, `read` is for readers; `content`, `files` and `manifest` serve both. Not here: how the marts are
computed (dbt), whether they are plausible (see `checks`), or when to publish (see `assets`).
"""
