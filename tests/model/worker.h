/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that make waits when they are told to. */
#ifndef NTSYNC_WORKER_H
#define NTSYNC_WORKER_H

#include <sched.h>
#include <semaphore.h>
#include "probe.h"

/*
 * @dev, @request, @args, @objs: the wait, filled in before it begins
 * @done, @ret: whether it has ended, and what it returned
 * @begin: posted for each wait
 * @ended: posted by each wait that has ended
 */
struct worker {
	int dev;
	unsigned long request;
	struct ntsync_wait_args args;
	int objs[NTSYNC_MAX_WAIT_COUNT];
	atomic_bool done;
	int ret;
	sem_t begin;
	sem_t ended;
	pthread_t thread;
	struct probe probe;
	bool ready;
};

static inline void *worker_main(void *data)
{
	struct worker *w = data;

	w->ready = probe_open(&w->probe);
	for (;;) {
		sem_post(&w->ended);
		while (sem_wait(&w->begin))
			;
		w->ret = ntsync_call(w->dev, w->request, &w->args);
		atomic_store(&w->done, true);
	}
	return NULL;
}

/* Creates the thread; returns true on success. */
static inline bool worker_start(struct worker *w)
{
	sem_init(&w->begin, 0, 0);
	sem_init(&w->ended, 0, 0);
	if (pthread_create(&w->thread, NULL, worker_main, w))
		return false;
	sem_wait(&w->ended);
	return w->ready;
}

/* Makes it SCHED_FIFO, or ordinary if @priority is 0; returns true on success. */
static inline bool worker_set_priority(struct worker *w, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return !pthread_setschedparam(w->thread,
				      priority ? SCHED_FIFO : SCHED_OTHER,
				      &param);
}

static inline void worker_begin(struct worker *w)
{
	atomic_store(&w->done, false);
	sem_post(&w->begin);
}

/* Like waiter_blocks(), for at most @seconds. */
static inline bool worker_blocks(struct worker *w, int seconds)
{
	__u64 limit = clock_ns(CLOCK_MONOTONIC) + seconds * NSEC_PER_SEC;

	for (int looks = 0; !atomic_load(&w->done); looks++) {
		if (probe_sleeps(&w->probe, w->request, &w->args))
			return true;
		if (clock_ns(CLOCK_MONOTONIC) > limit)
			break;
		if (looks < 100)
			sched_yield();
		else
			waiter_pause();
	}
	return false;
}

/* Returns the result of the wait, or WAITER_HANGS after @seconds. */
static inline int worker_end(struct worker *w, int seconds)
{
	struct timespec limit;

	/* Not CLOCK_REALTIME, because some tests step it. */
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += seconds;
	while (sem_clockwait(&w->ended, CLOCK_MONOTONIC, &limit))
		if (errno == ETIMEDOUT)
			return WAITER_HANGS;
	return w->ret;
}

#endif /* NTSYNC_WORKER_H */
