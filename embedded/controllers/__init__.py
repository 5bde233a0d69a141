"""What the objects mean: one level-triggered reconciler a kind, working on the store in-process.

A reconciler reads what is wanted, makes it so, and writes down in `status` what is. It is asked again whenever
something changed that it depends on, and after a failure with back-off.
"""
