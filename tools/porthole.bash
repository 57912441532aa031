# bash completion for porthole(1)
# shellcheck shell=bash

# The options of each command; tests/clients/test_command.sh holds them against `porthole help`.
declare -gA _porthole_options=(
    [run]="--listen --heap-sample --start --log --token-file --help"
    [ps]="--all --json --help"
    [heap]="--top --metric --by --pid --seconds --gc --token-file --help"
    [threads]="--group --name --waiting --by --pid --json --color --token-file --help"
    [cpu]="--seconds --hz --wall --by --top --pid --flame --output --token-file --help"
    [diff]="--metric --by --focus --ignore --hide --top --min --limit --fdr --strict --color --binary --debug-dir
        --token-file --format --output --fail-on --help"
    [record]="--every --count --for --output --gc --patience --token-file --help"
    [watch]="--every --count --gc --patience --metric --by --focus --ignore --hide --top --min --limit --fdr --strict
        --color --binary --debug-dir --token-file --help"
    [convert]="--output --format --metric --binary --debug-dir --token-file --help"
    [help]="--help"
)

# Where the program of `porthole run` stands among the words, or nowhere.
_porthole_program_at() {
    local i
    for ((i = 2; i <= COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --) echo $((i + 1)) && return ;;
        --help | -[!-]* | -) ;;
        --*)
            # "--listen A" is two words, "--listen=A" is three: bash splits at "=".
            [[ ${COMP_WORDS[i + 1]-} == "=" ]] && ((i++))
            ((i++))
            ;;
        *) echo "$i" && return ;;
        esac
    done
    return 1
}

_porthole_words() {
    local word
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen -W "$1" -- "$2")
}

_porthole_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -f -- "$1")
}

_porthole_folders() {
    local folder
    compopt -o filenames 2>/dev/null
    while IFS= read -r folder; do
        COMPREPLY+=("$folder")
    done < <(compgen -d -- "$1")
}

_porthole_pids() {
    _porthole_words "$(sed -n 's|.*@porthole/\([0-9]*\)$|\1|p' /proc/net/unix 2>/dev/null | sort -u)" "$1"
}

# The names of those that are not workers of another, as `porthole ps` has them.
_porthole_names() {
    local pid name parent
    for pid in $(sed -n 's|.*@porthole/\([0-9]*\)$|\1|p' /proc/net/unix 2>/dev/null | sort -u); do
        name=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
        parent=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null)
        [[ $(cat "/proc/$parent/comm" 2>/dev/null) == "$name" ]] || printf '%s\n' "${name// /\\ }"
    done | sort -u
}

# The value of option $1, as far as it is typed in $2. Fails if the option takes none.
_porthole_value() {
    case $1 in
    --start) _porthole_words "server now manual off" "$2" ;;
    --log) _porthole_words "start quiet" "$2" ;;
    --metric) _porthole_words "inuse_space inuse_objects alloc_space alloc_objects" "$2" ;;
    --heap-sample) _porthole_words "64KiB 128KiB 256KiB 512KiB 1MiB 2MiB off" "$2" ;;
    --by)
        case ${COMP_WORDS[1]} in
        heap) _porthole_words "function pid" "$2" ;;
        threads) _porthole_words "thread pid" "$2" ;;
        cpu) _porthole_words "function line module thread pid" "$2" ;;
        *) _porthole_words "function line address module pid" "$2" ;;
        esac
        ;;
    --color) _porthole_words "auto always never" "$2" ;;
    --fail-on) _porthole_words "growing step never" "$2" ;;
    --format)
        if [[ ${COMP_WORDS[1]} == diff ]]; then
            _porthole_words "text json html pprof folded" "$2"
        else
            _porthole_words "pprof folded svg" "$2"
        fi
        ;;
    --every | --for | --patience | --waiting) _porthole_words "10s 30s 1m 10m 1h" "$2" ;;
    --output | -o)
        if [[ ${COMP_WORDS[1]} == record ]]; then
            _porthole_folders "$2"
        else
            _porthole_files "$2"
        fi
        ;;
    --token-file | --binary | --flame) _porthole_files "$2" ;;
    --debug-dir) _porthole_folders "$2" ;;
    --focus | --ignore | --hide | --min | --limit | --fdr) ;;
    --pid) _porthole_pids "$2" ;;
    --listen | --top | --seconds | --count | --hz | --name) ;;
    *) return 1 ;;
    esac
}

_porthole_program() {
    local word
    if ((COMP_CWORD > $1)) && declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD > $1)); then
        _porthole_files "$2"
    else
        while IFS= read -r word; do
            COMPREPLY+=("$word")
        done < <(compgen -c -- "$2" | sort -u)
        [[ $2 != */* ]] || _porthole_files "$2"
    fi
}

_porthole() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} program
    COMPREPLY=()
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        _porthole_words "${!_porthole_options[*]} --help --version" "$cur"
    elif [[ $command == run ]] && program=$(_porthole_program_at) && ((program <= COMP_CWORD)); then
        _porthole_program "$program" "$cur"
    elif _porthole_value "$prev" "$cur"; then
        return
    elif [[ $cur == -* ]]; then
        _porthole_words "${_porthole_options[$command]-}" "$cur"
    elif [[ $command =~ ^(heap|threads|cpu|diff|record|watch|convert)$ ]]; then
        _porthole_pids "$cur"
        _porthole_words "$(_porthole_names)" "$cur"
        [[ $command =~ ^(threads|record|watch)$ ]] || _porthole_files "$cur"
    elif [[ $command == help ]]; then
        _porthole_words "${!_porthole_options[*]} env" "$cur"
    fi
}

complete -F _porthole porthole
