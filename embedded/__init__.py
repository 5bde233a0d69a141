"""A small platform for asynchronous inference on loopback: the reference system under test and host of the mutants."""
