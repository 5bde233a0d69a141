"""A Kubernetes API on loopback: kinds, an object store in memory, and an HTTP server that real clients talk to.

Read in this order: `resources` (which kinds), `store` (the objects and how they change), `server` (the HTTP face).
The rest hangs on these: `schemas` and `validation` (what an object may hold), `patch` and `fields` (how a change is
merged and who owns what), `table`, `discovery`, `openapi` (what kubectl asks for), `watching`, `proxy`, `protobuf`.

Not here: what the objects mean. Controllers work on the same `Store` in-process and decide that.
"""
