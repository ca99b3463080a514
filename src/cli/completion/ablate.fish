# Tab completion of ablate for fish. At every Tab the program itself is asked what fits, by its hidden command `complete`: a line
# with the kind of answer, then a line for each word with what it means behind a tab, which is how fish wants them.
function __ablate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] complete -- $words[2..-1] $current 2> /dev/null)
    set -l flag (string match -r -- '^--[^=]*=' $current)
    switch "$answer[1]"
        case folders
            string replace -r -- '^' "$flag" (__fish_complete_directories (string replace -- "$flag" '' $current) '')
        case files
            string replace -r -- '^' "$flag" (__fish_complete_path (string replace -- "$flag" '' $current))
        case '*'
            printf '%s\n' $answer[2..-1]
    end
end
complete -c ablate -f -a '(__ablate_complete)'
