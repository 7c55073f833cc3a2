# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # for the script, and kernel and top from it
# Reads the output of tests/guest and counts its results with pass, fail and skip of lib.sh.
# The caller says which groups of results to expect, so output that is cut off is a failure.

# The groups that tests/guest adds after its programs.
after_programs=(afterwards "a failing test" "a crash" "a hang" "a warning of the kernel")

# skip_is_known PROGRAM TEST REASON: does tests/skips list this skip for this kernel?
skip_is_known() {
	local pattern program test why
	while IFS=';' read -r pattern program test why; do
		# shellcheck disable=SC2053 # they are patterns
		if [[ $pattern != '#'* && $kernel == $pattern && $1 == ${program# } && $2 == ${test# } &&
			$3 == ${why# } ]]; then
			return
		fi
	done <"$top/tests/skips"
	return 1
}

# Called for lines that are neither a result nor about one.
note() {
	notes+=("$1")
}

# Prints what is wrong with the program that has ended with status $1, if anything.
verdict() {
	if [[ -n $hung ]]; then
		echo "no end after $hung s"
	elif [[ -z $plan ]]; then
		echo "ended with status $1 before its first test"
	elif [[ $seen != "$plan" ]]; then
		echo "ended with status $1 after $seen of $plan tests"
	elif ((bad)); then
		echo "$bad failed"
	elif (($1 != 0 && $1 != 4)); then
		echo "ended with status $1 though no test failed"
	fi
}

begin() {
	[[ -z $group ]] || fail "$group: no end${running:+, last in $running}"
	show_notes
	group=$1 expected=$2 plan='' seen=0 bad=0 hung='' running='' did='' notes=()
	[[ -n $expected ]] || echo "# $group"
}

end() {
	local verdict
	verdict=$(verdict "$1")
	if [[ -n $expected ]]; then
		if [[ $verdict == "$expected" ]]; then
			pass "detector: $group is reported ($verdict)"
		else
			fail "detector: $group must be reported as \"$expected\", not \"$verdict\""
		fi
	elif [[ -n $verdict && $verdict != +([0-9])' failed' ]]; then
		show_notes
		fail "$group: $verdict${running:+, last in $running}"
	fi
	ended+=("$group")
	group='' expected='' notes=()
}

# Prints the output since the last result; if it is long, only its first and last lines.
show_notes() {
	local count=${#notes[@]}
	((count <= 100)) ||
		notes=("${notes[@]:0:40}" "... $((count - 100)) more lines ..." "${notes[@]: -60}")
	((count == 0)) || printf '    %s\n' "${notes[@]}"
	notes=()
}

# Handles a line "ok 1 name", "not ok 1 name" or "ok 1 # SKIP why" of a program.
result() {
	local name=$1 test why
	name=${name#not } name=${name#ok}
	name=${name# } name=${name##+([0-9])}
	name=${name# } name=${name#- }
	((++seen))
	[[ $1 != not* ]] || ((++bad))
	[[ -z $expected ]] || return
	if [[ $1 != not* && $name == *'# SKIP'* ]]; then
		test=${running:-${name%%# SKIP*}} why=${name#*# SKIP }
		test=${test% }
		if skip_is_known "${group% [36][24]}" "$test" "$why"; then
			skip "$group: $test" "$why"
		else
			fail "$group: $test is skipped, and tests/skips does not list this: $why"
		fi
	elif [[ $1 == not* ]]; then
		show_notes
		fail "$group: $name"
	else
		pass "$group: $name${did:+ ($did)}"
	fi
	notes=() running='' did=''
}

# read_guest GROUP...: reads the results of all these groups, in this order.
read_guest() {
	local line vm_status='' expected_in name_in ended=() name missing=()
	group='' expected='' running='' did='' notes=()
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'== begin '*)	begin "${line#== begin }" '' ;;
		'== must fail|'*)
			IFS='|' read -r _ expected_in name_in <<<"$line"
			begin "$name_in" "$expected_in" ;;
		'== hung '*)	hung=${line#== hung } ;;
		'== end '*)	end "${line#== end }" ;;
		'== vm '*)	vm_status=${line#== vm } ;;
		'== gcda '*)	;;
		1..*)		plan+=${plan:+ and }${line#1..} ;;
		'ok '*|'not ok '*) result "$line" ;;
		'#  RUN  '*)	running=${line##*  } running=${running% ...} ;;
		'#'*' OK  '*|'TAP version'*) ;;
		*'; booting once more') skip "the first boot" "${line%;*}" ;;
		'# done: '*)	did=${line#\# done: } ;;
		*)		note "$line" ;;
		esac
	done
	if [[ $vm_status != 0 ]]; then
		show_notes
		fail "the VM ended early, with status ${vm_status:-unknown}${group:+, in $group${running:+, $running}}"
	elif [[ -n $group ]]; then
		show_notes
		fail "$group: no end${running:+, last in $running}"
	fi
	[[ "${ended[*]}" != "$*" ]] || return 0
	for name; do
		[[ " ${ended[*]} " == *" $name "* ]] || missing+=("$name")
	done
	fail "these groups are missing, or there are others: ${missing[*]}"
}
