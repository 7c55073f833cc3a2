// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on several CPUs at the same time, on different objects and on a shared one.
 * lines/lines.c counts the cache lines that more than one of them writes.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "bench.h"
#include "marks.h"

#define MOST_CPUS	8
#define OPERATIONS	500

enum shared {
	OWN_OBJECTS,	/* one instance */
	OWN_INSTANCES,
	OWN_PROCESSES,	/* and one instance; each is a process of one thread */
	ONE_OBJECT,
};

/**
 * struct worker - what the thread of a CPU works on
 * @dev: its instance
 * @objs: its objects, events that are signaled
 * @there: never signaled for long; the worker's helper waits for it
 * @back: signaled by the helper
 */
struct worker {
	int dev;
	int objs[2];
	int mutex;
	int there;
	int back;
};

typedef void (*work_t)(const struct worker *worker);

/**
 * struct cpus_row - an operation that all CPUs repeat
 * @name: of the operation
 * @work: does it once
 * @shared: what the CPUs share
 * @helped: each CPU has a second thread, which answers the first
 */
struct cpus_row {
	const char *name;
	work_t work;
	enum shared shared;
	bool helped;
};

static struct worker workers[MOST_CPUS];
static const struct cpus_row *row;
static int cpu_count;

/* Shared with workers that are processes. */
static struct progress {
	atomic_int ready;
	atomic_int done;
	atomic_ullong begun;
	atomic_ullong ended;
} *progress;

static void set_reset(const struct worker *worker)
{
	__u32 prev;

	must(!event_set(worker->objs[0], &prev));
	must(!event_reset(worker->objs[0], &prev));
}

static void any_one(const struct worker *worker)
{
	must(!wait_any(worker->dev, worker->objs, 1, 1, FOREVER, 0, NULL));
}

static void poll_one(const struct worker *worker)
{
	must(wait_any(worker->dev, &worker->there, 1, 1, 0, 0, NULL) ==
	     -ETIMEDOUT);
}

static void all_two(const struct worker *worker)
{
	must(!wait_all(worker->dev, worker->objs, 2, 1, FOREVER, 0, NULL));
}

static void lock_unlock(const struct worker *worker)
{
	must(!wait_any(worker->dev, &worker->mutex, 1, 1, FOREVER, 0, NULL));
	must(!mutex_unlock(worker->mutex, 1, NULL));
}

static void create_close(const struct worker *worker)
{
	must(!close(event_create(worker->dev, 0, 0)));
}

static void round_trip(const struct worker *worker)
{
	__u32 prev;

	must(!event_set(worker->there, &prev));
	must(!wait_any(worker->dev, &worker->back, 1, 1, FOREVER, 0, NULL));
}

static void round_trip_all(const struct worker *worker)
{
	const int both[] = { worker->back, worker->objs[1] };
	__u32 prev;

	must(!event_set(worker->there, &prev));
	must(!wait_all(worker->dev, both, 2, 1, FOREVER, 0, NULL));
}

static const struct cpus_row rows[] = {
	{ "set + reset", set_reset, OWN_OBJECTS, false },
	{ "any of 1, signaled", any_one, OWN_OBJECTS, false },
	{ "poll any of 1", poll_one, OWN_OBJECTS, false },
	{ "all of 2, signaled", all_two, OWN_OBJECTS, false },
	{ "mutex lock + unlock", lock_unlock, OWN_OBJECTS, false },
	{ "round trip of two threads", round_trip, OWN_OBJECTS, true },
	{ "round trip, one waits for all of 2", round_trip_all, OWN_OBJECTS,
	  true },
	{ "create + close", create_close, OWN_OBJECTS, false },
	{ "any of 1, own instances", any_one, OWN_INSTANCES, false },
	{ "all of 2, own instances", all_two, OWN_INSTANCES, false },
	{ "round trip, own instances", round_trip, OWN_INSTANCES, true },
	{ "round trip for all of 2, own inst.", round_trip_all, OWN_INSTANCES,
	  true },
	{ "create + close, own instances", create_close, OWN_INSTANCES, false },
	{ "any of 1, processes of one thread", any_one, OWN_PROCESSES, false },
	{ "set + reset, one event for all", set_reset, ONE_OBJECT, false },
	{ "any of 1, one event for all", any_one, ONE_OBJECT, false },
};

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

static void prepare_worker(int i)
{
	struct worker *worker = &workers[i];

	if (i && row->shared == ONE_OBJECT) {
		*worker = workers[0];
		return;
	}
	worker->dev = i && row->shared != OWN_INSTANCES ? workers[0].dev :
							  ntsync_open();
	must(worker->dev >= 0);
	for (int j = 0; j < 2; j++)
		worker->objs[j] = event_create(worker->dev, 1, 1);
	worker->mutex = mutex_create(worker->dev, 0, 0);
	worker->there = event_create(worker->dev, 0, 0);
	worker->back = event_create(worker->dev, 0, 0);
	must(worker->objs[1] >= 0 && worker->mutex >= 0 && worker->back >= 0);
}

static void *help(void *arg)
{
	const struct worker *worker = arg;
	__u32 prev;

	stay_on(worker - workers);
	for (;;) {
		must(!wait_any(worker->dev, &worker->there, 1, 2, FOREVER, 0,
			       NULL));
		must(!event_set(worker->back, &prev));
	}
	return NULL;
}

/* All begin together, as far as the emulator allows. */
static void *run_worker(void *arg)
{
	const struct worker *worker = arg;

	stay_on(worker - workers);
	for (int i = 0; i < 100; i++)
		row->work(worker);
	atomic_fetch_add(&progress->ready, 1);
	while (atomic_load(&progress->ready) < cpu_count)
		_mm_pause();

	if (worker == workers)
		atomic_store(&progress->begun, __rdtsc());
	mark(MARK_BEGIN);
	for (int i = 0; i < OPERATIONS; i++) {
		mark(MARK_OPERATION);
		row->work(worker);
		/* The emulator switches to the next CPU. */
		_mm_pause();
	}
	mark(MARK_END);
	if (atomic_fetch_add(&progress->done, 1) + 1 == cpu_count)
		atomic_store(&progress->ended, __rdtsc());
	return NULL;
}

static void start_worker(int i)
{
	if (row->helped)
		start_thread(help, &workers[i]);
	if (row->shared != OWN_PROCESSES) {
		start_thread(run_worker, &workers[i]);
	} else if (!fork()) {
		run_worker(&workers[i]);
		_exit(0);
	}
}

static void measure_row(const void *arg)
{
	struct result result = { .size = cpu_count };

	row = arg;
	result.name = row->name;
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(progress != MAP_FAILED);
	for (int i = 0; i < cpu_count; i++)
		prepare_worker(i);
	for (int i = 0; i < cpu_count; i++)
		start_worker(i);
	while (!atomic_load(&progress->ended))
		usleep(1000);
	mark(MARK_REPORT);
	report(&result, (progress->ended - progress->begun) /
			(double)(OPERATIONS * cpu_count));
}

void measure_cpus(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (cpu_count = 1; cpu_count <= MOST_CPUS; cpu_count *= 2)
			apart(measure_row, &rows[i]);
}
