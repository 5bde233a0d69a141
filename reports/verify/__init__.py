"""What a lab runs on a run that somebody handed in: published rules, each kept, broken, undecidable or not judged."""
