# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# The sources, without a kernel.

compile_header() {
	local language=c
	[[ $1 != *++* ]] || language=c++
	gcc -x "$language" -std="$1" -m"$2" -Wall -Wextra -pedantic -Werror -fsyntax-only \
		-I include/uapi -idirafter /usr/include/x86_64-linux-gnu "$3"
}

header_names() {
	diff <(sed -n 's/^VALUE(\(\w*\),.*/\1/p' tests/uapi/layout.h | sort) \
		<(gcc -E -dM -x c include/uapi/linux/ntsync.h |
			sed -n 's/^#define \(NTSYNC\w*\) .*/\1/p' | sort)
}

# The version comes from ntsync.c; these are all the places that repeat it.
versions_agree() {
	local version
	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' ntsync.c)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "ntsync.c: no version"; return 1; }
	diff <(printf '%s\n' "$version"{,,,,,}) <(
		sed -n 's/^## //p' CHANGELOG.md | head -n 1
		sed -n '1s/^ntsync (1:\(.*\)) .*/\1/p' debian/changelog
		sed -n 's/^Version: *//p' packaging/ntsync.spec
		sed -n 's/^pkgver=//p' packaging/arch/PKGBUILD
		sed -n 's/^ *version = "\([0-9.]*\)";$/\1/p' packaging/nix/default.nix
		basename -s .ebuild packaging/gentoo/ntsync-* | sed 's/^ntsync-//'
	)
}

# What a kernel has does not follow from its version: the driver asks the kernel's headers.  Only
# the two lines that refuse old kernels may ask for the version.
version_is_not_asked() {
	diff <(sed -n '/-ge 5010/,+1p' Kbuild) <(grep -rhE \
		'\<(VERSION|PATCHLEVEL|KERNEL(_?VERSION|RELEASE)|LINUX_VERSION\w*|UTS_RELEASE)\>' \
		Kbuild Kconfig ntsync.c include)
}

clean_leaves_nothing() {
	make -s clean &&
		diff <(cd "$out" && find clean | sed 's/^clean/tree/' | sort) \
			<(cd "$out" && find tree | sort)
}

# Without a kernel tree checkpatch would look for one at /.
checkpatch() {
	perl "$cache/source/scripts/checkpatch.pl" --no-tree --root=. --strict --terse --quiet \
		--no-summary --show-types "$@"
}

# Trace events are declared in the layout of their macros.
checkpatch_events() {
	checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT "$@"
}

# Programs have no kernel types, get ENOSYS on old kernels, and share volatile
# sig_atomic_t with signal handlers; a macro argument that is a member's name takes no
# parentheses.
checkpatch_programs() {
	checkpatch --ignore PREFER_KERNEL_TYPES,ENOSYS,VOLATILE,MACRO_ARG_PRECEDENCE "$@"
}

# shellcheck disable=SC2046 # no name here has a space
check_source() {
	local std width
	for std in gnu89 c99 c11 c++98 c++17; do
		for width in 64 32; do
			silent "header: compiles alone, $std, $width bit" \
				compile_header $std $width include/uapi/linux/ntsync.h
			silent "header: sizes, offsets, types and numbers, $std, $width bit" \
				compile_header $std $width tests/uapi/layout.h
		done
	done
	silent "header: no other names" header_names
	silent "one version everywhere" versions_agree
	silent "driver: asks for no kernel's version" version_is_not_asked
	silent "manual pages: mandoc's lint" mandoc -T lint -W warning Documentation/*.4 tools/*.1
	silent "make clean leaves nothing" clean_leaves_nothing
	silent "checkpatch: driver and header" checkpatch -f ./*.c include/*.h include/uapi/linux/*.h
	silent "checkpatch: trace events" checkpatch_events -f include/trace/events/*.h
	silent "checkpatch: tests, examples and tools" checkpatch_programs -f \
		$(find tests examples tools -name '*.[ch]' ! -path '*/wine/*')
	silent "checkpatch: the Windows program" checkpatch_programs --ignore CAMELCASE -f \
		tests/wine/*.c
	silent "shellcheck" shellcheck -x $(find tests -name '*.sh') tools/completion/* \
		$(grep -rlE '^#!/bin/(busybox )?(ba)?sh' .)
}
