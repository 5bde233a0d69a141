"""Names of fields, headers, variables and options whose values are secrets: the one list of them."""

import re
from functools import lru_cache

LONGEST_NAME = 128

# Each of these in a name, with whatever stands around it, makes its value a secret.
STEMS = (
    "passw", "passphrase", "passcode", "secret", "token", "credential", "authoriz", "cookie", "signature", "jaas",
    "apikey", "accesskey", "accountkey", "privatekey", "secretkey", "signingkey", "encryptionkey", "sharedkey",
    "masterkey", "keydata", "keypem", "keystorekey", "tlskey", "userkey", "sslkey", "clientkey", "connectionstring",
    "sharedaccess",
)  # fmt: skip
# Each of these makes a secret as a whole word of a name only.
WORDS = frozenset({"pwd", "pass", "pw", "passwd", "jwt", "sas", "pin", "otp", "bearer", "sessionid"})
# And these as the last word.
LAST_WORDS = frozenset({"auth", "sig", "psk"})
# Names of Kubernetes and of protocols that sound secret: what they hold are names, numbers, paths or switches.
PLAIN_NAMES = frozenset(
    {
        "apikeyname", "authorizationmode", "authsecretrefname", "automountserviceaccounttoken", "cookiename",
        "existingsecret", "imagepullsecrets", "keystorelocation", "keystoretype", "maxtokens",
        "sasllogincallbackhandlerclass", "saslloginconnecttimeoutms", "saslmechanism", "saslmechanisms",
        "sasloauthbearertokenendpointurl", "saslusername", "secretkeyref", "secretname", "secretnamespace",
        "secretref", "secrettype", "serviceaccounttoken", "tokencount", "tokenendpointurl",
        "tokenexpirationseconds", "tokenreview", "tokentype", "tokenurl", "truststorelocation",
        "truststoretype",
    }
)  # fmt: skip
_NUMBERS_PLAIN = "tokens"
"""The end of names that mostly count: a number under `prompt_tokens` is no secret, a text is."""

SOUND = re.compile(
    r"passw|passphrase|passcode|passwd|secret|token|credential|authoriz|cookie|signature|jaas|key|pwd|\bpass\b|pass[_-]"
    r"|[_-]pass|jwt|\bsas\b|\bpin\b|\botp\b|bearer|sessionid|auth|\bsig\b|psk|sharedaccess|connection[-_.]?string|\bpw\b",
    re.IGNORECASE,
)
"""A part of every secret name, and of many others: where to look closer in a text."""
SOUND_HINTS = (
    "pass", "secret", "token", "credential", "auth", "cookie", "signature", "jaas", "key", "pwd", "jwt", "sas", "pin",
    "otp", "bearer", "sessionid", "sig", "psk", "sharedaccess", "connection", "pw",
)  # fmt: skip
"""A part of everything that `SOUND` finds; most texts have none of them."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field, header, variable or option of this name holds a secret."""
    name = name[-LONGEST_NAME:]
    words = [word.lower() for word in _WORD.findall(name)]
    whole = "".join(words)
    if whole in PLAIN_NAMES:
        return False
    if any(stem in whole for stem in STEMS) or not WORDS.isdisjoint(words):
        return True
    # `tls.key` and `_auth` are secrets, `auth` within `oauth.scope` and `key` of a record are not.
    return bool(words) and (words[-1] in LAST_WORDS or (words[-1] == "key" and name.lower().endswith(".key")))


def is_secret(name: str, value: object) -> bool:
    """Whether a value under this name is a secret; switches, nothing and counts never are."""
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return False
    text = str(value).strip()
    if name.upper() in ("PWD", "OLDPWD") and text.startswith("/"):
        return False  # the shell's folder
    return not (name.lower().endswith(_NUMBERS_PLAIN) and text.isdigit())
