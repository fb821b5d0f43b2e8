# Makes an interactive zsh print what it offers: source setup.zsh SCRIPT.
autoload -Uz compinit && compinit -u -D
source $1
bindkey '^I' complete-word
before() { print -n offers:; }
after() { print -n "is done"; }
compprefuncs=(before)
comppostfuncs=(after)
compadd() {
  # Some calls only ask which words match.
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a words
  builtin compadd -A words "$@"
  print -l -r -- $words
}
print is ready
