"""Names and passwords. Beltway ignores them: users and groups of the machine decide about access."""

from __future__ import annotations


class PlainCredentials:
    """A name and a password, which are ignored with one warning."""

    TYPE = "PLAIN"

    def __init__(self, username: str, password: str, erase_on_connect: bool = False) -> None:
        self.username = username
        self.password = password
        self.erase_on_connect = erase_on_connect

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PlainCredentials):
            return NotImplemented
        return (self.username, self.password) == (other.username, other.password)

    def __hash__(self) -> int:
        return hash((self.username, self.password))


class ExternalCredentials:
    """Credentials of another layer, which are ignored with one warning."""

    TYPE = "EXTERNAL"
    erase_on_connect = False
