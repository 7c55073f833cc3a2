# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What tests/check and tests/demo share.

top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cache=$top/build/cache
self=${0##*/}
kernel=${1:-6.1}

# Not those of a make that called us.
unset MAKEFLAGS MFLAGS MAKELEVEL

say() { echo "$self: $*" >&2; }
die() { say "$@"; exit 1; }

# Two runs in one folder would build over each other.
take_turns() {
	mkdir -p "$top/build"
	exec 8>"$top/build/$self.lock"
	flock -n 8 || { say "waiting for another make $self in this folder"; flock 8; }
}

# A copy of the sources as a clean clone would have them, edits included.
copy_sources() {
	rm -rf "$1"
	mkdir -p "$1"
	tar -C "$top" -c --exclude-vcs --exclude-vcs-ignores --exclude=./build . | tar -C "$1" -x
}

# The kernel was unpacked without the vmlinux that BTF would need.
kbuild() {
	make -s -C "$cache/kernel-$kernel/headers" CONFIG_DEBUG_INFO_BTF_MODULES= "$@"
}
