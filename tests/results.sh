# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Reads what tests/guest prints, judges its programs and counts with pass, fail and
# skip of lib.sh.

# What is neither a result nor about one.
note() {
	notes+=("$1")
}

# Judges the program that has ended.  Empty: all is well.
verdict() {
	if [[ -n $hung ]]; then
		echo "no end after $hung s"
	elif [[ -z $plan ]]; then
		echo "ended with status $1 before its first test"
	elif ((seen != plan)); then
		echo "ended with status $1 after $seen of $plan tests"
	elif ((bad)); then
		echo "$bad failed"
	elif (($1 != 0 && $1 != 4)); then
		echo "ended with status $1 though no test failed"
	fi
}

begin() {
	show_notes
	group=$1 expected=$2 plan='' seen=0 bad=0 hung='' running='' notes=()
	[[ -n $expected ]] || echo "# $group"
}

end() {
	local verdict
	verdict=$(verdict "$1")
	if [[ -n $expected ]]; then
		if [[ $verdict == "$expected" ]]; then
			pass "detector: $group is seen ($verdict)"
		else
			fail "detector: $group must be seen as \"$expected\", not \"$verdict\""
		fi
	elif [[ -n $verdict && $verdict != *" failed" ]]; then
		show_notes
		fail "$group: $verdict${running:+, last in $running}"
	fi
	group='' notes=()
}

# What was said since the last result; of a flood the two ends.
show_notes() {
	local count=${#notes[@]}
	((count <= 100)) ||
		notes=("${notes[@]:0:40}" "... $((count - 100)) more lines ..." "${notes[@]: -60}")
	((count == 0)) || printf '    %s\n' "${notes[@]}"
	notes=()
}

# One line "ok 1 name", "not ok 1 name" or "ok 1 # SKIP why" of a program.
result() {
	local name=$1
	name=${name#not } name=${name#ok}
	name=${name# } name=${name##+([0-9])}
	name=${name# } name=${name#- }
	((++seen))
	[[ $1 != not* ]] || ((++bad))
	[[ -z $expected ]] || return
	if [[ $name == *'# SKIP'* ]]; then
		skip "$group: ${running:-${name%%# SKIP*}}" "${name#*# SKIP }"
	elif [[ $1 == not* ]]; then
		show_notes
		fail "$group: $name"
	else
		pass "$group: $name"
	fi
	notes=() running=''
}

read_guest() {
	local line vm_status='' expected_in name_in
	group='' running='' notes=()
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
		1..*)		plan=${line#1..} ;;
		'ok '*|'not ok '*) result "$line" ;;
		'#  RUN  '*)	running=${line##*  } running=${running% ...} ;;
		'#'*' OK  '*|'TAP version'*) ;;
		*)		note "$line" ;;
		esac
	done
	if [[ $vm_status != 0 ]]; then
		show_notes
		fail "the VM ended early, with status $vm_status${group:+, in $group${running:+, $running}}"
	fi
}
