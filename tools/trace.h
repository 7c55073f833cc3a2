/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading tracefs: offers the driver's trace events as structures, in the order in
 * which they happened.  They go to a separate instance of tracefs, so that other tracers
 * are not disturbed, and end with the program.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As the driver numbers them; its types count from 0, those of snapshot.h from 1. */
enum op {
	OP_RELEASE,
	OP_UNLOCK,
	OP_KILL,
	OP_SET,
	OP_PULSE,
	NR_OPS,
};

/* The ret of a wait to which a signal came, before the kernel restarts the call. */
#define ERESTARTSYS	512

enum event_kind {
	EVENT_CREATE,
	EVENT_DESTROY,
	EVENT_WAIT_BEGIN,
	EVENT_QUEUE,
	EVENT_ACQUIRE,
	EVENT_SIGNAL,
	EVENT_WAIT_END,
	NR_EVENT_KINDS,
};

/* Documentation/ntsync.rst says what the fields mean, and which event has which. */
struct event {
	enum event_kind kind;
	uint64_t time;		/* CLOCK_MONOTONIC, in nanoseconds */
	size_t place;		/* among those of the same time */
	uint32_t tid;
	uint32_t instance;
	uint32_t object;
	uint32_t type;
	uint32_t all;
	uint32_t count;
	uint32_t alert;
	uint32_t owner;
	uint32_t holder;
	uint32_t index;
	uint32_t op;
	uint32_t ret;
	uint32_t woken;
	uint64_t timeout;
	uint64_t serial;
	uint64_t waited;
};

typedef void event_handler(const struct event *event, void *data);

/* The clock of the events. */
uint64_t trace_now(void);

void trace_begin(unsigned int kinds, const unsigned int *pids, size_t nr_pids);
uint64_t trace_read(event_handler *handle, void *data);
unsigned long long trace_lost(void);
bool trace_name(pid_t tid, char name[64]);

/* Whether the user has asked for an end, by Ctrl-C or another signal. */
bool trace_interrupted(void);

#endif /* TRACE_H */
