# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of uffdwp in bash. What there is to complete is asked of the command itself, which
# cannot be out of date: verbs of "uffdwp --help", options of "uffdwp VERB --help". There, an option
# is a line like
#
#	  -p, --pid PID          process to watch; it is not stopped
#
# and the word in capitals says what its value is.

_uffdwp_verbs() {
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# "-p --pid PID", or "--plain": a line for each option of a verb
_uffdwp_options() {
	"$1" "$2" --help 2>/dev/null |
		sed -n 's/^  *\(-[^ ,]*\), \(--[^ ]*\)\( [A-Z][A-Z-]*\)\{0,1\}.*/\1 \2\3/p
			t
			s/^  *\(--*[a-z][^ ]*\)\( [A-Z][A-Z-]*\)\{0,1\}.*/\1\2/p'
}

# The name of the value that an option takes, in capitals, or nothing.
_uffdwp_value_of() {
	_uffdwp_options "$1" "$2" | while read -r -a words; do
		for word in "${words[@]}"; do
			[ "$word" = "$3" ] || continue
			case ${words[-1]} in [A-Z]*) echo "${words[-1]}" ;; esac
		done
	done
}

_uffdwp_processes() {
	local folder
	for folder in /proc/[0-9]*; do
		echo "${folder#/proc/}"
	done
}

# What may stand for a value of that name; nothing if nobody can know.
_uffdwp_values() {
	case $1 in
	PID) compgen -W "$(_uffdwp_processes)" -- "$2" ;;
	USER) compgen -u -- "$2" ;;
	FILE) compgen -f -- "$2" ;;
	PATH) compgen -d -- "$2" ;;
	WHEN) compgen -W 'auto always never' -- "$2" ;;
	esac
}

# Where a command begins: the number of the first word that is neither an option nor its value; or
# nothing, while there is none before the one that is completed.
_uffdwp_command_at() {
	local i word
	for ((i = 2; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--) echo $((i + 1)); return ;;
		# Bash divides "--color=auto" into three words.
		=) i=$((i + 1)) ;;
		-*) [ -z "$(_uffdwp_value_of "$1" "$2" "$word")" ] || [ "${COMP_WORDS[i + 1]}" = = ] ||
			i=$((i + 1)) ;;
		*) echo "$i"; return ;;
		esac
	done
}

_uffdwp() {
	local uffdwp=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]-} value command
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_uffdwp_verbs "$uffdwp") --help --version" -- "$word")
		return
	fi
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	command=$(_uffdwp_command_at "$uffdwp" "$verb")
	if [ -n "$command" ] && [ "$command" -lt "$COMP_CWORD" ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [ -n "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	elif value=$(_uffdwp_value_of "$uffdwp" "$verb" "$before") && [ -n "$value" ]; then
		mapfile -t COMPREPLY < <(_uffdwp_values "$value" "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_uffdwp_options "$uffdwp" "$verb" |
			sed 's/ [A-Z][A-Z-]*$//')" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -o filenames -F _uffdwp uffdwp
