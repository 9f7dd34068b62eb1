"""`sourdine policy`: what may leave, in words and in bits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sourdine.cli.arguments import add_manners
from sourdine.cli.terminal import EXIT_OK, say

if TYPE_CHECKING:
    import argparse

    from sourdine.policy import LoadedPolicy


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    policy = commands.add_parser("policy", help="what may leave, in words and in bits")
    actions = policy.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in (("show", "in words and in bits"), ("check", "exit 3 if it does not stand")):
        parser = actions.add_parser(action, help=what, description=f"A policy, {what}.")
        parser.add_argument("policy", metavar="NAME|FILE", help="street, strict, noise, or a TOML file")
        add_manners(parser)
    policy.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Do it.

    Parameters
    ----------
    parsed : argparse.Namespace
        What was typed.

    Returns
    -------
    int
        The exit code.
    """
    policy = load_policy(parsed.policy)
    if parsed.json:
        from sourdine.policy import policy_json

        say(policy_json(policy).decode())
    elif parsed.quiet:
        pass
    elif parsed.action == "check":
        say(f"{policy.core.name}: stands, at most {policy.capacity.bit_per_s:.3f} bit/s a sensor\n")
    else:
        from sourdine.local.view import policy_text

        say(policy_text(policy))
    return EXIT_OK


def load_policy(name_or_path: str) -> LoadedPolicy:
    """Read a policy and hold it against today.

    Parameters
    ----------
    name_or_path : str
        Name of a shipped policy, or path of a TOML file.

    Returns
    -------
    LoadedPolicy
        A policy that stands.

    Raises
    ------
    PolicyError
        If it does not.
    """
    from sourdine.policy import load

    return load(name_or_path, today=datetime.now(UTC).date())
