"""WHAT comes out: the report model and its schema, and everything that is rendered from it."""
