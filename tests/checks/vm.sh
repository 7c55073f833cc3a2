# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# tests/vm/run and tests/vm/fetch.

check_vm() {
	local run=("${vm[@]}" --kernel "$cache/kernel-$kernel/vmlinuz")
	# QEMU gets a second chance.
	local again='; booting once more$'
	! is_user_mode || again=
	says "vm: passes on output and status" 7 '^hello$' "${run[@]}" -- sh -c 'echo hello; exit 7'
	says "vm: kills a guest that takes too long" 124 'the time ran out' \
		"${run[@]}" --time 10 -- sleep 1000
	says "vm: passes on all of a long output" 0 '^20000$' "${run[@]}" -- seq 20000
	says "vm: reports the kernel's warnings" 126 'WARNING: made up' \
		"${run[@]}" -- sh -c 'echo "WARNING: made up" >/dev/kmsg'
	says "vm: reports a panic" 125 'the kernel panicked' \
		"${run[@]}" -- sh -c 'echo c >/proc/sysrq-trigger'
	says "vm: reports a kernel that does not boot" 125 "did not reach its init.*$again" \
		"${run[@]}" --boot-time 10 --append 'rdinit=/bin/busybox -- sleep 1000' -- true
	says "vm: reports a module that cannot be loaded" 125 'could not load run' \
		"${run[@]}" --module "${vm[0]}" -- true
	says "vm: reports a missing image" 125 'nowhere does not exist' \
		"${vm[@]}" --kernel nowhere -- true
}

# Fetches kernels from a made-up archive.
check_fetch() {
	"$fetch" install gpg gpg-agent mount util-linux xz-utils || return
	read_guest "fetch on a made-up archive" < <(tests/vm/made_up 2>&1; echo "== vm $?")
}
