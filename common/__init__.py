"""What more than one room of the suite needs, each in one place: small things without an opinion.

    changes    what differs from a commit, and which modules import what
    errors     what a command line is told when it asks for something that does not exist
    files      files that only their owner may read, and files that are there whole or not at all
    jsontext   JSON of others, read with a bound on its depth
    jsontypes  the type of a JSON object
    names      the known names that a mistyped one looks like
    redaction  texts and values without secrets

The lowest room: it imports nothing of ours.
"""
