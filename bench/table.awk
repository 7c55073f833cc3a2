#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
# What the guest printed, as a table: both modules side by side.
BEGIN { FS = "\t" }
{
	if (!($2 in dev))
		order[++rows] = $2
	count[$1, $2] = $6
	dev[$2] = $3
	obj[$2] = $4
	limit[$2] = $5
}
function least(name) {
	return count["theirs", name] < count["ours", name] ? count["theirs", name] : count["ours", name]
}
END {
	printf "%-36s %8s %8s %7s %7s %6s\n", "operation", "theirs", "ours", "floor", "ratio", "limit"
	for (i = 1; i <= rows; i++) {
		name = order[i]
		floor = dev[name] * least("null ioctl, device") + obj[name] * least("null ioctl, object")
		theirs = count["theirs", name]
		ours = count["ours", name]
		printf "%-36s %8d %8d", name, theirs, ours
		if (limit[name] > 0) {
			ratio = (ours - floor) / (theirs - floor)
			printf " %7d %7.3f %6.2f %s", floor, ratio, limit[name], ratio <= limit[name] ? "" : sprintf("over by %d", ours - floor - limit[name] * (theirs - floor) + 0.5)
		}
		print ""
	}
}
