"""Which network addresses a message may go to: a URL from a settings file must not open what is inside.

Names are resolved once, here; the connection is made to an address that was checked, so a name that changes its mind
between check and connection (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from modelops_jupyter.errors import DeliveryFailed

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits


def checked_addresses(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """Return the addresses of `host`, in the resolver's order.

    Parameters
    ----------
    allow_private
        Accept this machine and private networks; link-local addresses, where clouds keep credentials, never are.

    Raises
    ------
    DeliveryFailed
        If the name is unknown, or one of its addresses is not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed(f"{host!r} has no address ({error}): mend the target's url.") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_allowed(address, allow_private):
            raise DeliveryFailed(
                f"{host!r} leads to {address}, which is not public: set allow_private = true in its [notify.NAME] if "
                "that is meant."
            )
    return addresses


def is_allowed(text: str, allow_private: bool) -> bool:
    """Tell whether a message may go to an address; never to a name, whose address is not known yet."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_one_allowed(part, allow_private) for part in (address, *_embedded(address)))


def _one_allowed(address: IPv4Address | IPv6Address, allow_private: bool) -> bool:
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if isinstance(address, IPv4Address) and address.is_reserved:
        return False
    return allow_private or address.is_global


def _embedded(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return ()
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    teredo = address.teredo or ()
    return tuple(part for part in (address.ipv4_mapped, address.sixtofour, nat64, *teredo) if part is not None)
