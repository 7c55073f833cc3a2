# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # for the scripts
# Functions for tests/check, tests/matrix, tests/demo and other scripts.

top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cache=$top/build/cache
self=${0##*/}
kernel=${1:-6.1}
# shellcheck source=tests/vm/arch.sh
. "$top/tests/vm/arch.sh"

# Kernels for other processors: those that run in VMs, those for which the module is only
# built, and those from Debian unstable, which may change at any time.
run_elsewhere=(6.1-arm64 6.1-i386 6.12-armhf 6.12-ppc64el 6.12-riscv64 6.12-s390x)
built_elsewhere=(6.1-armhf 6.12-arm64 7.3-arm64)
unstable=(7-loong64)

# Ignore the options of a make that called us.
unset MAKEFLAGS MFLAGS MAKELEVEL

say() { echo "$self: $*" >&2; }
die() { say "$@"; exit 1; }

# Waits for another run in this folder, which would overwrite our files.
take_turns() {
	local folder=${out:-$top/build/$self}
	mkdir -p "${folder%/*}"
	exec 8>"$folder.lock"
	flock -n 8 || { say "waiting for another make $self in this folder"; flock 8; }
}

# Copies the sources like a clone, but with uncommitted changes.
copy_sources() {
	rm -rf "$1"
	mkdir -p "$1"
	tar -C "$top" -c --exclude-vcs --exclude-vcs-ignores --exclude=./build . | tar -C "$1" -x
}

# Gets Debian's kernel of that name, or builds ours, and what is needed to boot it.
get_kernel() {
	local fetch=$top/tests/vm/fetch
	architecture_of "$1"
	if [[ -e $top/tests/vm/config/$1 ]]; then
		"$top/tests/vm/build" "$1"
	elif [[ -z $arch ]]; then
		"$fetch" kernel "$1"
	elif can_run; then
		"$fetch" busybox "$arch" && "$fetch" kernel "$1"
	else
		"$fetch" headers "$1"
	fi
}

# Does the kernel have this option?
kernel_has() {
	grep -qsx "$1" "$cache/kernel-$kernel/headers/include/config/auto.conf"
}

is_user_mode() { [[ $kernel == *-um || $kernel == *-um-* ]]; }

is_debug_kernel() { [[ $kernel == *-kasan || $kernel == *-kcsan ]]; }

# Options for modules of a debug kernel that its own makefiles do not set.
instruments() {
	! kernel_has CONFIG_UBSAN=y || echo UBSAN_SANITIZE=y
	! kernel_has CONFIG_KCOV=y || echo KCOV_INSTRUMENT=y
	! kernel_has CONFIG_GCOV_KERNEL=y ||
		echo GCOV_PROFILE=y KCFLAGS=-fprofile-update=atomic CFLAGS_ntsync.o=-fno-inline
}

# Runs make with the compiler that the kernel's distribution uses for modules.  Debian's
# kernels are unpacked without vmlinux, so there is no BTF, and the version of pahole does
# not matter.
kmake() {
	local folder=$cache/kernel-$kernel inside=() cross=() gcc=gcc-12
	if [[ -e $folder/system ]]; then
		inside=(in_system "$(realpath "$folder/system")")
		gcc=$(basename "$folder"/system/usr/bin/gcc-[0-9]*)
	fi
	! is_user_mode || cross=(ARCH=um KCFLAGS="-include $top/tests/vm/um-barriers.h")
	architecture_of "$kernel"
	[[ -z $arch ]] || cross=(ARCH="$karch" CROSS_COMPILE="$gnu-" CC="$gnu-$gcc")
	"${inside[@]}" make -s KDIR="$folder/headers" CONFIG_DEBUG_INFO_BTF_MODULES= \
		PAHOLE_VERSION="\$(CONFIG_PAHOLE_VERSION)" "${cross[@]}" "$@"
}

kbuild() {
	local clang=()
	! kernel_has CONFIG_CC_IS_CLANG=y || clang=(LLVM=1)
	# shellcheck disable=SC2046 # one word each
	kmake -C "$cache/kernel-$kernel/headers" "${clang[@]}" $(instruments) "$@"
}

# Runs a command in the root of another Debian, with this folder, and the one that build/cache
# may be a link to, at the same paths.  The mounts go away when the command exits.
in_system() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --map-root-user --mount sh -ec '
		root=$1
		for folder in "$2" "$3"; do
			mkdir -p "$root$folder"
			mount --rbind "$folder" "$root$folder"
		done
		shift 3
		mount --rbind /proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" env -i LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' sh "$1" "$top" "$(realpath "$cache")" "${@:2}"
}

# Replaces the text between two marks of a file with standard input.
replace_between() {
	local part
	part=$(mktemp "$1.XXXXXX")
	if grep -qx "$2" "$1" && grep -qx "$3" "$1" &&
		{ sed "/^$2\$/q" "$1"; cat; sed -n "/^$3\$/,\$p" "$1"; } >"$part"; then
		chmod --reference="$1" "$part"
		mv "$part" "$1"
	else
		rm -f "$part"
		die "$1: no lines '$2' and '$3'"
	fi
}

# Results.  The output of the last test's command is in $out/said.

passed=0 failed=0 skipped=0 remarks=()

pass() {
	((++passed))
	echo "ok $1"
}

fail() {
	((++failed))
	remarks+=("FAILED $1")
	echo "not ok $1"
}

skip() {
	((++skipped))
	remarks+=("skipped $1: $2")
	echo "ok $1 # SKIP $2"
}

# Passes if the command succeeds and prints nothing.
silent() {
	if "${@:2}" >"$out/said" 2>&1 && [[ ! -s $out/said ]]; then
		pass "$1"
	else
		sed 's/^/    /' "$out/said" | tail -n 30
		fail "$1"
	fi
}

# Passes if the command exits with this status and prints a line that matches.
says() {
	local status=0
	"${@:4}" >"$out/said" 2>&1 || status=$?
	if [[ $status == "$2" ]] && grep -q -e "$3" "$out/said"; then
		pass "$1"
	else
		sed 's/^/    /' "$out/said" | tail -n 30
		echo "    status $status; wanted $2 and \"$3\""
		fail "$1"
	fi
}

# Prints the failures in a log of results, each with the last lines of the test's output.
failures() {
	awk '
		/^    / { said[++n] = $0; next }
		/^not ok/ { for (i = n > 40 ? n - 39 : 1; i <= n; i++) print said[i]; print }
		{ n = 0 }' "$1"
}

# Ends a run: prints the failures, a remark and the counts.
tally() {
	echo
	[[ ${#remarks[@]} == 0 ]] || printf '%s\n' "${remarks[@]}" ''
	echo "$1"
	echo "$passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
	((failed == 0 && passed > 0))
}
