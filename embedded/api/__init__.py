"""A Kubernetes API on loopback: kinds, an object store in memory, and an HTTP server that real clients talk to.

Read in this order: `resources*` and `kinds` (which kinds), `store` (the objects and how they change), `server` (the
HTTP face). The rest hangs on these. On the store: `owners`, `watching`, `fields` (who owns which field), `schemas*`,
`names` and `validation*` (what an object may hold). On the server: `requests`, `selectors`, `verbs`, `patch`,
`streams` and `proxy` (what a request does), `table`, `discovery`, `openapi` and `protobuf` (what kubectl needs).

Not here: what the objects mean. Controllers work on the same `Store` in-process and decide that.
"""
