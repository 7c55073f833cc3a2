// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes, each on its own processor, that work on objects at the same time.
 * They are not threads of one process, and neither are clients of Wine.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "ntsync-bench.h"

#define ROUND_NS	2000000
#define ROOM		8	/* for the producer */

typedef void (*work_t)(int side);

/**
 * struct pair - what two processes do
 * @name: of the row
 * @type: of the objects
 * @work: what a side does repeatedly
 * @aside: the second side only disturbs, until the first is done
 */
struct pair {
	const char *name;
	enum type type;
	work_t work[2];
	bool aside;
};

/* Shared by both sides. */
static struct control {
	atomic_ulong arrived;
	atomic_ulong done;	/* rounds, of the first side */
	atomic_bool stop;
	size_t size;		/* operations of a round */
} *control;

static int dev, objs[NTSYNC_MAX_WAIT_COUNT];

/* What they do */

static void wait_for(int obj, int side)
{
	must(!wait_any(dev, &obj, 1, side + 1, FOREVER, 0, NULL));
}

static void set(int event)
{
	__u32 prev;

	must(!event_set(event, &prev));
}

static void release(int sem)
{
	__u32 count = 1;

	must(!sem_release(sem, &count));
}

static void set_reset(int obj)
{
	__u32 prev;

	set(obj);
	must(!event_reset(obj, &prev));
}

static void lock_unlock(int obj, int side)
{
	wait_for(obj, side);
	must(!mutex_unlock(obj, side + 1, NULL));
}

static void own_event(int side)
{
	set_reset(objs[side]);
}

static void one_event([[gnu::unused]] int side)
{
	set_reset(objs[0]);
}

static void own_mutex(int side)
{
	lock_unlock(objs[side], side);
}

static void one_mutex(int side)
{
	lock_unlock(objs[0], side);
}

/* Each side takes two of a ring of three; they have one in common. */
static void two_of_ring(int side)
{
	const int two[] = { objs[side], objs[side + 1] };

	must(!wait_all(dev, two, 2, side + 1, FOREVER, 0, NULL));
	must(!mutex_unlock(two[0], side + 1, NULL));
	must(!mutex_unlock(two[1], side + 1, NULL));
}

static void produce(int side)
{
	wait_for(objs[0], side);
	release(objs[1]);
}

static void consume(int side)
{
	wait_for(objs[1], side);
	release(objs[0]);
}

static void ping(int side)
{
	set(objs[0]);
	wait_for(objs[1], side);
}

static void pong(int side)
{
	wait_for(objs[0], side);
	set(objs[1]);
}

/* The last one is for the side that disturbs, and seldom signaled. */
static void poll_64(int side)
{
	int ret = wait_any(dev, objs, NTSYNC_MAX_WAIT_COUNT, side + 1, 0, 0, NULL);

	must(!ret || ret == -ETIMEDOUT);
}

static void pulse_last([[gnu::unused]] int side)
{
	__u32 prev;

	must(!event_pulse(objs[NTSYNC_MAX_WAIT_COUNT - 1], &prev));
}

static const struct pair pairs[] = {
	{ .name = "event set + reset, own events",
	  .work = { own_event, own_event } },
	{ .name = "event set + reset, one event",
	  .work = { one_event, one_event } },
	{ .name = "mutex lock + unlock, own mutexes", .type = MUTEX,
	  .work = { own_mutex, own_mutex } },
	{ .name = "mutex lock + unlock, one mutex", .type = MUTEX,
	  .work = { one_mutex, one_mutex } },
	{ .name = "all of 2 of a ring, and unlock", .type = MUTEX,
	  .work = { two_of_ring, two_of_ring } },
	{ .name = "producer and consumer", .type = SEM,
	  .work = { produce, consume } },
	{ .name = "ping-pong, round trip", .work = { ping, pong } },
	{ .name = "poll any of 64, disturbed", .work = { poll_64, pulse_last },
	  .aside = true },
};

/* Rounds */

/* Returns when both sides have called this so many times. */
static void meet(unsigned long times)
{
	atomic_fetch_add(&control->arrived, 1);
	while (atomic_load(&control->arrived) < 2 * times)
		;
}

static void work_aside(const struct pair *pair, unsigned long round)
{
	while (atomic_load(&control->done) <= round)
		pair->work[1](1);
}

static void work_round(const struct pair *pair, int side, unsigned long round)
{
	if (side && pair->aside) {
		work_aside(pair, round);
		return;
	}
	for (size_t i = 0; i < control->size; i++)
		pair->work[side](side);
	if (!side)
		atomic_store(&control->done, round + 1);
}

static void second_side(const struct pair *pair)
{
	for (unsigned long round = 0;; round++) {
		meet(2 * round + 1);
		if (control->stop)
			return;
		work_round(pair, 1, round);
		meet(2 * round + 2);
	}
}

/* Measures until both are done. */
static uint64_t time_round(const struct pair *pair, unsigned long round)
{
	uint64_t start, end;

	meet(2 * round + 1);
	start = now_ns();
	work_round(pair, 0, round);
	end = now_ns();
	meet(2 * round + 2);
	return (pair->aside ? end : now_ns()) - start;
}

static void first_side(const struct pair *pair, struct figure *figure)
{
	struct series series = { };
	uint64_t begin = now_ns(), time;
	unsigned long round = 0;

	control->size = 1;
	while (time_round(pair, round++) < ROUND_NS)
		control->size *= 2;
	do {
		time = time_round(pair, round++);
		series_add(&series, (double)time / control->size);
	} while (goes_on(begin, series.nr));
	control->stop = true;
	meet(2 * round + 1);
	sum_up(figure, &series, 0.5);
}

/* Each starts on its processor, because user-mode Linux may not move it later. */
static void start_side(const struct pair *pair, int side, struct figure *figure)
{
	pid_t parent = getpid(), pid;

	move_to_cpu(options.cpus[side]);
	pid = fork();
	must(pid >= 0);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (side)
		second_side(pair);
	else
		first_side(pair, figure);
	_exit(0);
}

static int create(const struct pair *pair)
{
	switch (pair->type) {
	case SEM:
		return sem_create(dev, 0, ROOM);
	case MUTEX:
		return mutex_create(dev, 0, 0);
	default:
		return event_create(dev, 0, 0);
	}
}

static void measure_pair(struct figure *figure, const void *row)
{
	const struct pair *pair = row;
	int status;

	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(control != MAP_FAILED);
	dev = ntsync_open();
	must(dev >= 0);
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = create(pair);
		must(objs[i] >= 0);
	}
	for (int i = 0; i < ROOM && pair->type == SEM; i++)
		release(objs[0]);
	start_side(pair, 1, figure);
	start_side(pair, 0, figure);
	for (int i = 0; i < 2; i++)
		must(wait(&status) > 0 && !status);
}

void measure_processors(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct figure figure = {
			.section = section_names[PROCESSORS],
			.name = pairs[i].name,
		};

		measure_quietly(&figure, 1, 2, measure_pair, &pairs[i]);
		report_figure(&figure);
	}
}
