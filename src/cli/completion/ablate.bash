# Tab completion of ablate for bash 3.2 and newer. At every Tab the program itself is asked what fits, by its hidden command
# `complete`: a line with the kind of answer, then a line for each word.
_ablate() {
  local current=${COMP_WORDS[COMP_CWORD]} kind='' word rest
  [ "$current" = '=' ] && current=''
  COMPREPLY=()
  while IFS=$'\t' read -r word rest; do
    if [ -z "$kind" ]; then
      kind=$word
      case $kind in
        folders) while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$current") ;;
        files) while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current") ;;
      esac
    else
      COMPREPLY+=("$word")
    fi
  done < <("${COMP_WORDS[0]/#\~/$HOME}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
  # compopt came with bash 4: without it there is a space more than wanted.
  case $kind in
    folders | files) compopt -o filenames 2> /dev/null ;;
    open) compopt -o nospace 2> /dev/null ;;
  esac
  return 0
}
complete -F _ablate ablate
