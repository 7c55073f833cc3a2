// SPDX-License-Identifier: GPL-2.0
/*
 * Things that make programs slow, for lsntsync --top to find: a process whose threads
 *
 * - spin: "poller" keeps polling an event that is not set, "eager" keeps waiting for
 *   one that is always set;
 * - thrash: "ping" and "pong" keep handing an event to each other;
 * - block: "hog" has a mutex most of the time, and "blocked" waits for it;
 * - starve: "juggler" takes two mutexes in turn and always has one of them, and "starved"
 *   waits for both;
 * - are all right: "ticker" waits with a timeout of 10 ms.
 *
 * Its arguments name the threads to start; the default is all.  It says "ready" and runs
 * until its input ends.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "../ntsync_util.h"

#define MOMENT		(NSEC_PER_SEC / 100)

static int dev, unset, set, there, back, mutex, both[2], stop;
static atomic_bool over;

static void require(int ret)
{
	if (ret) {
		fprintf(stderr, "troubles: error %d\n", -ret);
		exit(1);
	}
}

/* Returns whether the object was acquired within a moment. */
static bool acquire(int object, __u32 owner)
{
	uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + MOMENT;
	int ret = wait_any(dev, &object, 1, owner, deadline, 0, NULL);

	if (ret != -ETIMEDOUT)
		require(ret);
	return !ret;
}

static void poll_unset(void)
{
	if (wait_any(dev, &unset, 1, 1, 0, 0, NULL) != -ETIMEDOUT)
		require(EINVAL);
}

static void wait_for_set(void)
{
	require(wait_any(dev, &set, 1, 2, FOREVER, 0, NULL));
}

static void hand_on(int mine, int other, __u32 owner)
{
	__u32 prev;

	if (acquire(mine, owner))
		require(event_set(other, &prev));
}

static void ping(void)
{
	hand_on(back, there, 3);
}

static void pong(void)
{
	hand_on(there, back, 4);
}

static void pause_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = MOMENT };

	nanosleep(&moment, NULL);
}

static void hog(void)
{
	if (!acquire(mutex, 5))
		return;
	pause_a_moment();
	require(mutex_unlock(mutex, 5, NULL));
}

static void block(void)
{
	if (acquire(mutex, 6))
		require(mutex_unlock(mutex, 6, NULL));
}

/* It has the first from the beginning. */
static void juggle(void)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		pause_a_moment();
		require(wait_any(dev, &both[!i], 1, 8, FOREVER, 0, NULL));
		require(mutex_unlock(both[i], 8, NULL));
	}
}

static void starve(void)
{
	require(wait_all(dev, both, 2, 9, FOREVER, stop, NULL));
}

static void tick(void)
{
	acquire(unset, 7);
}

static const struct {
	const char *name;
	void (*step)(void);
} parts[] = {
	{ "poller",	poll_unset },
	{ "eager",	wait_for_set },
	{ "ping",	ping },
	{ "pong",	pong },
	{ "hog",	hog },
	{ "blocked",	block },
	{ "ticker",	tick },
	{ "juggler",	juggle },
	{ "starved",	starve },
};

#define PARTS	(sizeof(parts) / sizeof(*parts))

static void *play(void *data)
{
	size_t part = (size_t)data;

	pthread_setname_np(pthread_self(), parts[part].name);
	while (!over)
		parts[part].step();
	return NULL;
}

static bool is_wanted(const char *name, char **names)
{
	bool any = *names;

	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return !any;
}

int main(int argc, char **argv)
{
	pthread_t threads[PARTS];
	bool started[PARTS] = { };
	__u32 prev;
	size_t i;

	(void)argc;
	dev = ntsync_open();
	if (dev < 0) {
		fprintf(stderr, "troubles: no /dev/ntsync\n");
		return 1;
	}
	unset = event_create(dev, 1, 0);
	set = event_create(dev, 1, 1);
	there = event_create(dev, 0, 0);
	back = event_create(dev, 0, 1);
	mutex = mutex_create(dev, 0, 0);
	both[0] = mutex_create(dev, 8, 1);
	both[1] = mutex_create(dev, 0, 0);
	stop = event_create(dev, 1, 0);
	for (i = 0; i < PARTS; i++) {
		started[i] = is_wanted(parts[i].name, argv + 1);
		if (started[i])
			pthread_create(&threads[i], NULL, play, (void *)i);
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	over = true;
	require(event_set(stop, &prev));
	for (i = 0; i < PARTS; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
	return 0;
}
