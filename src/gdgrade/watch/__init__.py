"""`gdgrade check --watch`: judge again on every save, and only what the save can have changed.

`board` knows what is decided and what is out of date; `session` decides what to do next; both know nothing of
processes, files and terminals. `judging`, `files`, `keyboard` and `screen` are the rim, and `loop` ties them together.
"""
