// SPDX-License-Identifier: GPL-2.0
/*
 * A process with 10000 objects and 1000 threads, each of which waits for any of
 * several objects or for all of two.  It says "ready" when they all wait, and ends
 * when its input ends.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/resource.h>
#include "../waiter.h"

#define OBJECTS		10000
#define WAITERS		1000
#define OF_ANY		8

static int objects[OBJECTS];
static struct waiter waiters[WAITERS];

static void stop(const char *what)
{
	fprintf(stderr, "crowd: %s\n", what);
	exit(1);
}

static void create_objects(int dev)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		objects[i] = i % 3 == 0 ? event_create(dev, 0, 0) :
			     i % 3 == 1 ? mutex_create(dev, OBJECTS + i, 1) :
					  sem_create(dev, 0, 1);
		if (objects[i] < 0)
			stop("cannot create an object");
	}
}

/* Owners are the threads' places; those of the mutexes are no one's. */
static void start_waiters(int dev)
{
	const int *objs;
	bool all;
	int i;

	for (i = 0; i < WAITERS; i++) {
		all = i % 2;
		objs = &objects[i % 100 * OF_ANY];
		if (!waiter_start_blocked(&waiters[i], dev,
					  all ? NTSYNC_IOC_WAIT_ALL :
						NTSYNC_IOC_WAIT_ANY,
					  objs, all ? 2 : OF_ANY, i + 1, 0))
			stop("a thread does not wait");
	}
}

int main(void)
{
	struct rlimit files = { OBJECTS + 100, OBJECTS + 100 };
	int dev = ntsync_open();

	if (dev < 0)
		stop("no /dev/ntsync");
	if (setrlimit(RLIMIT_NOFILE, &files))
		stop("cannot have so many descriptors");
	create_objects(dev);
	start_waiters(dev);
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
