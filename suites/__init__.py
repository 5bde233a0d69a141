"""WHAT is asked: the catalogue and one folder of tests an area."""
