# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # for the script, and out and tree from it
# Runs the driver's tests in a guest, for tests/check and tests/quick.  Needs lib.sh and
# results.sh.

programs=$top/build/programs harness=$cache/source/tools/testing/selftests
widths=(64 32) vm=("$top/tests/vm/run") compile=()
program_limit=300 vm_limit=1500
# Debug kernels are slow, and user-mode Linux runs the programs in full.
! { is_debug_kernel || is_user_mode; } || program_limit=900 vm_limit=2700
! is_user_mode || widths=(64)
# In runs on many kernels, 32-bit programs are tested on some only: they use the same code.
[[ -z ${MATRIX:-} || $kernel =~ ^(6\.1|7\.3)$ ]] || widths=(64)
memory=4G cc=gcc
# Small runs need less, and kmemleak has less to search.
[[ -z ${MATRIX:-} ]] || memory=2G
architecture_of "$kernel"
if [[ -n $arch ]]; then
	widths=("$width" ${runs32:+32}) memory=2G vm+=(--arch "$arch")
	cc=$gnu-gcc-12
	compile=(CC="$cc" CC_32="$(compiler_of_32)")
	programs+=-$arch
fi

built_in() { kernel_has CONFIG_NTSYNC=y; }

# All runs share the programs, and make rebuilds those that are out of date.
build_programs() {
	say "building the test programs"
	mkdir -p "$programs"
	flock "$programs" make -s -k -j "$(nproc)" -C tests OUT="$programs" TESTS="$*" \
		WIDTHS="${widths[*]}" "${compile[@]}" KSELFTEST="$harness" ||
		fail "the test programs: one does not compile"
}

# Modules that help tests.
build_modules() {
	kbuild M="$tree/tests/modules" modules || fail "tests/modules: does not compile"
}

# boot FOLDER MODULE OPTION...: replaces the shell with a guest that writes its kernel's
# messages to the folder, so call it in a subshell.
boot() {
	exec "${vm[@]}" --kernel "$cache/kernel-$kernel/vmlinuz" ${2:+--module "$2"} \
		--file "$programs:/tests" --time "$vm_limit" --append 'slab_nomerge oops=panic' \
		--boot-time 300 --log "$1/kernel.log" "${@:3}" 2>&1
}

# boot_with_driver FOLDER OPTION...: boots a guest with the driver, or the variant of it that is
# in the folder, and the files of tests/guest, which checks the kernel's log itself.
boot_with_driver() {
	local module=$1/ntsync.ko
	[[ -e $module ]] || module=$out/ntsync.ko
	! built_in || module=
	boot "$1" "$module" --may-complain --file tests/guest \
		--file "$tree/tests/modules/false_alarm.ko" \
		--file "$tree/tests/modules/wake_up.ko" "${@:2}"
}

# in_guest COMMAND...: runs a command that boots a guest, and reads the results of the groups
# ${wanted[@]}.
in_guest() {
	say "booting Linux $kernel"
	read_guest "${wanted[@]}" < <("$@" | tee "$out/guest.log"
		echo "== vm ${PIPESTATUS[0]}")
}
