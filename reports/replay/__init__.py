"""`python -m reports replay`: a failing case of a run is sent again, made smaller while it fails, and written down."""
