# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by what runs in the system that the packages are installed in: a line for each check.

export LC_ALL=C.UTF-8
failed=0

# check NAME COMMAND [ARG...]: what the command says is shown when it fails.
check() {
	local name=$1 begin=$SECONDS said
	shift
	if said=$("$@" 2>&1); then
		echo "ok      $name ($((SECONDS - begin)) s)"
	else
		printf 'FAILED  %s\n%s\n' "$name" "$said" | tail -n 40
		failed=$((failed + 1))
	fi
}

# apt ARGUMENTS...: nobody is asked, and only the folder of our packages is looked into.
apt_local() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
		-o APT::Keep-Downloaded-Packages=true "$@"
}

# read_folder FOLDER: from now on apt finds the packages there.
read_folder() {
	echo "deb [trusted=yes] file:$1 ./" >/etc/apt/sources.list.d/check.list
	apt_local update -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/check.list \
		-o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
}

is_installed() { [ "$(dpkg-query -W -f '${Status}' "$1")" = 'install ok installed' ]; }

# Everything outside of memory, of what changes by itself, and of what is here to test.
list_files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
		-o -path /check -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /var/lib/systemd -o -path /var/lib/redis \) -prune \
		-o ! -type d -print -o -name '*uffdwp*' -print | sort -u
}
