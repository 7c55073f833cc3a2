# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Functions for tests/vm/fetch that call apt, and find out why it failed.

# Descriptor 3 is for the user; all other output goes to the log.
exec 3>&2
said=''
say() { echo "fetch: $*" >&3; }
die() { said=yes; say "$@"; exit 1; }

cache=$(realpath -m "$(dirname "$0")/../../build/cache")
apt_log=$cache/apt.log
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

apt() {
	apt-get -qq -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=600 "$@" \
		>>"$apt_log" 2>&1 </dev/null
}

# Only root can renew the machine's lists.  The lists of a suite are ours.
renew() {
	[[ $EUID == 0 || -n ${APT_CONFIG:-} ]] || { echo "E: not root" >>"$apt_log"; return 1; }
	say "renewing apt's lists of packages"
	# If one source fails, the others may be enough.
	apt -o APT::Update::Error-Mode=any update || :
}

# Runs a step that needs apt's lists of packages.  If it fails, renews the lists, which may
# be missing or too old, and runs it again.
with_lists() {
	begin
	"$@" && return
	! full || return 1
	renew && "$@"
}

# Causes of failures

# Log lines from here on belong to this step.
begin() { step=$(stat -c %s "$apt_log"); }

# logged PATTERN [OPTION...]: greps this step's part of the log.
logged() { grep -E -e "$1" "${@:2}" < <(tail -c "+$((step + 1))" "$apt_log"); }

# Is the disk full?  Then the end of the log may be missing as well.
full() {
	local status=1
	! logged 'No space left on device|enough free space' -q || return 0
	head -c 100000 /dev/zero >"$cache/tmp.full" || status=0
	rm -f "$cache/tmp.full"
	return $status
}

# Messages of apt and others, the worst first, and what to do about them.
updating="the archive is being updated, or is not an archive: try again later, or give apt another mirror"
wrong_sources="do apt's sources have Debian 12 with its security updates?"
causes=(
	'Release file for .* (is expired|is not valid yet)'
		"is this machine's clock right ($(date -u +%F))? If so, give apt another mirror"
	'Could not resolve|Temporary failure resolving|Could not connect|[Tt]imed out|unreachable'
		'is this machine on the network?'
	'Failed to fetch|Release file|Depends: .* but '
		"$updating"
	'E: not root'
		"apt's lists may be too old: as root, run apt-get update"
	'Unable to locate package|has no (installation )?candidate'
		"$wrong_sources"
	'^E: '
		'the log tells more'
	'error|cannot|failed'
		'the log tells more'
	''
		'the log tells more'
)

# Finds out why this step failed.
find_cause() {
	local i
	reason='the disk is full' advice="make room for $cache"
	! full || return 0
	for ((i = 0; i < ${#causes[@]}; i += 2)); do
		advice=${causes[i + 1]}
		reason=$(logged "${causes[i]}" -m 1) || continue
		reason=${reason#[EW]: }
		return 0
	done
	reason='no message says why'
}

failed() {
	find_cause
	die "$1: $reason: $advice ($apt_log)"
}

# Runs on every exit, including one caused by set -e.
finish() {
	local status=$?
	if ((status > 0 && status < 128)) && [[ -z $said ]]; then
		find_cause
		say "$reason: $advice ($apt_log)"
		status=1
	fi
	rm -rf "$cache"/tmp.*
	exit $status
}

# give_up WHAT ADVICE: gives apt's error if there is one, otherwise this advice.
give_up() {
	! logged '^E: ' -q || failed "$1"
	die "$1: $2"
}

# Did it fail because a file or a list could not be fetched?
unfetchable() {
	! full && logged 'Failed to fetch|Unable to locate package|candidate|Depends: .* but ' -q
}

# Other releases of Debian

# The mirror from which this machine gets a suite of Debian 12, according to its lists.
mirror() {
	# shellcheck disable=SC2016 # the text is for apt
	apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" "Release: $1" 2>/dev/null |
		sort -u | head -n 1
}

find_mirrors() {
	main=$(mirror bookworm) security=$(mirror bookworm-security)
	[[ -n $main && -n $security ]]
}

# The lines of sources.list for these suites, from the same mirror.
sources() {
	local part uri main='' security=''
	with_lists find_mirrors ||
		give_up "apt's lists do not have Debian 12 with its security updates" "add it to apt's sources"
	for part; do
		uri=$main
		[[ $part != *-security ]] || uri=$security
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $part main"
	done
}

# From here on apt sees only these suites, for this machine's architecture and $arch.  The
# lists are ours, and the machine's configuration and installed packages are ignored.
suite() {
	local foreign=${arch:+'"'$arch'";'} folder=$cache/apt/$1${arch:+-$arch}
	unset APT_CONFIG
	mkdir -p "$folder/lists/partial" "$folder/archives/partial"
	sources "$@" >"$folder/sources.list.new"
	mv "$folder/sources.list.new" "$folder/sources.list"
	cat >"$folder/apt.conf" <<-EOF
		Dir::State "$folder";
		Dir::State::status "/dev/null";
		Dir::Cache "$folder";
		Dir::Etc::sourcelist "$folder/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; $foreign };
		Acquire::Languages "none";
	EOF
	export APT_CONFIG=$folder/apt.conf
	# Several kernels come from one suite, one after the other.
	[[ -z $(find "$folder/updated" -mmin -60 2>/dev/null) ]] || return 0
	begin
	if apt -o APT::Update::Error-Mode=any update; then
		touch "$folder/updated"
	elif [[ -e $folder/updated ]]; then
		find_cause
		say "the lists of Debian's $1 are those of $(date -u -r "$folder/updated" +%F): $reason"
	elif [[ -n $(find "$folder/lists" -name '*_Packages*') ]]; then
		find_cause
		say "some lists of Debian's $1 are missing: $reason"
	else
		failed "no lists of Debian's $1"
	fi
}

# Kernels

# The releases of a kernel in apt's lists, complete or not, the newest first, as uname -r
# prints them.
releases() {
	local series=${1%%-*} flavour=${flavour:-amd64}
	case $1 in
	*-rt)		flavour=rt-amd64 ;;
	*-cloud)	flavour=cloud-amd64 ;;
	esac
	apt-cache pkgnames linux- |
		sed -nE "s/^linux-(headers|image|binary)-(${series//./\\.}(\.[0-9]+)+[-+][a-z]*[0-9]+(\.[0-9]+)*-$flavour)$/\2/p" |
		sort -ruV
}

# The packages of a release.  Since 7.0 the image and the modules are separate packages.
# kbuild serves several releases; this is the one of the same version, if there is one.
packages_of() {
	local version kbuild headers=linux-headers-$1
	version=$(apt-cache show --no-all-versions "$headers" | sed -n 's/^Version: //p') || :
	echo "$headers"
	apt-cache depends "$headers" | sed -nE 's/^ *Depends: <?(linux-headers-[^:>]*).*/\1/p'
	apt-cache depends "$headers" | sed -nE 's/^ *Depends: <?(linux-kbuild-[^:>]*).*/\1/p' |
		while read -r kbuild; do
			[[ -z $(apt-cache show "$kbuild=$version") ]] || kbuild=$kbuild=$version
			echo "$kbuild"
		done
	case $1 in
	[1-6].*)	echo "linux-image-$1" ;;
	*)		printf '%s\n' "linux-binary-$1" "linux-modules-$1" ;;
	esac
}

