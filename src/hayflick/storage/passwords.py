"""How passwords are kept: as scrypt's hash with a salt of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

from hayflick.core.errors import ArgumentError

SHORTEST, LONGEST = 10, 1000
"""Characters of a password."""

_LOG_ROUNDS, _BLOCK, _LANES = 15, 8, 3
_BYTES = 32


def hash_password(password: str) -> str:
    """Return the hash of a password, with its salt and costs; takes about a quarter of a second.

    Raises
    ------
    ArgumentError
        If it is too short, too long, or no text that can be typed.

    Examples
    --------
    >>> kept = hash_password("a long password")
    >>> verify_password("a long password", kept), verify_password("another one", kept)
    (True, False)
    """
    takes = f"{SHORTEST} to {LONGEST} characters"
    if not SHORTEST <= len(password) <= LONGEST:
        raise ArgumentError("password", got=f"{len(password)} characters", takes=takes)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in password):
        raise ArgumentError("password", got="a control character", takes=takes)
    salt = secrets.token_bytes(16)
    found = _scrypt(password, salt, _LOG_ROUNDS, _BLOCK, _LANES)
    parts = [base64.b64encode(one).decode() for one in (salt, found)]
    return "$".join(["scrypt", str(_LOG_ROUNDS), str(_BLOCK), str(_LANES), *parts])


def verify_password(password: str, kept: str | None) -> bool:
    """Return whether a password is the one whose hash was kept.

    With None it takes the same time, and is wrong: nobody learns which names there are.
    """
    kind, rounds, block, lanes, salt, known = (kept or _NOBODY).split("$")
    if kind != "scrypt" or len(password) > LONGEST:
        return False
    costs = int(rounds), int(block), int(lanes)
    found = _scrypt(password, base64.b64decode(salt), *costs)
    return hmac.compare_digest(found, base64.b64decode(known)) and kept is not None


def _scrypt(password: str, salt: bytes, rounds: int, block: int, lanes: int) -> bytes:
    # What two keyboards write in two ways is one password.
    typed = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    memory = 128 * block * ((1 << rounds) + lanes + 4)
    return hashlib.scrypt(
        typed, salt=salt, n=1 << rounds, r=block, p=lanes, maxmem=2 * memory, dklen=_BYTES
    )


_NOBODY = f"scrypt${_LOG_ROUNDS}${_BLOCK}${_LANES}$AAAAAAAAAAAAAAAAAAAAAA==${'A' * 43}="
