"""The completions for bash, zsh and fish, made from the option table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pastream_cli.args import COMPLETE
from pastream_cli.command.option import PAIRS, Kind, Option
from pastream_cli.command.options import OPTIONS

_MADE_BY = '# Made by "make generate"; do not edit.'
_ENDS_THE_LINE = ("list", "help", "man", "completions", "version")
"""Fields of options beside which all other options have no effect."""


def _names(option: Option) -> tuple[str, ...]:
    return (*option.names, *option.aliases)


def _takes_a_list(option: Option) -> bool:
    """Tell whether a comma in the value always separates two values. A device's name may contain one."""
    return option.kind in PAIRS and option.kind is not Kind.DEVICE


# ---- bash ----

_BASH = r"""{made_by}

# Readline takes = and : for ends of words, but here they are within words: what stands before the last of them is
# looked at, and left out of what is offered.
_pastream() {
    local line=${COMP_LINE:0:COMP_POINT} word last option='' value head=''
    last=${COMP_WORDS[COMP_CWORD]}
    [[ $last == [=:] ]] && last=''
    case $last in
    [\'\"]*) word=${last:1} last=$word ;;
    *) word=${line##*[[:space:]]} ;;
    esac
    case $word in
    --*=*) option=${word%%=*} value=${word#*=} ;;
    -[{letters}]?*) option=${word:0:2} value=${word:2} value=${value#=} ;;
    *)
        option=${line%"$word"} option=${option%[\'\"]} option=${option%"${option##*[![:space:]]}"}
        option=${option##*[[:space:]]} value=$word
        ;;
    esac
    _pastream_value "$1" "$option" || {
        case $word in
        -?* | -) COMPREPLY=($(compgen -W '{options}' -- "$word")) ;;
        *)
            [[ null == "$word"* ]] && compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- "$word"; echo null)
            ;;
        esac
        return
    }
    compopt +o default
    local before=${word%"$value"} offer
    before=${before#"${word%"$last"}"}
    [[ $option == @({devices}) ]] && compopt -o filenames
    [[ $option == @({lists}) && $value == *,* ]] && head=${value%,*},
    for offer in "${offers[@]}"; do
        offer=$head$offer
        [[ $offer == "$value"* ]] || continue
        offer=$before$offer
        [[ -z $before && $last != "$value" ]] && offer=${offer#"${value%"$last"}"}
        COMPREPLY+=("$offer")
    done
}

# Sets offers to what can follow an option of the program $1; false where $2 is none, or is a flag.
_pastream_value() {
    offers=()
    case $2 in
{cases}
    *) return 1 ;;
    esac
}

complete -o default -F _pastream pastream
"""


def bash() -> str:
    """Return the completion for bash."""
    letters = "".join(
        name[1] for option in OPTIONS for name in _names(option) if _has_offers(option) and len(name) == 2
    )
    values = {
        "made_by": _MADE_BY,
        "letters": letters,
        "options": " ".join(name for option in OPTIONS for name in option.names),
        "devices": "|".join(name for option in OPTIONS if option.asks == "devices" for name in _names(option)),
        "lists": "|".join(name for option in OPTIONS if _takes_a_list(option) for name in _names(option)),
        "cases": "\n".join(_bash_cases()),
    }
    return re.sub(r"\{([a-z_]+)\}(?!\})", lambda match: values.get(match[1], match[0]), _BASH)


def _has_offers(option: Option) -> bool:
    return bool(option.choices or option.asks)


def _bash_cases() -> Iterator[str]:
    for option in OPTIONS:
        if option.kind in (Kind.FLAG, Kind.OPTIONAL_LIMIT):
            continue
        action = ""
        if option.asks:
            action = f'mapfile -t offers < <("$1" {COMPLETE} {option.asks} "${{COMP_WORDS[@]:1}}" 2>/dev/null) '
        elif option.choices:
            action = f"offers=({' '.join(option.choices)}) "
        elif option.kind is Kind.OUTPUT:
            action = 'compopt -o filenames; mapfile -t offers < <(compgen -f -- "$value") '
        yield f"    {' | '.join(_names(option))}) {action};;"


