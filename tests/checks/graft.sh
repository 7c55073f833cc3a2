# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# scripts/graft, on made-up kernel trees.

graft_parts=(Makefile drivers/misc/{Kconfig,Makefile} include/uapi/linux/types.h
	tools/testing/selftests/Makefile)

# Makes $trees/NAME, a kernel tree that has no ntsync.
make_tree() {
	local part
	mkdir -p "$trees/$1/"{include/trace/events,tools/testing/selftests/drivers}
	for part in "${graft_parts[@]}"; do
		install -D -m 644 "$cache/source/$part" "$trees/$1/$part"
	done
}

# Like make_tree, but the tree has its own ntsync, as Linux 6.14 does.
make_tree_with_ntsync() {
	local misc=$trees/$1/drivers/misc
	make_tree "$1"
	echo 'int theirs;' | tee "$misc/ntsync.c" >"$trees/$1/include/uapi/linux/ntsync.h"
	sed -i '/^config VMWARE_BALLOON/i config NTSYNC\n\ttristate "Theirs"\n\thelp\n\t  Theirs.\n\n\t  Say N.\n' \
		"$misc/Kconfig"
	# shellcheck disable=SC2016 # the text is for make
	sed -i '3i obj-$(CONFIG_NTSYNC)\t\t+= ntsync.o' "$misc/Makefile"
	install -D -m 644 /dev/null "$trees/$1/tools/testing/selftests/drivers/ntsync/ntsync.c"
	sed -i '0,/^TARGETS += e/s||TARGETS += drivers/ntsync\n&|' \
		"$trees/$1/tools/testing/selftests/Makefile"
}

# A complete listing of a tree, including the times of files.
tree_state() {
	(cd "$trees/$1" && find . \( -type d -printf '%p %m\n' \) -o -printf '%p %m %T@ %l\n' &&
		find . -type f -exec sha256sum {} +) | sort
}

# Passes if graft says this and leaves the tree unchanged.
refuses() {
	local before
	before=$(tree_state "$2")
	says "graft: refuses $1" 1 "$3" scripts/graft "${@:4}" "$trees/$2"
	if [[ $(tree_state "$2") == "$before" ]]; then
		pass "graft: refuses $1, and changes nothing"
	else
		fail "graft: refuses $1, and changes nothing"
	fi
}

# What a user with a kernel tree does, except that headers are not installed.
build_selftests() {
	local selftests=$trees/grafted/tools/testing/selftests
	cp "$cache"/source/tools/testing/selftests/{lib.mk,kselftest.h,kselftest_harness.h} "$selftests"
	mkdir "$trees/programs"
	make -s -j "$(nproc)" -C "$selftests/drivers/ntsync" OUTPUT="$trees/programs" \
		KHDR_INCLUDES="-isystem $top/include/uapi"
	[[ $(ls "$trees/programs") == "$(cd tests && printf '%s\n' *.c | sed 's/\.c$//')" ]] ||
		{ echo "not all programs were built"; ls "$trees/programs"; }
}

same_trees() { diff -r "$trees/$1" "$trees/$2"; }

