// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a given number of waits that end at once, and says how much processor time
 * each took.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../ntsync_util.h"

int main(int argc, char **argv)
{
	unsigned long i, polls = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int dev = ntsync_open(), event = dev < 0 ? dev : event_create(dev, 1, 1);
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (!polls || event < 0) {
		fprintf(stderr, "usage: polls NUMBER, where there is /dev/ntsync\n");
		return 1;
	}
	for (i = 0; i < polls; i++)
		if (wait_any(dev, &event, 1, 1, 0, 0, NULL))
			return 1;
	begin = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	printf("%lu ns for each wait\n", (unsigned long)(begin / polls));
	return 0;
}
