"""Comparisons of runs: requirement by requirement and case by case, both judged by today's checks."""
