/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Single operations of /dev/ntsync, which bench.c measures in instructions and
 * tools/ntsync-bench.c in time.
 */
#ifndef NTSYNC_ROWS_H
#define NTSYNC_ROWS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "../tests/ntsync_util.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Ends the program if an operation does not have the expected result. */
#define must(cond)							\
do {									\
	if (!(cond)) {							\
		fprintf(stderr, "%s: %s:%d: failed: %s\n",		\
			program_invocation_short_name, __FILE__,	\
			__LINE__, #cond);				\
		exit(1);						\
	}								\
} while (0)

typedef void (*operation)(void);

/**
 * struct result - a line of a table
 * @name: of the operation
 * @size: how many, in a row of several sizes
 * @dev: how many of its ioctls are on the device
 * @obj: and how many on an object; as many null ioctls are the floor
 * @limit: the most that it may cost, as a share of the in-kernel driver's cost
 *	above the floor; for several sizes, of its own cost at the first size; for
 *	a stretch without preemption, in instructions; 0 if there is no limit
 */
struct result {
	const char *name;
	int size;
	int dev;
	int obj;
	double limit;
};

enum type { EVENT, MUTEX, SEM };

enum signaled { NONE, LAST, ALL_BUT_LAST, ALL };

/**
 * struct row - an operation to be counted
 * @result: how it is reported
 * @op: the operation
 * @type: of the objects
 * @request: of its wait
 * @count: number of objects of the wait
 * @signaled: which of them are signaled
 * @timeout: of the wait
 * @alert: the wait has an alert, which is not signaled
 */
struct row {
	struct result result;
	operation op;
	enum type type;
	unsigned long request;
	int count;
	enum signaled signaled;
	uint64_t timeout;
	bool alert;
};

extern const struct row single_rows[];
extern const size_t nr_single_rows;

/* Creates the objects of the operation. */
void prepare_row(const struct row *row);

#endif /* NTSYNC_ROWS_H */
