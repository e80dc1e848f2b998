"""``forepass completion``: a script by which a shell completes commands, options and names."""

import argparse
from collections.abc import Iterator

from forepass.commands.arguments import Command
from forepass.settings import Settings

WORDS = "a script that completes commands and names in a shell"
EXAMPLE = """\
example: from now on, in every bash (a zsh first needs: autoload bashcompinit; bashcompinit)
  forepass completion bash > ~/.forepass-completion
  echo 'source ~/.forepass-completion' >> ~/.bashrc
"""
SCRIPT = """\
_forepass() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" path words
    path="${{COMP_WORDS[1]}}"
    compopt +o nospace 2> /dev/null
    case "$before" in
        --set)
            COMPREPLY=($(compgen -S = -W "{names}" -- "$word"))
            compopt -o nospace 2> /dev/null
            return ;;
        --scenario) COMPREPLY=($(compgen -W "{scenarios}" -- "$word")); return ;;
        --block) COMPREPLY=($(compgen -W "{blocks}" -- "$word")); return ;;
    esac
    (( COMP_CWORD > 2 )) && case "$path" in {with_actions}) path="$path ${{COMP_WORDS[2]}}" ;; esac
    (( COMP_CWORD == 1 )) && path=""
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _forepass forepass"""


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Print the script, with the names of today's priors and scenarios in it."""
    from forepass.cli import build_parser
    from forepass.inputs.priors import BLOCKS, load_all
    from forepass.what_if.intervention_names import names
    from forepass.what_if.scenarios import scenario_names

    scenarios = " ".join(scenario_names(settings.priors))
    words = dict(_words(build_parser(), ""))
    for action in ("show", "run", "compare"):
        words[f"scenario {action}"] += f" {scenarios}"
    first = {path.split()[0] for path in words if " " in path}
    print(
        SCRIPT.format(
            names=" ".join(names(load_all(settings.priors))),
            scenarios=scenarios,
            blocks=" ".join(BLOCKS),
            with_actions="|".join(sorted(first)),
            cases="\n".join(
                f'        "{path}") words="{known}" ;;' for path, known in words.items()
            ),
        )
    )
    return 0


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, str]]:
    """Yield what may follow a command, and its actions, by its words: actions or long options."""
    options = [name for one in parser._actions for name in one.option_strings if name[:2] == "--"]
    for one in parser._actions:
        if isinstance(one, argparse._SubParsersAction):
            options = list(one.choices)
            for name, below in one.choices.items():
                yield from _words(below, f"{path} {name}".strip())
    yield path, " ".join(options)


def _add_shell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash"], help="the shell that the script is for")


COMMAND = Command("completion", WORDS, EXAMPLE, run, _add_shell)
