"""Predictors that are wrong on purpose, one deviation each: `python -m mutants.<name> --model_name mnist`."""