# ---- zsh ----

_ZSH = r"""#compdef pastream
{made_by}

_pastream_ask() {
    local -a offers
    offers=(${(f)"$(_call_program $1 ${(q)words[1]} {complete} $1 "${(@q)words[2,-1]}" 2>/dev/null)"})
    [[ $1 == devices ]] || compset -P '*,'
    compadd -a offers
}

_pastream_word() {
    compset -P '@' && { _files; return }
    _alternative 'words:word:(null)' 'files:file:_files'
}

_pastream() {
    _arguments -s -S \
{specs}
        '1:INPUT:_pastream_word' \
        '2:OUTPUT:_pastream_word'
}

# compinit loads this file as the function, and a startup file may source it
if [[ $funcstack[1] == _pastream ]]; then
    _pastream "$@"
else
    compdef _pastream pastream
fi
"""


def zsh() -> str:
    """Return the completion for zsh."""
    values = {"made_by": _MADE_BY, "complete": COMPLETE, "specs": "\n".join(_zsh_specs())}
    return re.sub(r"\{([a-z_]+)\}", lambda match: values.get(match[1], match[0]), _ZSH)


def _zsh_specs() -> Iterator[str]:
    for option in OPTIONS:
        says = f"[{_zsh_escaped(option.help)}]"
        names = option.names
        if option.most > 1:
            others = "*"
        elif option.field in _ENDS_THE_LINE:
            others = "(- *)"
        else:
            others = f"({' '.join(names)})" if len(names) > 1 else ""
        for name in names:
            form = name if option.kind is Kind.FLAG else f"{name}=" if name.startswith("--") else f"{name}+"
            yield f"        '{others}{form}{says}{_zsh_value(option)}' \\"


def _zsh_value(option: Option) -> str:
    if option.kind is Kind.FLAG:
        return ""
    if option.asks:
        action = f" _pastream_ask {option.asks}"  # after a space _arguments adds no words of its own
    elif option.choices and _takes_a_list(option):
        action = f"_sequence -n 2 compadd - {' '.join(option.choices)}"
    elif option.choices:
        action = f"({' '.join(option.choices)})"
    else:
        action = "_files" if option.kind is Kind.OUTPUT else " "
    return f"{'::' if option.kind is Kind.OPTIONAL_LIMIT else ':'}{option.metavar}:{action}"


def _zsh_escaped(text: str) -> str:
    return re.sub(r"([\\\[\]:])", r"\\\1", text).replace("'", "'\\''")


# ---- fish ----


def fish() -> str:
    """Return the completion for fish."""
    lines = [_MADE_BY, "", "complete -c pastream -a null -d 'nothing to play, or nowhere to record'"]
    lines += [_fish_line(option) for option in OPTIONS]
    return "\n".join(lines) + "\n"


def _fish_line(option: Option) -> str:
    words = ["complete -c pastream"]
    words += [f"-s {name[1]}" if len(name) == 2 else f"-l {name[2:]}" for name in option.names]
    if option.kind not in (Kind.FLAG, Kind.OPTIONAL_LIMIT):
        words.append("-r -F" if option.kind is Kind.OUTPUT else "-x")
    if option.asks:
        ask = f"pastream {COMPLETE} {option.asks} (commandline -opc)[2..-1] 2>/dev/null"
        words.append(f"""-a '(__fish_complete_list , "{ask}")'""" if _takes_a_list(option) else f"-a '({ask})'")
    elif option.choices:
        words.append(f"""-a '(__fish_complete_list , "printf %s\\\\\\\\n {" ".join(option.choices)}")'""")
    says = option.help.replace("\\", "\\\\").replace("'", "\\'")
    return f"{' '.join(words)} -d '{says}'"
