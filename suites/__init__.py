"""The requirements and their tests: the catalogue, and one folder of tests for each area."""
