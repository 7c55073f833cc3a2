/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rates: offers what each thread and each object did in an interval, counted from the
 * trace events, and the marks that follow from it.
 */
#ifndef RATES_H
#define RATES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "snapshot.h"
#include "trace.h"

/* The events that are counted. */
#define RATES_EVENTS							\
	(1 << EVENT_CREATE | 1 << EVENT_DESTROY | 1 << EVENT_QUEUE |	\
	 1 << EVENT_SIGNAL | 1 << EVENT_WAIT_END)

/* Waits in a second from which on a thread spins. */
#define SPIN_RATE	1000
/*
 * Hand-overs in a second each way from which on an object thrashes, and acquisitions from
 * which on they starve a thread.  An interval shorter than a second needs as many.
 */
#define THRASH_RATE	10
#define STARVED_RATE	10

struct counts {
	unsigned long any;	/* waits that ended; of an object, by acquiring it */
	unsigned long all;
	unsigned long once;	/* of these: at once, slept, ... */
	unsigned long slept;
	unsigned long timed_out;
	unsigned long interrupted;
	unsigned long ops[NR_OPS];
	unsigned long failed;	/* of these */
	unsigned long woken;	/* waits that these satisfied */
	unsigned long queued;	/* places in queues that waits took */
	unsigned long handed;	/* acquired after another thread's signal */
	unsigned long created;
	unsigned long destroyed;
	uint64_t asleep;	/* nanoseconds */
};

enum mark {
	MARK_NONE,
	MARK_SPIN,
	MARK_STARVED,
	MARK_THRASH,
};

struct thread {
	pid_t tid;
	pid_t pid;		/* 0 if it was gone before it was looked at */
	char name[64];
	struct counts counts;
	uint64_t queued_since;	/* 0 if it is not queued */
	enum mark mark;
};

struct traced {			/* an object */
	unsigned int instance;
	unsigned int id;
	unsigned int type;	/* enum type of snapshot.h */
	struct counts counts;
	pid_t signaler;		/* the last one, until it is acquired */
	pid_t pair[2];		/* who hands it over, the lower number first */
	unsigned long lead;	/* of this pair over others, while it is sought */
	unsigned long ways[2];	/* hand-overs from the first, and to it */
	unsigned long slept[2];	/* for how many of these the taker slept */
	unsigned long late;	/* acquired by waits that began in this interval */
	enum mark mark;
	char mates[2][64];	/* of a thrash: the names of the two */
};

struct rates {
	struct thread **threads;	/* those that did something, or wait */
	size_t nr_threads;
	struct traced **objects;
	size_t nr_objects;
	void *thread_tree;
	void *object_tree;
	uint64_t begin;		/* of the interval */
	uint64_t end;		/* until then all events are counted */
	double seconds;		/* how long it was */
};

struct rates *rates_begin(void);
void rates_wait(struct rates *rates, pid_t tid, uint64_t since);
void rates_count(const struct event *event, void *rates);
void rates_judge(struct rates *rates);
bool rates_may_starve(const struct rates *rates);
void rates_judge_waits(struct rates *rates, const struct snapshot *snapshot, uint64_t now);
void rates_next(struct rates *rates);

unsigned long count_waits(const struct counts *counts);
unsigned long count_signals(const struct counts *counts);

#endif /* RATES_H */
