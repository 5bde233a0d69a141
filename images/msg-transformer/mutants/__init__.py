"""Transformers that are wrong on purpose, one deviation each: `python -m mutants.<name> --model_name mnist`.

All are built on `conforming`, so that nothing but the one deviation shows. `python -m model`, KServe as it was
released, is the mutant `kserve-as-released` without a line of ours.
"""