# Names the first package of a release that apt cannot get, or not in the version that the
# headers need.  Packages arrive in the archive one by one, hours or days apart.
lacks() {
	local packages
	mapfile -t packages < <(packages_of "$1")
	apt-cache show --no-all-versions "${packages[@]}" | awk -v wanted="${packages[*]%%=*}" '
		$1 == "Package:" { name = $2 }
		$1 == "Version:" { version[name] = $2 }
		$1 == "Depends:" && name ~ /^linux-headers-/ { depends = depends $0 }
		END {
			n = split(wanted, package, " ")
			for (i = 1; i <= n && !lack; i++)
				if (!(package[i] in version)) lack = package[i]
			while (!lack && match(depends, /[^ ,]+ \(= [^)]*\)/)) {
				split(substr(depends, RSTART, RLENGTH), part, /( \(= |\)|:any)/)
				depends = substr(depends, RSTART + RLENGTH)
				if (part[1] in version && version[part[1]] != part[2])
					lack = part[1] " " part[2]
			}
			if (lack) print lack
			exit !lack
		}'
}

# try_kernels TRIES COUNT KERNEL COMMAND...
# Runs a command with the newest COUNT releases of a kernel that are complete.  If the
# command fails because a file cannot be fetched, tries the next older ones; returns 1 if
# none are left, and 2 if it fails for another reason.  Sets taken, the older first; newest,
# the newest in apt's lists; why, the reason for not taking that; and failure, the first
# failure of the command.
try_kernels() {
	local tries=$1 count=$2 release lack whole=()
	newest='' why='' failure=''
	while read -r release; do
		: "${newest:=$release}"
		if lack=$(lacks "$release"); then
			: "${why:=apt has no $lack}"
			continue
		fi
		whole=("$release" "${whole[@]:0:count - 1}")
		((${#whole[@]} == count)) || continue
		begin
		if "${@:4}" "${whole[@]}"; then
			taken=("${whole[@]}")
			return
		fi
		find_cause
		: "${why:=$reason}" "${failure:=$release: $reason: $advice}"
		unfetchable || return 2
		((--tries > 0)) || return 1
	done < <(releases "$3")
	return 1
}

# take COUNT KERNEL COMMAND...
# Does the same (status 2 is left to the caller), and if a file cannot be fetched renews the
# lists, which may be older than the archive, and tries again.
take() {
	local began status=0
	begin
	began=$step
	try_kernels 1 "$@" || status=$?
	if [[ $status == 1 ]]; then
		renew || :
		status=0
		try_kernels 100 "$@" || status=$?
	fi
	[[ $status != 1 ]] || { step=$began; no_kernel "$2"; }
	return $status
}

no_kernel() {
	[[ -n $newest ]] || give_up "no kernel $1 in apt's lists" "$wrong_sources"
	die "no kernel $1 of which all packages can be fetched: ${failure:-$newest: $why: $updating} ($apt_log)"
}

# Says which releases were taken, in one line.
say_taken() {
	local not=''
	[[ ${taken[-1]} == "$newest" ]] || not=", not $newest: $why"
	say "got Linux ${taken[0]}${taken[1]:+ and ${taken[1]}}$not"
}
