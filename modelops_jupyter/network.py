"""Addresses to listen on: who reaches them."""

from __future__ import annotations

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address; a name that this machine cannot resolve counts as no."""
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(addresses) and all(ipaddress.ip_address(text.partition("%")[0]).is_loopback for text in addresses)


def url_host(host: str) -> str:
    """Return how an address to listen on is written in a URL for this machine.

    >>> url_host("0.0.0.0"), url_host("::1")
    ('127.0.0.1', '[::1]')
    """
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{name}]" if ":" in name else name
