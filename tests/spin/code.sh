# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Checks, for tests/spin/check, whether functions that models and litmus tests stand for have
# changed.
# shellcheck disable=SC2154 # it sets out

# Prints the functions of the driver, one per line: the name, and the text without comments.
functions_of() {
	cat "$@" | gcc -fpreprocessed -E -P -x c - 2>/dev/null | awk '
		/^{/ { inside = 1 }
		{ gsub(/[ \t]+/, " "); text = text $0 }
		/^}/ {
			if (inside && match(text, /ntsync_[a-z_]+ ?\(/))
				print substr(text, RSTART, RLENGTH - 1), text
			inside = 0
		}
		!inside && /[;}]$/ { text = "" }'
}

# Prints the name of each function that a model or a test stands for, and a checksum of its
# text.  Models name them in their head, tests anywhere as NAME().
sums() {
	local name text
	functions_of ntsync.c include/*.h | while read -r name text; do
		! grep -qx "$name" "$out/named" || echo "$name $(cksum <<<"$text")"
	done | sort -u
}

name_functions() {
	{
		sed -n 's/^ \* code: //p' tests/spin/*.pml | tr ' ' '\n'
		grep -ohE 'ntsync_[a-z_]+\(\)' tests/litmus/*.litmus | tr -d '()'
	} | sort -u >"$out/named"
}

# Records that the models have been reviewed and still match the functions.
confirm() {
	name_functions
	{
		echo "# SPDX-License-Identifier: GPL-2.0"
		echo "# The functions that models stand for, as they were when the models were last reviewed."
		sums
	} >tests/spin/confirmed
}

check_code() {
	local name changed=0
	name_functions
	sums >"$out/sums"
	while IFS= read -r name; do
		grep -q "^$name " "$out/sums" || { echo "    there is no $name in ntsync.c"; changed=1; }
	done < <(sed -n 's/^ \* code: //p' tests/spin/*.pml | tr ' ' '\n' | sort -u)
	while read -r name _; do
		changed=1
		echo "    $name has changed; it is modeled in: $(grep -lw "$name" tests/spin/*.pml tests/litmus/*.litmus | tr '\n' ' ')"
	done < <(grep -v '^#' tests/spin/confirmed | diff - "$out/sums" | sed -n 's/^[<>] //p' | sort -u -k 1,1)
	if ((changed)); then
		echo "    check that the models still match, then run tests/spin/check confirm"
		fail "code: the functions that models stand for have not changed since the last review"
	else
		pass "code: the functions that models stand for have not changed since the last review"
	fi
}
