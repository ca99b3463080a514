#compdef ablate
# Tab completion of ablate for zsh. At every Tab the program itself is asked what fits, by its hidden command `complete`: a line
# with the kind of answer, then a line for each word with what it means behind a tab.
_ablate() {
  local -a answer candidates suffix
  local kind line word help
  answer=("${(@f)$("${(Q)words[1]/#\~/$HOME}" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}")
  kind=$answer[1]
  case $kind in
    folders) compset -P '--*='; _files -/; return ;;
    files) compset -P '--*='; _files; return ;;
    open) suffix=(-S '') ;;
  esac
  for line in "${(@)answer[2,-1]}"; do
    word=${line%%$'\t'*} help=${line#*$'\t'}
    candidates+=("${word//:/\\:}${help:+:$help}")
  done
  _describe ablate candidates "${(@)suffix}"
}
# Either a file on fpath, loaded by its first Tab, or sourced.
if [[ ${funcstack[1]} == _ablate ]]; then
  _ablate "$@"
else
  compdef _ablate ablate
fi
