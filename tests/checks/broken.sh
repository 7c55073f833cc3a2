# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# Broken drivers, in which the kernel's detectors and the random tests must find the bug.

# build_broken PATCH FILE: builds the driver, broken by the patch, as FILE.ko.  It has delays if
# the patch says so.
build_broken() {
	local folder delays
	delays=$(field "$1" Delays)
	folder=$out/$(basename "$1" .patch)
	copy_driver "$(basename "$1" .patch)" ${delays:+"tests/slow/$delays"}
	if ! patch --silent --fuzz=0 -p1 -d "$folder" <"$1" || ! kbuild M="$folder" modules; then
		fail "$1 does not apply to ntsync.c, or does not compile"
		return 1
	fi
	mv "$folder/ntsync.ko" "$2.ko"
}

# field PATCH NAME: prints a field of the patch's header.
field() { sed -n "s/^$2: //p" "$1"; }

# Broken drivers, each of which the debug kernel must report.
check_detectors() {
	local patch variant variants=$out/broken number=0 wanted=(detectors)
	mkdir -p "$variants"
	# deadlock.patch comes first: lockdep reports nothing after any other report.
	for patch in tests/broken/*.patch; do
		[[ $kernel == *-$(field "$patch" Kernel) ]] || continue
		variant=$variants/$((number++))-$(basename "$patch" .patch)
		build_broken "$patch" "$variant" || continue
		field "$patch" Calls >"$variant.calls"
		field "$patch" Report >"$variant.report"
	done
	((number > 0)) || { skip detectors "$kernel has none: 6.1-kasan and 6.1-kcsan do"; return; }
	build_programs broken/trigger
	in_guest boot "$out" '' --may-complain --append kasan_multi_shot --file "$variants:/broken" \
		--file tests/broken/guest --file "$programs/64/broken/trigger" -- /guest
}

# find_bugs GROUP "PROGRAM..." "NAME=VALUE..." PATCH...: builds the broken drivers, and runs the
# tester of each, one of the programs, in a guest and with this environment.
find_bugs() {
	local patch variant tester files=() variants=$out/$1 wanted=("$1") tests settings
	read -ra tests <<<"$2"
	read -ra settings <<<"$3"
	mkdir -p "$variants"
	for patch in "${@:4}"; do
		variant=$variants/$(basename "$patch" .patch)
		build_broken "$patch" "$variant" || continue
		field "$patch" Tester >"$variant.tester"
	done
	build_programs "${tests[@]}"
	for tester in "${tests[@]}"; do
		files+=(--file "$programs/64/$tester")
	done
	in_guest boot "$out" "$tree/tests/modules/ioctls.ko" --file "$variants:/broken" "${files[@]}" \
		--file tests/testers-guest:guest --memory 2G --cpus "${CPUS:-2}" -- \
		env "${settings[@]}" /guest "$1"
}

# Broken drivers in which a random test must find the bug.
check_testers() {
	find_bugs testers 'model/random model/linear stress/chaos stress/fuzz stress/batch' \
		"SEED=${SEED:-} STEPS=${STEPS:-500000}" tests/{model,stress}/broken/*.patch
}

# Broken drivers that earlier tests did not notice, and a test of the interface now must.
check_breaks() {
	local tests
	# The harness of 7.3 can run one test of a program.
	"$fetch" upstream || { fail "the harness of 7.3 cannot be fetched"; return; }
	local programs=$out/programs harness=$cache/upstream
	mapfile -t tests < <(sed -nE 's/^Tester: ([^ ]+).*/\1/p' tests/breaks/*.patch | sort -u)
	find_bugs breaks "${tests[*]}" "SMALL=yes STEPS=1000000" tests/breaks/*.patch
}
