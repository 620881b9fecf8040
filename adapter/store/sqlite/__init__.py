"""One file: `store`, its `connections`, the `writelock` among processes, what the `planner` is told.

And a whole file at once: `backup`, `restore` (by `drafts`), `copying`; `soundness` is it damaged.
"""
