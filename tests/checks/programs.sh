# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The test programs in VMs.

check_programs() {
	local paths=() name width wanted=()
	build_programs "$@"
	if is_user_mode; then
		skip "32-bit programs" "user-mode Linux runs none"
	elif ((${#widths[@]} == 1)) && [[ -z $arch ]]; then
		skip "32-bit programs" "6.1 and 7.3 have them"
	fi
	for name; do
		for width in "${widths[@]}"; do
			paths+=("/tests/$width/$name")
			wanted+=("${name#model/} $width")
		done
	done
	wanted+=("${after_programs[@]}")
	in_guest boot_with_driver "$out" --memory "$memory" --cpus "${CPUS:-2}" -- \
		env ${MATRIX:+SMALL=yes} "SEED=${SEED:-}" "STEPS=${STEPS:-}" \
		/guest "$program_limit" "${paths[@]}"
	! kernel_has CONFIG_GCOV_KERNEL=y ||
		sed -n 's/^== gcda //p' "$out/guest.log" | base64 -d >"$out/ntsync.gcda"
}

# Chaos and fuzz, which make soak runs for longer, on a driver with random delays.  Their guest
# runs beside that of the programs, which leaves its CPUs idle at times.
begin_stress() {
	build_programs stress/chaos stress/fuzz
	built_in || build_with stress tests/slow/jitter.h
	mkdir -p "$out/stress"
	boot_with_driver "$out/stress" --file tests/stress/guest:2-CPUs/stress --memory 2G --cpus 2 -- \
		env LIMIT=90 THREADS=30 WORKERS=4 "SEED=${SEED:-}" \
		/guest "$program_limit" /2-CPUs/stress >"$out/stress/guest.log" &
	stress=$!
	trap 'kill "$stress" 2>/dev/null' EXIT
}

end_stress() {
	say "waiting for the end of stress"
	wait "$stress"
	echo "== vm $?" >>"$out/stress/guest.log"
	trap - EXIT
	read_guest "stress 2-CPUs" "${after_programs[@]}" <"$out/stress/guest.log"
}

# Ours replaces the kernel's own driver, and the other way round.
check_beside() {
	local theirs=$cache/kernel-$kernel/inkernel-ntsync.ko wanted=("beside the kernel's own driver")
	if [[ ! -e $theirs ]]; then
		[[ -n ${MATRIX:-} ]] || skip "beside the kernel's own driver" "this kernel has none"
		return
	fi
	check_installed "$theirs"
	build_programs wait_any
	in_guest boot "$out" "$theirs" --file "$out/ntsync.ko" --file "$theirs" \
		--file tests/beside-guest:guest -- /guest
}

# modprobe prefers ours once it is installed.
check_installed() {
	local root=$out/root
	install -D -m 644 "$1" "$root/lib/modules/$release/kernel/drivers/misc/ntsync.ko"
	kmake -C "$tree" INSTALL_MOD_PATH="$root" modules_install >"$out/said" 2>&1
	says "beside: modprobe takes ours once it is installed" 0 "/$release/updates/ntsync.ko" \
		modprobe_takes "$root"
	rm -f "$root/lib/modules/$release/updates/ntsync.ko"
	says "beside: modprobe takes the kernel's own when ours is removed" 0 \
		"/$release/kernel/drivers/misc/ntsync.ko" modprobe_takes "$root"
}

modprobe_takes() {
	depmod -b "$1" "$release" && modprobe -d "$1" -S "$release" --show-depends ntsync
}
