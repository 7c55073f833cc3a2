# SPDX-License-Identifier: GPL-2.0
# Lists ways to break ntsync.c, one per line: SECTION, FUNCTION, KIND, EDITS, separated by
# tabs.  Each edit is LINE=TEXT, the new text of that line; edits are separated by a \036.
# Does not break assertions, nor cond_resched(), which bench-latency tests.

function trim(text) { sub(/^[ \t]+/, "", text); return text }
function indent(text) { match(text, /^\t*/); return substr(text, 1, RLENGTH) }

function balanced(text,    open) {
	open = gsub(/\(/, "", text)
	return open == gsub(/\)/, "", text)
}

function emit(kind, edits) { print section "\t" name "\t" kind "\t" edits }

function edit(at, text) { return at "=" text }

# Replaces one operator by another, once for each place in the line where it occurs.
function exchange(at, from, to, kind,    text, rest, before, place) {
	text = line[at]
	rest = text
	before = ""
	while (place = index(rest, from)) {
		before = before substr(rest, 1, place - 1)
		rest = substr(rest, place + length(from))
		emit(kind, edit(at, before to rest))
		before = before from
	}
}

function operators(at) {
	# An operator that is the whole condition is negated by negate().
	if (!can_negate(at) || line[at] ~ / (&&|\|\|) /) {
		exchange(at, " == ", " != ", "condition")
		exchange(at, " != ", " == ", "condition")
	}
	exchange(at, " && ", " || ", "condition")
	exchange(at, " || ", " && ", "condition")
	exchange(at, " < ", " <= ", "limit")
	exchange(at, " <= ", " < ", "limit")
	exchange(at, " > ", " >= ", "limit")
	exchange(at, " >= ", " > ", "limit")
	exchange(at, " + 1", "", "limit")
	exchange(at, " - 1", "", "limit")
	exchange(at, "return true;", "return false;", "answer")
	exchange(at, "return false;", "return true;", "answer")
	if (match(line[at], /return -E[A-Z]+;/))
		emit("answer", edit(at, substr(line[at], 1, RSTART - 1) "return 0;"))
	exchange(at, "smp_load_acquire(", "READ_ONCE(*", "order")
	exchange(at, "smp_store_release(", "WRITE_ONCE(*", "order")
	exchange(at, "atomic_cmpxchg(", "atomic_cmpxchg_relaxed(", "order")
}

# if (...) on one line.
function can_negate(at) {
	return line[at] ~ /^\t+(} else )?if \(.*\)( {)?$/ && balanced(line[at])
}

function negate(at,    text) {
	text = line[at]
	if (can_negate(at)) {
		sub(/if \(/, "if (!(", text)
		sub(/\)( {)?$/, ")&", text)
		emit("condition", edit(at, text))
	}
}

# Are two assignments to different places independent of each other?
function independent(a, b,    left, right) {
	if (!match(trim(a), /^([][a-z_>.*-]+) = ([^=(]+);$/, left)) return 0
	if (!match(trim(b), /^([][a-z_>.*-]+) = ([^=(]+);$/, right)) return 0
	return left[1] != right[1] && !index(left[2], right[1]) && !index(right[2], left[1])
}

# The last line of the statement that starts here, or 0.
function statement(at,    last, text) {
	text = trim(line[at])
	if (text == "") return 0
	if (text ~ /^(return|goto|case|default|struct|const|static|enum|unsigned|int|u32|u64|long|bool|char|ktime_t|do|else|if|for|while|switch|DECLARE_BITMAP|LIST_HEAD|DEFINE_|cond_resched|lockdep_|ntsync_assert|__acquire|#|\/|\*|}|{)/ || text ~ /:$/)
		return 0
	if (line[at - 1] !~ /([;{}:)]|else|\/|^do|\tdo)$/ && line[at - 1] != "")
		return 0
	text = ""
	for (last = at; last < at + 5; last++) {
		text = text line[last]
		if (text ~ /[{}]$/) return 0
		if (text ~ /;$/ && balanced(text)) return last
	}
	return 0
}

function without(from, to,    text, at) {
	text = edit(from, indent(line[from]) ";")
	for (at = from + 1; at <= to; at++) text = text "\036" edit(at, "")
	return text
}

# Does the order of two statements matter?  Not when they initialize a new object that no
# other thread can see, or both read a caller's memory.
function matters(a, b) {
	if ((a b) ~ /_init\(|init_[a-z_]+\(|INIT_LIST_HEAD\(|atomic_inc_return\(/) return 0
	return !independent(a, b) && (a !~ /unsafe_get_user/ || b !~ /unsafe_get_user/)
}

function statements(at,    last) {
	last = statement(at)
	if (!last) return
	emit(line[at] ~ /(_put|put_files?|free)\(/ ? "reference" : "statement", without(at, last))
	# Swaps two statements of one line each; not before break or continue.
	if (last == at && indent(line[at]) == indent(line[at + 1]) && statement(at + 1) == at + 1 &&
	    line[at + 1] !~ /\t(break|continue);/ && line[at - 1] !~ /\)$|else$/ &&
	    matters(line[at], line[at + 1]))
		emit("order of statements", edit(at, line[at + 1]) "\036" edit(at + 1, line[at]))
}

# Removes the locking from a function.
function unlocked(first, last, lock, unlock, kind,    at, edits, n, text) {
	for (at = first; at <= last; at++) {
		text = line[at]
		if (text !~ lock && text !~ unlock) continue
		if (text ~ /mutex_lock_killable/) sub(/mutex_lock_killable\(&[a-z>-]+multi_lock\)/, "0", text)
		else text = indent(text) ";"
		if (text == line[at]) continue
		edits = edits (n++ ? "\036" : "") edit(at, text)
	}
	if (n > 1) emit(kind, edits)
}

{ line[NR] = $0 }

END {
	for (at = 1; at <= NR; at++) {
		if (line[at] ~ /^\/\* [A-Z].*\*\/$/ && line[at - 1] == "" && line[at + 1] == "") {
			section = line[at]
			gsub(/^\/\* | \*\/$/, "", section)
		}
		# Some section names are the first words of a longer comment.
		if (line[at] == "/*" && line[at - 1] == "") head = line[at + 1]
		if (line[at] == " */" && line[at + 1] == "" && match(head, /^ \* ([^.;:]*)/, part) &&
		    at > 50) section = part[1]
		if (match(line[at], /(^|[ *])(ntsync_[a-z_]+)\(/, part) && line[at] ~ /^[a-z]/) name = part[2]
		if (line[at] ~ /^{/) { inside = at; continue }
		if (line[at] ~ /^}/ && inside) {
			unlocked(inside, at, "^\t+(spin_lock|ntsync_lock)\\(", "^\t+spin_unlock\\(", "lock")
			unlocked(inside, at, "mutex_lock(_killable)?\\(", "mutex_unlock\\(", "lock")
			inside = 0
		}
		if (!inside || line[at] ~ /^\t* ?\*|^\t*\/\*/) continue
		negate(at)
		operators(at)
		statements(at)
	}
}
