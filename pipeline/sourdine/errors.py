"""Every way the application stops. Texts name keys, paths, numbers and reasons, never sound.

One input that cannot be heard does not stop anything: that is the core's `BlockError`, counted in the `Ledger`.
"""


class SourdineError(Exception):
    """Anything that stops a run; shown in one line."""

    exit_code = 5


class ConfigError(SourdineError):
    """A command or setting that contradicts itself or names something that is not there."""

    exit_code = 2


class PolicyError(ConfigError):
    """A policy that is unreadable, incomplete, out of range, over its own bound or no longer valid."""

    exit_code = 3


class BrokerError(SourdineError):
    """The Kafka broker, or a database, does not do what it is asked.

    Parameters
    ----------
    reason : str
        One word for it.
    text : str
        What is wrong and what to do about it.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class TransportError(BrokerError):
    """It cannot be reached: later it may."""

    exit_code = 6


class AccessError(BrokerError):
    """It, or what is there, is not as it must be: password, certificate, right, topic, table."""

    exit_code = 7


class OutputError(SourdineError):
    """The records cannot be written down: folder not writable, disk full."""

    exit_code = 4


def words_of(text: str, reason: str) -> str:
    """Return what the core says of sound or a file that it refuses, without its reason code.

    Parameters
    ----------
    text : str
        Of a `BlockError`.
    reason : str
        Its code.

    Returns
    -------
    str
        What was expected and what came, on one line; ids, sizes and names only.
    """
    return printable(text).removeprefix(f"{reason}: ")


def printable(text: str) -> str:
    """Return a text on one line and without terminal controls.

    Parameters
    ----------
    text : str
        For instance a file's name, which may hold anything.

    Returns
    -------
    str
        With a question mark for each sign that cannot be shown.
    """
    return "".join(sign if sign.isprintable() else "?" for sign in text)
