// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a deadlock: threads that each own a mutex and wait for the next
 * thread's, in a ring, and zoe, who waits for the first thread's.  When Enter is
 * pressed, the first thread is declared dead, and the others continue one by one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ntsync.h>

#define MOST	8

static const char * const names[MOST] = {
	"anna", "ben", "cleo", "dora", "emil", "fay", "gus", "hanna",
};

static int device;
static int mutexes[MOST];
static int threads = 2;
static pthread_barrier_t all_have_one;

static void stop(const char *what)
{
	fprintf(stderr, "deadlock: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Returns whether the previous owner was declared dead. */
static bool lock(int mutex, __u32 owner)
{
	__u32 fd = mutexes[mutex];
	struct ntsync_wait_args args = {
		.timeout = UINT64_MAX,
		.objs = (uintptr_t)&fd,
		.count = 1,
		.owner = owner,
	};

	if (!ioctl(device, NTSYNC_IOC_WAIT_ANY, &args))
		return false;
	if (errno != EOWNERDEAD)
		stop("cannot wait");
	return true;
}

/* An owner that was declared dead owns the mutex no more. */
static void unlock(int mutex, __u32 owner)
{
	struct ntsync_mutex_args args = { .owner = owner };

	if (ioctl(mutexes[mutex], NTSYNC_IOC_MUTEX_UNLOCK, &args) &&
	    errno != EPERM)
		stop("cannot give up a mutex");
}

static void wait_for(const char *name, int mutex, __u32 owner)
{
	printf("%s waits for mutex %d\n", name, mutex + 1);
	printf("%s got mutex %d%s\n", name, mutex + 1,
	       lock(mutex, owner) ? ", which was abandoned" : "");
	unlock(mutex, owner);
}

static void *play(void *data)
{
	int me = (intptr_t)data;

	pthread_setname_np(pthread_self(), names[me]);
	lock(me, me + 1);
	printf("%s owns mutex %d\n", names[me], me + 1);
	pthread_barrier_wait(&all_have_one);
	wait_for(names[me], (me + 1) % threads, me + 1);
	unlock(me, me + 1);
	return NULL;
}

static void *come_late(void *unused)
{
	pthread_setname_np(pthread_self(), "zoe");
	pthread_barrier_wait(&all_have_one);
	wait_for("zoe", 0, MOST + 1);
	return unused;
}

static void declare_dead(int who)
{
	__u32 owner = who + 1;

	printf("%s is declared dead\n", names[who]);
	if (ioctl(mutexes[who], NTSYNC_IOC_MUTEX_KILL, &owner))
		stop("cannot declare an owner dead");
}

int main(int argc, char **argv)
{
	struct ntsync_mutex_args unowned = { };
	pthread_t thread[MOST + 1];
	int i;

	if (argc > 1)
		threads = atoi(argv[1]);
	if (argc > 2 || threads < 2 || threads > MOST) {
		fprintf(stderr, "usage: deadlock [THREADS], from 2 to %d\n", MOST);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open("/dev/ntsync", O_RDONLY | O_CLOEXEC);
	if (device < 0)
		stop("cannot open /dev/ntsync");
	for (i = 0; i < threads; i++) {
		mutexes[i] = ioctl(device, NTSYNC_IOC_CREATE_MUTEX, &unowned);
		if (mutexes[i] < 0)
			stop("cannot create a mutex");
	}
	pthread_barrier_init(&all_have_one, NULL, threads + 2);
	for (i = 0; i <= threads; i++)
		if (pthread_create(&thread[i], NULL,
				   i < threads ? play : come_late,
				   (void *)(intptr_t)i))
			stop("cannot create a thread");
	pthread_barrier_wait(&all_have_one);

	printf("Press Enter to end the deadlock, and before that see it with\n"
	       "lsntsync --deadlocks --pid %d\n", getpid());
	while (getchar() != '\n' && !feof(stdin))
		;
	declare_dead(0);
	for (i = 0; i <= threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
