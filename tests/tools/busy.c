// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose threads keep waiting for one another, in cycles too, and in which
 * every wait ends.  Two of the threads give up a wait after 10 ms, or after as many
 * milliseconds as the argument says: a cycle that lasts long enough to be seen.  It
 * runs until its input ends, then says how many rounds there were.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "../ntsync_util.h"

#define PAIR		2	/* mutexes that two threads take in both orders */
#define THREADS		8

static int dev, gate, event;
static int guarded[PAIR], timed[PAIR], rescued[PAIR], together[PAIR];
static uint64_t patience = 10 * NSEC_PER_MSEC;
static atomic_bool over;
static atomic_ulong rounds;

static void require(int ret)
{
	if (ret) {
		fprintf(stderr, "busy: error %d\n", -ret);
		exit(1);
	}
}

static int lock(int mutex, __u32 owner, uint64_t timeout)
{
	return wait_any(dev, &mutex, 1, owner, timeout, 0, NULL);
}

static void unlock(int mutex, __u32 owner)
{
	require(mutex_unlock(mutex, owner, NULL));
}

/* Time for others to queue, and for their waits to be seen. */
static void work(void)
{
	const struct timespec moment = { .tv_nsec = 300000 };

	nanosleep(&moment, NULL);
}

/* Both orders, but never both at once. */
static void behind_a_gate(const int *first, const int *second, __u32 owner)
{
	require(lock(gate, owner, FOREVER));
	require(lock(*first, owner, FOREVER));
	work();
	require(lock(*second, owner, FOREVER));
	unlock(gate, owner);
	work();
	unlock(*second, owner);
	work();
	unlock(*first, owner);
}

/* A circle until one gives up. */
static void with_a_deadline(const int *first, const int *second, __u32 owner)
{
	uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + patience;
	int ret;

	require(lock(*first, owner, FOREVER));
	work();
	ret = lock(*second, owner, deadline);
	if (!ret)
		unlock(*second, owner);
	else if (ret != -ETIMEDOUT)
		require(ret);
	unlock(*first, owner);
}

/* A circle until someone sets the event. */
static void until_an_event(const int *first, const int *second, __u32 owner)
{
	int objs[] = { *second, event };
	__u32 index;

	require(lock(*first, owner, FOREVER));
	work();
	require(wait_any(dev, objs, 2, owner, FOREVER, 0, &index));
	if (!index)
		unlock(*second, owner);
	unlock(*first, owner);
}

/* Both or none. */
static void both_at_once(const int *first, const int *second, __u32 owner)
{
	int objs[] = { *first, *second };

	require(wait_all(dev, objs, 2, owner, FOREVER, 0, NULL));
	work();
	unlock(*first, owner);
	work();
	unlock(*second, owner);
}

static void *play(void *data)
{
	static void (*const games[])(const int *first, const int *second,
				     __u32 owner) = {
		behind_a_gate, with_a_deadline, until_an_event, both_at_once,
	};
	static const int *const mutexes[] = {
		guarded, timed, rescued, together,
	};
	unsigned int me = (uintptr_t)data, game = me / 2, first = me % 2;

	while (!over) {
		games[game](&mutexes[game][first], &mutexes[game][!first],
			    me + 1);
		rounds++;
	}
	return NULL;
}

static void *set_events(void *unused)
{
	__u32 prev;

	while (!over) {
		work();
		require(event_set(event, &prev));
	}
	/* Two threads may wait for it. */
	while (rounds) {
		work();
		require(event_set(event, &prev));
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS], setter;
	unsigned int i;

	if (argc > 1)
		patience = strtoul(argv[1], NULL, 10) * NSEC_PER_MSEC;
	dev = ntsync_open();
	if (dev < 0) {
		fprintf(stderr, "busy: no /dev/ntsync\n");
		return 1;
	}
	gate = mutex_create(dev, 0, 0);
	event = event_create(dev, 0, 0);
	for (i = 0; i < PAIR; i++) {
		guarded[i] = mutex_create(dev, 0, 0);
		timed[i] = mutex_create(dev, 0, 0);
		rescued[i] = mutex_create(dev, 0, 0);
		together[i] = mutex_create(dev, 0, 0);
	}
	pthread_create(&setter, NULL, set_events, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, play, (void *)(uintptr_t)i);
	while (getchar() != EOF)
		;
	over = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%lu rounds\n", rounds);
	rounds = 0;
	pthread_join(setter, NULL);
	return 0;
}
