# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The driver built in other ways, and the programs that test it so.

# copy_driver NAME [HEADER]: copies the driver to $out/NAME, with a header before it.
copy_driver() {
	mkdir "$out/$1"
	cp -r Kbuild include "$out/$1/"
	cat "${@:2}" ntsync.c >"$out/$1/ntsync.c"
}

# build_with NAME HEADER: builds the driver with a header before it.
build_with() {
	copy_driver "$@"
	silent "$1: the driver compiles" kbuild M="$out/$1" modules
}

# run_on NAME PROGRAM...: runs these programs on this variant.
run_on() {
	local wanted=("${@:2}")
	[[ -e $out/$1/ntsync.ko ]] || return
	wanted=("${wanted[@]##*/}")
	wanted=("${wanted[@]/%/ $1}")
	build_programs "${@:2}"
	build_modules
	# Delays take time, so random tests make a quarter of their steps.
	# shellcheck disable=SC2016 # the guest's shell expands it
	in_guest boot "$out" "$out/$1/ntsync.ko" --memory 2G --cpus 2 \
		--file "$tree/tests/modules/wake_up.ko" -- env SMALL=yes "SEED=${SEED:-}" \
		"STEPS=${STEPS:+$((STEPS / 4))}" sh -c '
		cd "$1"
		variant=$2
		shift 2
		for name; do
			echo "== begin ${name##*/} $variant"
			"./$name" 2>&1
			echo "== end $?"
		done' sh "/tests/${widths[0]}" "$@"
}

# cannot_build NAME: skips the variant on a kernel that has the driver built in.
cannot_build() { built_in && skip "$1" "this kernel has the driver built in"; }

# With long delays.
check_slow() {
	! cannot_build slow || return
	build_with slow tests/slow/slow.h
	run_on slow slow/slow slow/steps slow/looks
}

# With random delays: threads that race meet in more places.  So do those of stress.
check_jitter() {
	! cannot_build jitter || return
	build_with jitter tests/slow/jitter.h
	run_on jitter model/linear atomicity
}

# As it is built for kernels whose descriptor tables it does not know: it calls fget(), refers
# to all files, and must give all of them back.
check_fget() {
	! cannot_build fget || return
	copy_driver fget
	says "fget: the driver compiles" 0 'gets files by fget\(\)' \
		kbuild M="$out/fget" NTSYNC_FGET=call modules
	run_on fget references lifetime
}

# As it is built for kernels that do not export schedule_hrtimeout_range_clock().  Newer ones
# lack what it uses there.
check_hrtimeout() {
	! cannot_build hrtimeout || return
	grep -qw hrtimer_init_sleeper "$cache/kernel-$kernel/headers/Module.symvers" ||
		{ skip hrtimeout "this kernel lacks hrtimer_init_sleeper()"; return; }
	copy_driver hrtimeout
	silent "hrtimeout: the driver compiles" \
		kbuild M="$out/hrtimeout" W=1 NTSYNC_EXPORTS=/dev/null modules
	! nm "$out/hrtimeout/ntsync.ko" | grep -q schedule_hrtimeout_range_clock ||
		fail "hrtimeout: the driver calls what is not exported"
	run_on hrtimeout timeout signals
}
