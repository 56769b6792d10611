# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the scripts in this folder: where things are, how to say what happens, how to get packages
# of any Debian suite without touching the machine's own package system.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${UFFDWP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/uffdwp-async}
build=$top/build
export top cache build

case $top$cache in
*[[:space:]]*)
	echo "the kernel's build system takes no spaces in paths: $top, $cache (set UFFDWP_CACHE)" >&2
	exit 125 ;;
esac

# Progress goes to standard error: standard output belongs to the guest's program.
say() { printf '%s\n' "-- $*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit "${die_status:-125}"; }

need_tool() {
	command -v "$1" >/dev/null || die "$1 is missing: run 'make deps' (installs package $2)"
}

# Sets suites, what and how: the line of a kernel in tests/vm/kernels.
read_kernel_line() {
	local table=$top/tests/vm/kernels
	# shellcheck disable=SC2034 # for the caller
	IFS=$'\t' read -r _ suites what how < <(grep -P "^\Q$1\E\t" "$table") ||
		die "no kernel '$1' in tests/vm/kernels; there is: $(sed -n 's/^\([^#\t]*\)\t.*/\1/p' "$table" | xargs)"
}

# kernel_since NAME VERSION: is a kernel of tests/vm/kernels, such as 6.1-debug, of that version or
# later?
kernel_since() { printf '%s\n' "$2" "${1%%-*}" | sort -C -V; }

# Mirrors of the machine's own apt, by the suite that they have. A suite that apt does not know is
# looked for where the machine's release comes from, or its security updates.
mirror_of_suite() {
	local suite=$1 known
	known=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' \
		'Component: main' 'Origin: Debian')
	awk -v suite="$suite" '
		{ name = $1; site = $2 }
		name == suite { print site; found = 1; exit }
		name ~ /-security$/ { security = site }
		name !~ /-(security|updates|backports)$/ { main = site }
		END { if (!found) print suite ~ /-security$/ ? security : main }' <<<"$known"
}

# apt on a state of its own: apt_private DIR apt-get|apt-cache ARGUMENTS
apt_private() {
	local state=$1; shift
	local tool=$1; shift
	"$tool" -q -o Dir::State="$state/state" -o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false \
		-o Acquire::Languages=none "$@"
}

# Makes that state for some suites, with fresh lists, and prints its folder.
apt_private_for() {
	local suites=$* suite mirror
	local state=$cache/apt/${suites// /+}
	mkdir -p "$state"/state/lists/partial "$state"/cache/archives/partial
	# Of those who come at the same time one reads the lists.
	local lock
	exec {lock}>"$state.lock"
	flock "$lock"
	: >"$state/status"
	for suite in $suites; do
		mirror=$(mirror_of_suite "$suite")
		[ -n "$mirror" ] && echo "deb $mirror $suite main"
	done >"$state/sources.list.new"
	[ -s "$state/sources.list.new" ] ||
		die "apt knows no Debian mirror: see 'apt-get indextargets' and /etc/apt/sources.list"
	# Lists of the last hour are fresh enough.
	if ! cmp -s "$state/sources.list.new" "$state/sources.list" ||
	   [ -z "$(find "$state/updated" -mmin -60 2>/dev/null)" ]; then
		mv "$state/sources.list.new" "$state/sources.list"
		say "reading the package lists of $suites"
		apt_private "$state" apt-get -o APT::Update::Error-Mode=any update >"$state/update.log" 2>&1 ||
			die "apt-get update failed, see $state/update.log"
		touch "$state/updated"
	fi
	exec {lock}>&-
	echo "$state"
}

# The newest kernel of a version that the suites have, as uname -r will say: 6.1 amd64 may be
# 6.1.0-56-amd64. Found by name: a metapackage moves on to the next version some day.
apt_newest_kernel() {
	local state=$1 version=${2//./\\.} flavour=$3
	apt_private "$state" apt-cache pkgnames linux-image- |
		sed -nE "s/^linux-image-($version\.[^-]+(-[0-9]+)?-$flavour)$/\1/p" | sort -V | tail -n 1
}

# The version of a package that would be installed
apt_version() {
	apt_private "$1" apt-cache show --no-all-versions "$2" | sed -n 's/^Version: //p'
}

# The packages, of those that a kernel's image or headers come in, that one of them needs: they are
# split up differently from version to version.
apt_kernel_packages() {
	local state=$1; shift
	apt_private "$state" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances "$@" |
		grep -E '^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' | grep -v -e '-unsigned$' |
		sort -u
}

# Unpacks packages, with all that they depend on if asked, into a folder.
apt_unpack() {
	local state=$1 into=$2 package; shift 2
	local debs
	# What a killed run has left behind goes by and by.
	find "$cache" -maxdepth 1 -name 'debs.*' -mmin +600 -exec rm -rf {} + 2>/dev/null
	debs=$(mktemp -d "$cache/debs.XXXXXX")
	(cd "$debs" && apt_private "$state" apt-get download "$@" >/dev/null 2>"$debs/log") ||
		die "cannot download $*: $(tail -n 3 "$debs/log")"
	for package in "$debs"/*.deb; do
		# Unlike dpkg-deb -x, as dpkg itself: a folder that is a link stays one.
		dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$into"
	done
	rm -rf "$debs"
}

# Packages and everything that they need to run, by name.
apt_closure() {
	local state=$1; shift
	apt_private "$state" apt-get install --simulate "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# fetch_program NAME PACKAGE...: Debian's packages with all that they need, unpacked in the cache and
# not installed. Prints the folder.
fetch_program() {
	local name=$1 folder lock state; shift
	local into=$cache/$name
	mkdir -p "$cache"
	exec {lock}>"$into.lock"
	flock "$lock"
	if [ ! -e "$into/complete" ]; then
		state=$(apt_private_for bookworm bookworm-security)
		say "fetching $* and what that needs"
		rm -rf "$into"
		# As in a running system: /bin, /lib ... are in /usr. Unpacking follows these links.
		mkdir -p "$into/root/usr"/{bin,sbin,lib,lib64}
		for folder in bin sbin lib lib64; do
			ln -s "usr/$folder" "$into/root/$folder"
		done
		# shellcheck disable=SC2046 # a list of packages
		apt_unpack "$state" "$into/root" $(apt_closure "$state" "$@")
		rm -rf "$into/root"/usr/share/{doc,man,locale,perl*} "$into/root"/usr/lib/*/perl*
		touch "$into/complete"
	fi
	exec {lock}>&-
	echo "$into/root"
}

# What of a package of a suite, and of all that it needs, this machine lacks: lines NAME=VERSION.
# Others of the suites that the state is for are only asked for what that one needs.
apt_missing() {
	local state=$1 suite=$2 package=$3 installed
	installed=$(apt-config shell installed Dir::State::status/f)
	eval "$installed"
	apt_private "$state" apt-get -o Dir::State::status="$installed" install --simulate \
		-t "$suite" "$package" | sed -n 's/^Inst \([^ ]*\) [^(]*(\([^ ]*\) .*/\1=\2/p'
}

# keep_fresh LINK NOUN COMMAND...: have something in the cache that is fetched, and fetched anew when
# it is a week old. COMMAND is a function that ends with publish(). When it fails, without a network
# say, the old one will do, and is not doubted again for a day. The caller looks whether there is a
# LINK/release then, and has a lock.
keep_fresh() {
	local link=$1 noun=$2 status; shift 2
	[ -z "$(find "$link/release" -mtime -7 2>/dev/null)" ] || return 0
	# A condition around the command would switch off its "set -e", and so would one around this.
	set +e
	(set -e; "$@")
	status=$?
	set -e
	if [ $status != 0 ] && [ -e "$link/release" ]; then
		say "staying with $noun $(cat "$link/release")"
		touch -d '6 days ago' "$link/release"
	fi
}

# publish LINK RELEASE: LINK.new, which is complete, or LINK.d/RELEASE, which is there from an earlier
# time, is what LINK leads to from now on. What it led to until now stays until the next time, for
# those that are using it: they have followed the link once, and do not do so again.
publish() {
	local link=$1 release=$2 before folder
	before=$(readlink "$link" || true)
	mkdir -p "$link.d"
	if [ -d "$link.new" ]; then
		rm -rf "$link.d/$release"
		mv "$link.new" "$link.d/$release"
	fi
	touch "$link.d/$release/release"
	# Not a link: from a time when there was only one.
	[ -L "$link" ] || rm -rf "$link"
	ln -sfn "${link##*/}.d/$release" "$link.link"
	mv -T "$link.link" "$link"
	for folder in "$link.d"/*; do
		case ${link##*/}.d/${folder##*/} in
		"$before"|"${link##*/}.d/$release") ;;
		*) rm -rf "$folder" ;;
		esac
	done
}

# sum_up NAME LOG STATUS: how many single tests of all programs passed, failed, were skipped and why.
sum_up() {
	local name=$1 log=$2 status=$3 passed failed skipped
	passed=$(sum_of PASSED "$log")
	failed=$(sum_of FAILED "$log")
	skipped=$(sum_of SKIPPED "$log")
	[ "$skipped" = 0 ] || grep '^\[   WHY    \]' "$log"
	# A lost guest is a lost run, whatever its tests said before.
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	echo "$name: $passed passed, $failed failed, $skipped skipped"
}

# The sum of "[  WORD  ] N test(s)" over all programs: sum_of WORD LOG
sum_of() {
	sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test.*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}
