"""Signs a run: an in-toto Statement of its result, in a DSSE envelope beside it."""
