"""``modelport completion``: the script that a shell needs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    Add it to the shell's start-up file: eval "$(modelport completion bash)" in ~/.bashrc, the same with zsh in
    ~/.zshrc; for fish write it to ~/.config/fish/completions/modelport.fish.
    """
    from modelport.cli._root import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell!r}: there is {', '.join(_SHELLS)}")
    template = kind(cli, {}, "modelport", "_MODELPORT_COMPLETE")
    # Not `source()`: for bash it starts the machine's bash to ask for its version.
    click.echo(template.source_template % template.source_vars())
