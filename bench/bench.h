/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting instructions in a guest whose time-stamp counter advances by one
 * with each of them (QEMU's -icount shift=0).
 */
#ifndef NTSYNC_BENCH_H
#define NTSYNC_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
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

/**
 * struct result - a line of a table
 * @name: what was done
 * @size: of how many, in a row of several sizes
 * @dev: how many of its ioctls are made on the device,
 * @obj: and how many on an object: as many null ioctls are the floor
 * @limit: how much of the in-kernel driver's cost above the floor it may be,
 *	or, of a row of several sizes, of its own cost at the first size, or, of
 *	a stretch without preemption, how long it may be; 0 if there is no limit
 */
struct result {
	const char *name;
	int size;
	int dev;
	int obj;
	double limit;
};

void report(const struct result *result, double count);

/* Instructions of one call of @op: the cheapest of many batches. */
double count_instructions(operation op);

/*
 * The same of an operation in which threads take turns: the median.  Now and
 * then a thread is preempted where it would have blocked, and a few batches
 * are cheaper than all others.
 */
double count_turns(operation op);

uint64_t median(uint64_t *values, int count);

/* Runs @measure(@arg) in a process of its own, which must succeed. */
void apart(void (*measure)(const void *arg), const void *arg);

/* Starts a thread on a small stack: there may be 10,000 of them. */
void start_thread(void *(*run)(void *arg), void *arg);

/* Returns when this thread is the only one that does not sleep. */
void let_others_sleep(void);

/* A process with a thread that sleeps: its descriptors count references. */
void become_threaded(void);

/* The sections of the report. */
void measure_calls(bool threaded);
void measure_growth(void);
void measure_others(void);
void measure_cpus(void);
void measure_latency(void);

#endif /* NTSYNC_BENCH_H */
