"""Which network addresses are public: messages go to no other ones unless the operator allows it.

Who can choose where a message goes could otherwise reach what only this machine or its network can:
a cloud's metadata, a database, a router.
"""

from __future__ import annotations

import ipaddress

ALLOWING = "set private_addresses = true in the settings of the service to allow it"
"""What an operator does who wants such an address."""

_TUNNELS = ipaddress.IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Return whether an IP address can be reached, and means the same, from everywhere.

    Addresses of IPv6 that stand for one of IPv4 (mapped, translated, 6to4) are not public.

    Parameters
    ----------
    address
        The address, with or without a zone; anything else is not public.

    Examples
    --------
    >>> is_public("8.8.8.8"), is_public("2001:4860:4860::8888")
    (True, True)
    >>> [is_public(one) for one in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:8.8.8.8")]
    [False, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.is_multicast or found.is_reserved or not found.is_global:
        return False
    return isinstance(found, ipaddress.IPv4Address) or not (
        found.is_site_local or found in _TUNNELS
    )
