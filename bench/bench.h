/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting instructions in a guest whose time-stamp counter advances by one
 * with each instruction (QEMU's -icount shift=0).
 */
#ifndef NTSYNC_BENCH_H
#define NTSYNC_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <x86intrin.h>
#include "rows.h"

void report(const struct result *result, double count);

/* Instructions of one call of @op: the cheapest of many batches. */
double count_instructions(operation op);

/*
 * The same for an operation in which threads take turns: the median.  Now and
 * then a thread is preempted where it would have blocked, and a few batches
 * are cheaper than all others.
 */
double count_turns(operation op);

uint64_t median(uint64_t *values, int count);

/* Runs @measure(@arg) in a separate process, which must succeed. */
void apart(void (*measure)(const void *arg), const void *arg);

/* Starts a thread on a small stack: there may be 10,000 of them. */
void start_thread(void *(*run)(void *arg), void *arg);

/* Returns when all other threads sleep. */
void let_others_sleep(void);

/* Starts a thread that sleeps, so that the process takes references to its files. */
void become_threaded(void);

/* The sections of the report. */
void measure_calls(bool threaded);
void measure_growth(void);
void measure_others(void);
void measure_cpus(void);
void measure_latency(void);

#endif /* NTSYNC_BENCH_H */
