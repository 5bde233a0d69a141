"""The sources of expected values; they know neither the system under test nor `images/`."""
