"""Many runs side by side: since when a requirement fails, and how each stage's latency moved."""