# Compares a graft with the tree $trees/plain, to which the same changes are made.
grafted_right() {
	local misc=drivers/misc tests=tools/testing/selftests
	mkdir -p "$trees/expected"
	cp -r "$trees/plain/." "$trees/expected"
	install -D -m 644 -t "$trees/expected/$misc/ntsync" ntsync.c include/{compat,fget}.h Kbuild Kconfig
	cp include/uapi/linux/ntsync.h "$trees/expected/include/uapi/linux/"
	cp include/trace/events/ntsync.h "$trees/expected/include/trace/events/"
	sed -i 's|^endmenu|source "drivers/misc/ntsync/Kconfig"\n&|' "$trees/expected/$misc/Kconfig"
	# shellcheck disable=SC2016 # the text is for make
	printf 'obj-$(CONFIG_NTSYNC)\t\t+= ntsync/\n' >>"$trees/expected/$misc/Makefile"
	mkdir "$trees/expected/$tests/drivers/ntsync"
	cp -r tests/*.[ch] tests/uapi tests/kselftest/{Makefile,config,settings} \
		"$trees/expected/$tests/drivers/ntsync/"
	install -D -m 644 -t "$trees/expected/$tests/drivers/ntsync/model" tests/model/*.h
	cp tests/kselftest/gitignore "$trees/expected/$tests/drivers/ntsync/.gitignore"
	sed -i 's|^TARGETS += drivers/s390x|TARGETS += drivers/ntsync\n&|' "$trees/expected/$tests/Makefile"
	same_trees expected grafted
}

# Makes the first, second, ... move of a graft fail until it succeeds.  Each failure must
# leave the tree unchanged.
graft_undoes() {
	local before failing
	before=$(tree_state own)
	mkdir -p "$trees/bin"
	cat >"$trees/bin/mv" <<-'EOF'
		#!/bin/sh
		echo >>"$MOVES"
		[ "$(wc -l <"$MOVES")" != "$FAILING" ] || exit 1
		exec /bin/mv "$@"
	EOF
	chmod +x "$trees/bin/mv"
	for ((failing = 1; failing < 50; failing++)); do
		: >"$trees/moves"
		! MOVES=$trees/moves FAILING=$failing PATH=$trees/bin:$PATH \
			scripts/graft --replace "$trees/own" >/dev/null || break
		[[ $(tree_state own) == "$before" ]] || { echo "changed after move $failing failed"; return 1; }
	done
	((failing > 5)) || echo "only $failing moves"
	same_trees own grafted
}

check_graft() {
	local trees=$out/graft name
	for name in plain grafted; do make_tree "$name"; done
	make_tree_with_ntsync own
	make_tree headers
	rm "$trees/headers/drivers/misc/Kconfig"
	make_tree old
	sed -i 's/^VERSION = .*/VERSION = 5/; s/^PATCHLEVEL = .*/PATCHLEVEL = 9/' "$trees/old/Makefile"
	make_tree odd
	sed -i '/^endmenu/d' "$trees/odd/drivers/misc/Kconfig"
	make_tree untested
	sed -i '/^TARGETS/d' "$trees/untested/tools/testing/selftests/Makefile"
	make_tree nameless
	sed -i '/^VERSION/d' "$trees/nameless/Makefile"
	mkdir "$trees/empty"

	refuses "a tree with its own ntsync" own 'own has an ntsync of its own: use --replace'
	says "graft: refuses a file" 1 'there is no folder .*/plain/Makefile: name the source' \
		scripts/graft "$trees/plain/Makefile"
	refuses "an empty folder" empty 'empty is not the source tree of a kernel: it has no Makefile'
	refuses "headers without source" headers 'headers is not the source tree of a kernel'
	refuses "a tree without a version" nameless 'nameless is not the source tree of a kernel'
	refuses "a kernel that is too old" old 'old is Linux 5.9, and ntsync needs 5.10 or newer'
	refuses "a tree that it does not understand" odd 'has no endmenu' --replace
	refuses "a tree whose tests it does not understand" untested 'has no TARGETS' --replace
	refuses "an unknown option" plain 'there is no option --force' --force
	refuses "two trees" plain 'name one kernel source tree' "$trees/grafted"
	says "graft: refuses no tree" 1 'name one kernel source tree' scripts/graft

	says "graft: works" 0 'now has CONFIG_NTSYNC$' scripts/graft "$trees/grafted"
	silent "graft: adds only the driver" grafted_right
	silent "graft: CONFIG_NTSYNC can be chosen for each processor and configuration" \
		sed -nE '/^\s*(depends|visible|if)\>/p' "$trees/grafted/drivers/misc/ntsync/Kconfig"
	refuses "a tree that has a graft" grafted 'grafted has an earlier graft of ntsync: use --replace'
	says "graft: replaces a graft with --replace" 0 'in place of an earlier graft' \
		scripts/graft --replace "$trees/grafted"
	silent "graft: the result is the same" same_trees expected grafted
	silent "graft: undoes its changes if it fails" graft_undoes
	silent "graft: the tests build like the kernel's own" build_selftests
}
