# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are those of tests/check
# The tools, on made-up processes here and on real ones in the VM.

# Adds programs and their libraries to the files of a guest.
with_libraries() {
	local tool lib
	for tool; do
		files+=(--file "$tool:/bin/${tool##*/}")
		for lib in $(ldd "$tool" | grep -o '/[^ ]*'); do files+=(--file "$lib:$lib"); done
	done
}

check_bench() {
	local files=() wanted=("ntsync-bench in the guest")
	with_libraries "$out/tools/ntsync-bench" /usr/bin/{jq,setpriv}
	mkdir -p "$programs"
	in_guest boot "$out" '' "${files[@]}" --file "$out/ntsync.ko" \
		--file tests/tools/bench-guest:guest --memory 2G --cpus 2 -- /guest
}

# The guest has one CPU: when a tracer starts or stops, the kernel patches its code with
# breakpoints, and in QEMU another CPU may execute one that has been removed.
check_tools() {
	local tool test files=() scripts='' wanted=("lsntsync in the guest")
	[[ -z $arch ]] || { skip tools "they are built for this machine only"; return; }
	"$fetch" install libsmartcols-dev libjansson-dev jq mandoc graphviz util-linux bpftrace tmux || return
	silent "tools: build without a warning" make -s -C tools OUT="$out/tools" \
		CFLAGS='-O2 -g -Wall -Wextra -Werror'
	for test in verdicts:deadlock rates:rates cpus:proc; do
		tool=${test#*:} test=${test%:*}
		silent "tools: $test.c compiles" gcc -O2 -Wall -Wextra -Werror \
			-isystem "$cache/source/tools/testing/selftests" -o "$out/tools/$test" \
			"tests/tools/$test.c" "tools/$tool.c" tools/util.c
		[[ -e $out/tools/$test ]] || return
	done
	[[ -e $out/tools/lsntsync && -e $out/tools/ntsync-bench ]] || return
	read_guest "lsntsync on made-up folders" verdicts rates cpus < <(
		tests/tools/made_up "$out/tools" 2>&1
		for test in verdicts rates cpus; do
			echo "== begin $test"
			"$out/tools/$test" 2>&1
			echo "== end $?"
		done
		echo "== vm 0"
	)
	read_guest "ntsync-bench on made-up runs" < <(tests/tools/compare "$out/tools" 2>&1)

	[[ -e $out/ntsync.ko ]] || return
	check_bench
	if is_user_mode; then
		skip "tools: scripts of bpftrace" "user-mode Linux has no perf events, which they need"
		scripts=without-bpftrace
	fi
	mkdir -p "$programs" "$out/tools/programs"
	for tool in examples/deadlock.c tests/tools/{busy,crowd,troubles}.c; do
		silent "tools: ${tool##*/} compiles" gcc -O2 -Wall -Wextra -Werror -pthread -static \
			-I include/uapi -o "$out/tools/programs/$(basename "$tool" .c)" "$tool"
	done
	with_libraries "$out"/tools/{lsntsync,ntsync-check} /usr/bin/{jq,setpriv,bpftrace,tmux}
	[[ ! -e $cache/kernel-$kernel/inkernel-ntsync.ko ]] ||
		files+=(--file "$cache/kernel-$kernel/inkernel-ntsync.ko")
	in_guest boot "$out" "$out/ntsync.ko" "${files[@]}" --file "$out/tools/programs:/programs" \
		--file tools/bpftrace:/scripts --file /lib/terminfo \
		--file /usr/lib/locale/C.utf8:/usr/lib/locale/C.utf8 --file tests/tools/guest --memory 3G \
		--cpus 1 -- \
		env LC_ALL=C.UTF-8 TERM=xterm /guest $scripts
}
