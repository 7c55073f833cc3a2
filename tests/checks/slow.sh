# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The driver, with delays added by tests/slow/slow.h.

# run_on MODULE WHAT PROGRAM...: runs these programs on another module than tests/guest does.
run_on() {
	local wanted=("${@:3}")
	wanted=("${wanted[@]##*/}")
	wanted=("${wanted[@]/%/ $2}")
	build_programs "${@:3}"
	# shellcheck disable=SC2016 # the guest's shell expands it
	in_guest boot "$out" "$1" --memory 2G --cpus 2 -- env SMALL=yes sh -c '
		cd "$1"
		what=$2
		shift 2
		for name; do
			echo "== begin ${name##*/} $what"
			"./$name" 2>&1
			echo "== end $?"
		done' sh "/tests/${widths[0]}" "${@:2}"
}

check_slow() {
	local folder=$out/slow
	! built_in || { skip slow "this kernel has the driver built in"; return; }
	mkdir "$folder"
	cp -r Kbuild include "$folder/"
	cat tests/slow/slow.h ntsync.c >"$folder/ntsync.c"
	silent "slow: the driver compiles" kbuild M="$folder" modules
	[[ ! -e $folder/ntsync.ko ]] || run_on "$folder/ntsync.ko" calls slow/slow slow/steps \
		slow/looks
}
