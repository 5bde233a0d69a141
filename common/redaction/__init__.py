"""The one redactor: it takes secrets out of whatever is shown, and makes the rest fit for showing.

names      which names say that their value is a secret
kinds      what secrets look like by themselves: tokens, keys, URLs with a password
assigned   values that a secret name is given: `password=...`, YAML, JSON, arguments, headers
encoded    secrets in Base64 or percent-encoding
spans      all of these over one text: where the secrets are
redactor   texts and objects without them, shortened after they were found
showing    printable, bounded, on one line

Everything is pure. A text is read once for each kind, so the time is linear in its size.
"""

from common.redaction.names import is_secret_name
from common.redaction.redactor import MARGIN, PLAIN, REDACTED, Redactor
from common.redaction.showing import bounded, printable

__all__ = ["MARGIN", "PLAIN", "REDACTED", "Redactor", "bounded", "is_secret_name", "printable"]
