"""What more than one room of the suite needs: redaction of secrets, and files that only their owner may read.

The lowest room: it imports nothing of ours.
"""
