# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# The build of the driver.

warnings=0
sparse=(C=2 CF="-include $tree/tests/sparse.h")
# sparse does not know gcc's options and predefined macros for these processors.
[[ $arch != @(riscv64|loong64) ]] || sparse=()

# The lines about the driver in the build log of a kernel that includes it.
log_of_driver() { grep -i ntsync "$cache/kernel-$kernel/log" || :; }

count_warnings() {
	((warnings += $(grep -ci 'warning' "$out/said"))) || :
}

build_driver() {
	if built_in; then
		says "driver: refuses a kernel that has it built in" 2 \
			'this kernel has ntsync built in' kmake -C "$tree"
	else
		# shellcheck disable=SC2046 # one word each
		silent "driver: builds, with W=1${sparse[*]:+ and sparse}" \
			kmake -C "$tree" W=1 "${sparse[@]}" $(instruments)
		count_warnings
		cp "$tree/ntsync.ko" "$out/" 2>/dev/null
	fi
	if [[ -e $cache/kernel-$kernel/log ]] && ! is_user_mode; then
		silent "driver: builds in the kernel's tree" log_of_driver
		count_warnings
	fi
}

builds_for_least() {
	copy_driver least tests/least.h
	silent "driver: builds for a kernel without trace events, SMP and more" \
		kbuild M="$out/least" W=1 ntsync.o
}

# What does not depend on the kernel is tested once, and not on each of many.
check_build() {
	[[ -n ${MATRIX:-} ]] || says "driver: refuses a kernel that is too old" 2 \
		'ntsync needs Linux 5.10 or newer, and this is 5.9' \
		kmake -C "$tree" VERSION=5 PATCHLEVEL=9
	! built_in || return 0
	says "driver: calls fget() if asked to" 0 'gets files by fget\(\)' \
		kmake -C "$tree" W=1 NTSYNC_FGET=call
	[[ -n ${MATRIX:-} ]] || says "driver: calls fget() if it does not know the kernel's tables" 0 \
		'gets files by fget\(\)' kmake -C "$tree" NTSYNC_FDTABLE=/dev/null
	# A kernel's debug options need others of those that it would lack.
	[[ -n ${MATRIX:-} ]] || is_debug_kernel || builds_for_least
	if [[ ${#sparse[@]} == 0 ]]; then
		skip sparse "it does not know enough of $arch"
	else
		says "detector: sparse works" 0 'different address spaces' \
			kbuild M="$tree/tests/modules" "${sparse[@]}" modules
	fi
	! kernel_has CONFIG_CC_IS_CLANG=y ||
		says "driver: asks for clang if the kernel was built with it" 2 'add LLVM=1' \
			kmake -C "$cache/kernel-$kernel/headers" M="$tree" modules
}
