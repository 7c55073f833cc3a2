#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
# Prints the output of the guest (see bench.c; each line begins with the name of a
# module) as tables, or with -v csv=1 as comma-separated values.  The modules are
# theirs, ours, and possibly other; rows that need no module are under others.
BEGIN { FS = "\t" }

{ key = $2 SUBSEP $3 SUBSEP $4 }
!(key in place) { order[place[key] = ++rows] = key; dev[key] = $5; obj[key] = $6; limit[key] = $7 }
{ count[$1, key] = $8; seen[$1] = 1; has[$2] = 1 }

# The cheapest null ioctl that any of the modules has.
function null(section, what,	module, cost, least) {
	for (module in seen) {
		cost = count[module, section, "null ioctl, " what, 0]
		if (cost && (!least || cost < least))
			least = cost
	}
	return least
}

function floor_of(key, section) {
	return (dev[key] ? dev[key] * null(section, "device") : 0) + \
		(obj[key] ? obj[key] * null(section, "object") : 0)
}

function above(module, key, floor) {
	return (count[module, key] - floor) / (count["theirs", key] - floor)
}

# How a cost compares with another, as text.  A small one may be below what was subtracted.
function ratio(cost, base, decimals) {
	return cost > 0 && base > 0 ? sprintf("%." decimals "f", cost / base) : "-"
}

# How a cost compares with the same operation's at its first size.
function growth(module, key, first) {
	return ratio(count[module, key], count[module, first], 2)
}

function verdict(value, limit) {
	return !limit ? "" : sprintf(limit < 100 ? "%6.2f  %s" : "%6d  %s", limit,
		value + 0 <= limit + 0 ? "met" : "MISSED")
}

function line(text) {
	sub(/ +$/, "", text)
	print text
}

function calls(section, title,	i, key, part, floor, text, is_null) {
	printf "%s\n\n", title
	line(sprintf("%-36s %7s %7s%s %7s %7s%s %6s", "operation", "theirs", "ours", \
		has_other ? "   other" : "", "floor", "ratio", has_other ? "   other" : "", "limit"))
	for (i = 1; i <= rows; i++) {
		key = order[i]
		split(key, part, SUBSEP)
		if (part[1] != section)
			continue
		floor = floor_of(key, section)
		is_null = part[2] ~ /^null ioctl/
		text = sprintf("%-36s %7d %7d%s", part[2], count["theirs", key], count["ours", key], \
			has_other ? sprintf(" %7d", count["other", key]) : "")
		if (!is_null)
			text = text sprintf(" %7d %7.3f%s %s", floor, above("ours", key, floor), \
				has_other ? sprintf(" %7.3f", above("other", key, floor)) : "", \
				verdict(above("ours", key, floor), limit[key]))
		line(text)
	}
	print ""
}

function grows(section, title,	i, key, part, first, text) {
	printf "%s\n\n", title
	line(sprintf("%-37s %8s %8s %8s%s %7s %7s %7s %6s", "operation", "N", "theirs", "ours", \
		has_other ? "    other" : "", "ratio", "theirs", "ours", "limit"))
	line(sprintf("%-37s %8s %8s %8s%s %7s %7s %7s", "", "", "", "", \
		has_other ? "         " : "", "", "grows", "grows"))
	for (i = 1; i <= rows; i++) {
		key = order[i]
		split(key, part, SUBSEP)
		if (part[1] != section)
			continue
		if (!(part[2] in firsts))
			firsts[part[2]] = key
		first = firsts[part[2]]
		text = sprintf("%-37s %8d %8d %8d%s %7s %7s %7s %s", part[2], part[3], \
			count["theirs", key], count["ours", key], \
			has_other ? sprintf(" %8d", count["other", key]) : "", \
			ratio(count["ours", key], count["theirs", key], 3), \
			growth("theirs", key, first), growth("ours", key, first), \
			verdict(section == "latency" ? count["ours", key] : \
				growth("ours", key, first), limit[key]))
		line(text)
	}
	print ""
}

# The operations of the calls by other means; a name is "operation|means".
function others(title,	i, key, part, half, cost, work, works, list, j, name) {
	printf "%s\n\n", title
	for (i = 1; i <= rows; i++) {
		split(order[i], part, SUBSEP)
		if (part[1] != "others")
			continue
		split(part[2], half, "|")
		cost[half[1], half[2]] = count["others", order[i]]
		if (half[1] ~ /^any one/)
			server = count["others", order[i]]
		else if (!(half[1] in work)) {
			work[half[1]] = 1
			list[++works] = half[1]
		}
	}
	printf "%-36s %8s %8s %8s %12s %8s\n", "operation", "theirs", "ours", "eventfd", "futex_waitv", "server"
	for (j = 1; j <= works; j++) {
		name = list[j]
		# Futexes and rings of threads are of one process with others.
		key = (name ~ /threads/ ? "threads" : "calls") SUBSEP name SUBSEP 0
		printf "%-36s %8d %8d %8d %12d %8d\n", name, count["theirs", key], count["ours", key], \
			cost[name, "eventfd"], cost[name, "futex_waitv"], \
			server * (name ~ /release|round trip/ ? 2 : 1)
	}
	print ""
}

# Of each operation a line, of each module the lines it writes in common.
function several(title,	i, j, key, part, modules, names, lines) {
	printf "%s\n\n", title
	modules = split(has_other ? "theirs ours other" : "theirs ours", names, " ")
	printf "%-36s", "operation"
	for (i = 1; i <= modules; i++)
		printf "%11s%14s", names[i], "lines"
	printf "\n%-36s", "on so many CPUs"
	for (i = 1; i <= modules; i++)
		printf "%6d%6d%5d%4d%4d", 1, 8, 2, 4, 8
	print ""
	for (i = 1; i <= rows; i++) {
		split(order[i], part, SUBSEP)
		if (part[1] != "cpus" || part[3] != 1)
			continue
		printf "%-36s", part[2]
		for (j = 1; j <= modules; j++) {
			key = names[j] SUBSEP "cpus" SUBSEP part[2] SUBSEP
			lines = names[j] SUBSEP "lines" SUBSEP part[2] SUBSEP
			printf "%6d%6d%5d%4d%4d", count[key 1], count[key 8], \
				count[lines 2], count[lines 4], count[lines 8]
		}
		print ""
	}
	print ""
}

function write_csv(	i, key, part, floor) {
	print "section,operation,size,theirs,ours,other,floor,limit"
	for (i = 1; i <= rows; i++) {
		key = order[i]
		split(key, part, SUBSEP)
		floor = part[1] ~ /calls|threads/ ? floor_of(key, part[1]) : ""
		printf "%s,\"%s\",%d,%s,%s,%s,%s,%s\n", part[1], part[2], part[3], count["theirs", key], \
			count["ours", key], count["other", key] count["others", key], floor, \
			limit[key] + 0 ? limit[key] : ""
	}
}

END {
	has_other = "other" in seen
	if (csv) {
		write_csv()
		exit
	}
	if (has["calls"])
		calls("calls", "Instructions of one operation; ratio = (ours - floor) / (theirs - floor)")
	if (has["threads"])
		calls("threads", "The same in a process of two threads")
	if (has["others"])
		others("The same work by other means")
	if (has["growth"])
		grows("growth", "Among many; ratio = ours / theirs; grows: compared with the first N")
	if (has["cpus"])
		several("Several CPUs at once; lines of the cache that several CPUs write in each operation")
	if (has["latency"])
		grows("latency", "Instructions of the longest stretch without preemption")
}
