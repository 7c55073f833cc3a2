# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The litmus tests of this folder, for tests/spin/check.
# shellcheck disable=SC2154 # it sets out, and tests/lib.sh cache

# Runs herd7 on a test, with a break or without.  Sets verdict to "never" or "sometimes", for
# whether the outcome in the test's last line is possible, or to "data race".
run_litmus() {
	local run=$out/$1.litmus${2:+.$2}
	report=$run.log
	gcc -E -P -x c ${2:+-D"$2"} "tests/litmus/$1.litmus" -o "$run" 2>"$report" &&
		"$cache/herd/herd7" "$run" >>"$report" 2>&1
	verdict=$(sed -nE 's/^Observation [^ ]+ (\w+) .*/\L\1/p' "$report")
	! grep -q '^Flag data-race' "$report" || verdict='data race'
	: "${verdict:=no answer}"
}

# The outcome must be impossible, but possible with each break.
check_litmus() {
	local break result found=()
	run_litmus "$1"
	result=$verdict
	if [[ $verdict == never ]]; then
		pass "$1.litmus: never"
	else
		sed 's/^/    /' "$report" | tail -n 20
		fail "$1.litmus: $verdict"
	fi
	for break in $(breaks_of "tests/litmus/$1.litmus"); do
		run_litmus "$1" "$break"
		case $verdict in
		sometimes|always|'data race')
			found+=("$break")
			pass "$1.litmus breaks with $break: $verdict" ;;
		*)
			sed 's/^/    /' "$report" | tail -n 20
			fail "$1.litmus with $break: $verdict" ;;
		esac
	done
	row "$1.litmus" "$result" "${found[@]}"
}

# The lines of source files that order memory.
orders_of() {
	local words='smp_|WRITE_ONCE|READ_ONCE\(obj|[^_]set_current_state|xchg'
	words+='|inc_not_zero|file_ref_get|atomic_read_acquire'
	sed 's/^\s*/ /' "$@" | grep -E "$words" | sed 's/^ //' | sort -u
}

# Checks that ops.def quotes all lines of the current driver that order memory.
check_quotes() {
	if diff <(sed -nE 's|^/\* code: (.*) \*/$|\1|p' tests/litmus/ops.def | sort -u) \
		<(orders_of ntsync.c include/*.h) >"$out/quotes"; then
		pass "quotes: tests/litmus/ops.def has the driver's lines that order memory"
	else
		sed -nE 's/^</    ops.def:   /p; s/^>/    driver:/p' "$out/quotes"
		fail "quotes: tests/litmus/ops.def and the driver differ in what orders memory"
	fi
}
