# Made by "make generate"; do not edit.

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
    -[teDrf]?*) option=${word:0:2} value=${word:2} value=${value#=} ;;
    *)
        option=${line%"$word"} option=${option%[\'\"]} option=${option%"${option##*[![:space:]]}"}
        option=${option##*[[:space:]]} value=$word
        ;;
    esac
    _pastream_value "$1" "$option" || {
        case $word in
        -?* | -) COMPREPLY=($(compgen -W '-d --duration -o --offset -p --pad --from --loop --at --until --split --align --trigger --preroll --silence -t --file-type -e --encoding --endian -y --overwrite --part --verify --exec --also -D --device -c --channels -r --rate -f --format -m --map --latency -b --blocksize --buffersize --fatal-xruns --wait --reconnect --channel-select -q --quiet -v --verbose --meter --no-meter --json -l --list -h --help --man --completions --version' -- "$word")) ;;
        *)
            [[ null == "$word"* ]] && compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- "$word"; echo null)
            ;;
        esac
        return
    }
    compopt +o default
    local before=${word%"$value"} offer
    before=${before#"${word%"$last"}"}
    [[ $option == @(-D|--device) ]] && compopt -o filenames
    [[ $option == @(-t|--file-type|--file_type|-e|--encoding|--endian|-c|--channels|-f|--format|--latency) && $value == *,* ]] && head=${value%,*},
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
    -d | --duration) ;;
    -o | --offset) ;;
    --from) ;;
    --at) ;;
    --until) ;;
    --split) ;;
    --trigger) ;;
    --preroll) ;;
    --silence) ;;
    -t | --file-type | --file_type) mapfile -t offers < <("$1" --complete types "${COMP_WORDS[@]:1}" 2>/dev/null) ;;
    -e | --encoding) mapfile -t offers < <("$1" --complete encodings "${COMP_WORDS[@]:1}" 2>/dev/null) ;;
    --endian) offers=(file big little) ;;
    --exec) ;;
    --also) compopt -o filenames; mapfile -t offers < <(compgen -f -- "$value") ;;
    -D | --device) mapfile -t offers < <("$1" --complete devices "${COMP_WORDS[@]:1}" 2>/dev/null) ;;
    -c | --channels) ;;
    -r | --rate) offers=(44.1k 48k 96k) ;;
    -f | --format) offers=(float32 int32 int24 int16 int8 uint8) ;;
    -m | --map) ;;
    --latency) offers=(low high) ;;
    -b | --blocksize) ;;
    --buffersize) ;;
    --channel-select | -s) ;;
    --completions) offers=(bash zsh fish) ;;
    *) return 1 ;;
    esac
}

complete -o default -F _pastream pastream
