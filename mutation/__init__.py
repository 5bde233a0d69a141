"""HOW GOOD the suite is: random faults in the system under test, and the share of them that the suite notices."""
