# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The driver, with delays added by tests/slow/slow.h.

check_slow() {
	local folder=$out/slow wanted=("slow calls")
	! built_in || { skip slow "this kernel has the driver built in"; return; }
	mkdir "$folder"
	cp -r Kbuild include "$folder/"
	cat tests/slow/slow.h ntsync.c >"$folder/ntsync.c"
	silent "slow: the driver compiles" kbuild M="$folder" modules
	[[ -e $folder/ntsync.ko ]] || return
	build_programs slow/slow
	# shellcheck disable=SC2016 # the guest's shell expands it
	in_guest boot "$out" "$folder/ntsync.ko" --memory 2G --cpus 2 -- \
		sh -c 'echo "== begin $1"; "$2" 2>&1; echo "== end $?"' sh \
		"${wanted[0]}" "/tests/${widths[0]}/slow/slow"
}
