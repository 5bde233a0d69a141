"""Servers that are wrong on purpose, one deviation each: `python -m mutants.<name> --model_name echo`.

All are built on `conforming`, so that nothing but the one deviation shows. `python -m echo`, KServe's SDK as it was
released, is the mutant `oip-as-released` without a line of ours.
"""
