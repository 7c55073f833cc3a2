/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting instructions in a guest whose time-stamp counter advances by one
 * with each (QEMU's -icount shift=0).
 */
#ifndef NTSYNC_BENCH_H
#define NTSYNC_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>
#include "../tests/ntsync_util.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Ends the program if what it measures does not do what it should. */
#define must(cond)							\
do {									\
	if (!(cond)) {							\
		fprintf(stderr, "bench: %s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #cond);				\
		exit(1);						\
	}								\
} while (0)

typedef void (*operation)(void);

/* Instructions of one call of @op, the cheapest of many batches. */
double count_instructions(operation op);

#endif /* NTSYNC_BENCH_H */
