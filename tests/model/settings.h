/* SPDX-License-Identifier: GPL-2.0 */
/* The settings of a random test in the environment, and its progress. */
#ifndef NTSYNC_SETTINGS_H
#define NTSYNC_SETTINGS_H

#include <stdlib.h>
#include "kselftest.h"
#include "ntsync_util.h"

#define DEFAULT_STEPS	50000

/* Of tests in which threads wait for each other. */
#define SLOWNESS	10

static inline uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);
	uint64_t number;
	char *end;

	if (!value || !*value)
		return otherwise;
	number = strtoull(value, &end, 10);
	if (*end)
		ksft_exit_fail_msg("%s=%s is not a number\n", name, value);
	return number;
}

/* At most one line in ten seconds. */
static inline void show_progress(const char *name, uint64_t done, uint64_t all)
{
	static uint64_t last;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!last)
		last = now;
	if (now - last < 10 * NSEC_PER_SEC)
		return;
	last = now;
	fprintf(stderr, "# %s: %llu of %llu steps\n", name,
		(unsigned long long)done, (unsigned long long)all);
}

#endif /* NTSYNC_SETTINGS_H */
