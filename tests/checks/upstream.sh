# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# Runs the kernel's own selftest on this driver, and this driver's tests on the kernel's own
# driver.

# Their test, from Debian's newest kernel source, on this driver.
check_upstream() {
	local wanted=("the kernel's own selftest")
	mkdir -p "$programs"
	"$fetch" upstream || { fail "the kernel's own selftest cannot be fetched"; return; }
	silent "upstream: the kernel's own selftest compiles" "$cc" -O1 -pthread -static \
		-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I include/uapi -isystem "$cache/upstream" \
		-include tests/upstream/limit.h -o "$out/selftest" "$cache/upstream/ntsync.c"
	[[ -e $out/selftest ]] || return
	# It sets a clock back by 10 s, which fails in the first 10 s of uptime.
	# shellcheck disable=SC2016 # the guest's shell expands it
	in_guest boot "$out" "$(built_in || echo "$out/ntsync.ko")" --file "$out/selftest" \
		--memory 2G --cpus 2 -- \
		sh -c 'until [ "$(cut -d . -f 1 /proc/uptime)" -gt 10 ]; do sleep 1; done
			echo "== begin $1"; /selftest 2>&1; echo "== end $?"' sh "${wanted[0]}"
}

# The tests of this driver that are possible there.  The others poll descriptors, read fdinfo
# or trace events, or wait for something that their driver never does.
on_theirs=(alert bad_args event files isolation lifetime many module mutex order references
	sem signals timeout wait_all wait_any)

# Runs these tests on their driver.  Exactly those that tests/differences lists must fail.
check_theirs() {
	local pattern why name count known=() failing=() ended
	[[ -e $cache/kernel-$kernel/inkernel-ntsync.ko ]] ||
		{ fail "Linux $kernel has no ntsync as a module: KERNEL is 7.3 or 7.3-um"; return; }
	build_programs "${on_theirs[@]}"
	say "booting Linux $kernel with its own driver"
	# shellcheck disable=SC2016 # the guest's shell expands it
	(boot "$out" "$cache/kernel-$kernel/inkernel-ntsync.ko" --memory 4G --cpus 2 -- sh -c '
		limit=$1; shift
		for name; do
			timeout -k 5 "$limit" "/tests/64/$name" 2>&1
			echo "== end $name $?"
		done' sh "$program_limit" "${on_theirs[@]}") >"$out/theirs.log"
	for name in "${on_theirs[@]}"; do
		ended=$(sed -n "s/^== end $name \([0-9]*\).*/\1/p" "$out/theirs.log")
		if [[ $ended == [01] ]]; then
			pass "theirs: $name runs to its end"
		else
			fail "theirs: $name ends with status ${ended:-unknown}"
		fi
	done
	mapfile -t failing < <(tr -d '\r' <"$out/theirs.log" | sed -nE 's/^not ok [0-9]+ ([^ ]+).*/\1/p')
	while IFS=$'\t' read -r pattern why; do
		[[ $pattern != '#'* && -n $pattern ]] || continue
		count=0
		for name in "${failing[@]}"; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $name == $pattern ]] && known+=("$name") && ((++count))
		done
		if ((count)); then
			pass "theirs: $pattern: $count fail, for $why"
		else
			fail "theirs: $pattern: all pass, but tests/differences lists it"
		fi
	done <tests/differences
	for name in "${failing[@]}"; do
		[[ " ${known[*]} " == *" $name "* ]] ||
			fail "theirs: $name fails, and tests/differences does not list it"
	done
}
