"""Controllers: one level-triggered reconciler for each kind, working on the store in-process.

A reconciler reads the desired state, establishes it, and writes the observed state to `status`. It runs again whenever
something that it depends on changed, and after a failure with back-off.
"""
