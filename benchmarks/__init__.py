"""Benchmarks: figures measured on this machine, with their ratio to a peer in the same run. No test asserts them."""
