"""Where expected values come from: sources that know nothing of the system under test, nor of `images/`."""
