/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits in separate threads, and a way to know that they block.
 *
 * /proc shows what a thread does in the kernel: a wait blocks when its thread sleeps (state
 * S) in the waiter's ioctl.  A call that satisfies a wait wakes its thread before it returns,
 * so if the wait still blocks after a call, the call did not end it.
 */
#ifndef NTSYNC_WAITER_H
#define NTSYNC_WAITER_H

#ifndef _GNU_SOURCE
#error "waiter.h needs _GNU_SOURCE, defined before the first #include"
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include "ntsync_util.h"

/* Longer than anything takes except a hang. */
#define WAITER_LIMIT_SEC	120

/* What waiter_join() returns for a wait that does not end. */
#define WAITER_HANGS		(-10000)

struct waiter {
	int dev;
	unsigned long request;
	struct ntsync_wait_args args;
	int objs[NTSYNC_MAX_WAIT_COUNT];
	pthread_t thread;
	atomic_int tid;
	atomic_bool done;
	int ret;
};

/* Gives other threads time, in a loop that waits for a condition. */
static inline void waiter_pause(void)
{
	struct timespec moment = { .tv_nsec = 500000 };

	nanosleep(&moment, NULL);
}

/* The state of @tid, a thread or another process, as in /proc; 0 if it is gone. */
static inline char thread_state(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	/* Not /proc/TID/stat, which adds up all threads of the process. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tid, tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* The name in parentheses may itself contain parentheses. */
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

/*
 * Does @tid, a thread or another process, sleep in ioctl(..., @request, @arg) now?  /proc
 * shows the call of a thread that is just being woken too, and state S of one that was woken
 * and looks whether it may return.  One that sleeps is in state S before and after.
 */
static inline bool thread_in_ioctl(pid_t tid, unsigned long request,
				   const void *arg)
{
	unsigned long call[3];
	char path[64];
	long nr = -1;
	FILE *file;

	if (thread_state(tid) != 'S')
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", tid, tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%ld %lx %lx %lx", &nr, &call[0], &call[1],
		   &call[2]) != 4)
		nr = -1;
	fclose(file);
	return nr == SYS_ioctl && call[1] == request &&
	       call[2] == (unsigned long)arg && thread_state(tid) == 'S';
}

static inline void *waiter_main(void *data)
{
	struct waiter *w = data;

	atomic_store(&w->tid, syscall(SYS_gettid));
	w->ret = ntsync_call(w->dev, w->request, &w->args);
	atomic_store(&w->done, true);
	return NULL;
}

/* Starts the wait that @w->dev, @w->request and @w->args describe. */
static inline int waiter_run(struct waiter *w)
{
	atomic_init(&w->tid, 0);
	atomic_init(&w->done, false);
	return -pthread_create(&w->thread, NULL, waiter_main, w);
}

/* Prepares a wait without a timeout. */
static inline void waiter_fill(struct waiter *w, int dev, unsigned long request,
			       const int *objs, __u32 count, __u32 owner,
			       int alert)
{
	w->dev = dev;
	w->request = request;
	if (count)
		memcpy(w->objs, objs, count * sizeof(*objs));
	w->args = (struct ntsync_wait_args) {
		.timeout = FOREVER,
		.objs = (uintptr_t)w->objs,
		.count = count,
		.index = UINT32_MAX,
		.owner = owner,
		.alert = alert,
	};
}

static inline int waiter_start(struct waiter *w, int dev, unsigned long request,
			       const int *objs, __u32 count, __u32 owner,
			       int alert)
{
	waiter_fill(w, dev, request, objs, count, owner, alert);
	return waiter_run(w);
}

/*
 * Returns true as soon as the wait sleeps, and false if it has returned (or does neither
 * for so long that something must be broken).
 */
static inline bool waiter_blocks(struct waiter *w)
{
	__u64 limit = clock_ns(CLOCK_MONOTONIC) +
		      WAITER_LIMIT_SEC * NSEC_PER_SEC;

	while (clock_ns(CLOCK_MONOTONIC) < limit) {
		pid_t tid = atomic_load(&w->tid);

		if (atomic_load(&w->done))
			return false;
		if (tid && thread_in_ioctl(tid, w->request, &w->args))
			return true;
		waiter_pause();
	}
	return false;
}

/* Returns the result of the wait, or WAITER_HANGS if it does not return. */
static inline int waiter_join(struct waiter *w)
{
	struct timespec limit;

	/* Not CLOCK_REALTIME, because some tests step it. */
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += WAITER_LIMIT_SEC;
	if (pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &limit))
		return WAITER_HANGS;
	return w->ret;
}

/* Starts a wait and returns whether it blocks. */
static inline bool waiter_start_blocked(struct waiter *w, int dev,
					unsigned long request, const int *objs,
					__u32 count, __u32 owner, int alert)
{
	return !waiter_start(w, dev, request, objs, count, owner, alert) &&
	       waiter_blocks(w);
}

#endif /* NTSYNC_WAITER_H */
