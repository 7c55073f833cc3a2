# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The driver, with delays added by tests/slow/slow.h.

check_slow() {
	local folder=$out/slow wanted=("slow calls" "steps calls" "looks calls")
	! built_in || { skip slow "this kernel has the driver built in"; return; }
	mkdir "$folder"
	cp -r Kbuild include "$folder/"
	cat tests/slow/slow.h ntsync.c >"$folder/ntsync.c"
	silent "slow: the driver compiles" kbuild M="$folder" modules
	[[ -e $folder/ntsync.ko ]] || return
	build_programs slow/slow slow/steps slow/looks
	# shellcheck disable=SC2016 # the guest's shell expands it
	in_guest boot "$out" "$folder/ntsync.ko" --memory 2G --cpus 2 -- sh -c '
		for name in slow steps looks; do
			echo "== begin $name calls"
			"$1/$name" 2>&1
			echo "== end $?"
		done' sh "/tests/${widths[0]}/slow"
}
