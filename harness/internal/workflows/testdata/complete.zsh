# Prints what zsh offers for a line: zsh -f complete.zsh SCRIPT LINE. An interactive zsh
# is started on a terminal of its own, and Tab is pressed in it.
zmodload zsh/zpty || exit 1
zpty inner zsh -f -i
zpty -w inner "PROMPT=; source ${(q)ZSH_SCRIPT:h}/setup.zsh ${(q)1}"
zpty -r -m inner ignored '*is ready*'
zpty -w -n inner "$2"$'\t'
zpty -r -m inner offered '*is done*'
zpty -d inner
print -r -- "${${offered#*offers:}%%is done*}"
