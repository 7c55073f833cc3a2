// SPDX-License-Identifier: GPL-2.0
/* How the cost of operations grows with the number of objects and waiters. */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include "bench.h"

/* The median of this many rounds counts, or of fewer if there are many threads. */
#define ROUNDS		51
#define ROUNDS_OF_MANY	5

/* How often a mutex is passed on in a round. */
#define HAND_OVERS	50

static int dev, obj, second, never;

static int must_create(bool manual, bool signaled)
{
	int fd = event_create(dev, manual, signaled);

	must(fd >= 0);
	return fd;
}

static void prepare(void)
{
	dev = ntsync_open();
	must(dev >= 0);
	obj = must_create(true, false);
	second = must_create(true, false);
	never = must_create(true, false);
}

static void set_reset(void)
{
	__u32 prev;

	must(!event_set(obj, &prev));
	must(!event_reset(obj, &prev));
}

/* Objects of a wait */

static int objs[NTSYNC_MAX_WAIT_COUNT];
static struct ntsync_wait_args args;

static void call_any(void)
{
	must(!ntsync_call(dev, NTSYNC_IOC_WAIT_ANY, &args));
}

static void call_all(void)
{
	must(!ntsync_call(dev, NTSYNC_IOC_WAIT_ALL, &args));
}

static void prepare_wait(int count, bool first_ones)
{
	prepare();
	for (int i = 0; i < count; i++)
		objs[i] = must_create(true, first_ones || i == count - 1);
	args = (struct ntsync_wait_args) {
		.timeout = FOREVER, .objs = (uintptr_t)objs, .count = count,
		.owner = 1,
	};
}

static void measure_any(const void *arg)
{
	const struct result *result = arg;

	prepare_wait(result->size, false);
	report(result, count_instructions(call_any));
}

static void measure_all(const void *arg)
{
	const struct result *result = arg;

	prepare_wait(result->size, true);
	report(result, count_instructions(call_all));
}

/* Threads that take part, and when the last of each round passed. */

static atomic_int ready, passed;
static int per_round;
static uint64_t stamps[ROUNDS + 1];
static sem_t ended;

static void start_threads(void *(*run)(void *arg), void *arg, int count)
{
	must(!sem_init(&ended, 0, 0));
	for (int i = 0; i < count; i++)
		start_thread(run, arg);
	while (atomic_load(&ready) < count)
		usleep(1000);
	let_others_sleep();
}

/* Waiters on an object */

static void *wait_again(void *arg)
{
	atomic_fetch_add(&ready, 1);
	for (;;) {
		must(!wait_any(dev, &obj, 1, 1, FOREVER, 0, NULL));
		if (atomic_fetch_add(&passed, 1) + 1 == per_round) {
			stamps[1] = __rdtsc();
			must(!sem_post(&ended));
		}
	}
	return arg;
}

static uint64_t count_pulse(void)
{
	__u32 prev;

	let_others_sleep();
	atomic_store(&passed, 0);
	stamps[0] = __rdtsc();
	must(!event_pulse(obj, &prev));
	must(!sem_wait(&ended));
	return stamps[1] - stamps[0];
}

static void measure_waiters(const void *arg)
{
	const struct result *result = arg;
	int rounds = result->size > 100 ? ROUNDS_OF_MANY : ROUNDS;
	uint64_t counts[ROUNDS];

	prepare();
	per_round = result->size;
	start_threads(wait_again, NULL, result->size);
	count_pulse();
	for (int i = 0; i < rounds; i++)
		counts[i] = count_pulse();
	report(result, median(counts, rounds) / (double)result->size);
}

/* Hand-over of a mutex */

static void *lock_again(void *arg)
{
	__u32 owner = atomic_fetch_add(&ready, 1) + 2;

	for (;;) {
		must(!wait_any(dev, &obj, 1, owner, FOREVER, 0, NULL));
		/* The thread that has the mutex is counted too. */
		if (passed % HAND_OVERS == 0)
			stamps[passed / HAND_OVERS] = __rdtsc();
		if (passed++ == ROUNDS * HAND_OVERS) {
			must(!sem_post(&ended));
			pause();
		}
		must(!mutex_unlock(obj, owner, NULL));
	}
	return arg;
}

static void measure_hand_over(const void *arg)
{
	const struct sched_param ordinary = { };
	const struct result *result = arg;
	uint64_t counts[ROUNDS];

	prepare();
	obj = mutex_create(dev, 1, 1);
	must(obj >= 0);
	/*
	 * A thread of this class does not preempt the one that wakes it, which
	 * therefore queues again before the next unlock.
	 */
	must(!sched_setscheduler(0, SCHED_BATCH, &ordinary));
	/* Two more: the owner, and a thread that the timer has preempted. */
	start_threads(lock_again, NULL, result->size + 2);
	must(!mutex_unlock(obj, 1, NULL));
	must(!sem_wait(&ended));
	for (int i = 0; i < ROUNDS; i++)
		counts[i] = stamps[i + 1] - stamps[i];
	report(result, median(counts, ROUNDS) / (double)HAND_OVERS);
}

/* Unsatisfiable waits-for-all */

static void *wait_for_both(void *arg)
{
	atomic_fetch_add(&ready, 1);
	must(wait_all(dev, arg, 2, 1, FOREVER, 0, NULL));
	return arg;
}

static void measure_watched(const void *arg)
{
	const struct result *result = arg;
	int both[2];

	prepare();
	both[0] = obj;
	both[1] = never;
	/* With no other waits, the process has threads as well. */
	become_threaded();
	start_threads(wait_for_both, both, result->size);
	report(result, count_instructions(set_reset));
}

static void set_reset_both(void)
{
	__u32 prev;

	set_reset();
	must(!event_set(second, &prev));
	must(!event_reset(second, &prev));
}

static void measure_alternating(const void *arg)
{
	const struct result *result = arg;
	int both[2];

	prepare();
	both[0] = obj;
	both[1] = second;
	become_threaded();
	start_threads(wait_for_both, both, result->size);
	report(result, count_instructions(set_reset_both));
}

/* Threads that wait for the object and for one of their own each */

static void *wait_for_own(void *arg)
{
	int both[] = { obj, must_create(true, false) };

	(void)arg;
	return wait_for_both(both);
}

static void measure_different(const void *arg)
{
	const struct result *result = arg;

	prepare();
	become_threaded();
	start_threads(wait_for_own, NULL, result->size);
	report(result, count_instructions(set_reset));
}

/* Half of the threads wait for A and B, half for A and C. */

static void set_reset_three(void)
{
	__u32 prev;

	set_reset_both();
	must(!event_set(never, &prev));
	must(!event_reset(never, &prev));
}

static void measure_two_kinds(const void *arg)
{
	const struct result *result = arg;
	int sets[2][2];

	prepare();
	sets[0][0] = obj;
	sets[0][1] = second;
	sets[1][0] = obj;
	sets[1][1] = never;
	become_threaded();
	start_threads(wait_for_both, sets[0], result->size / 2);
	atomic_store(&ready, 0);
	start_threads(wait_for_both, sets[1], result->size / 2);
	report(result, count_instructions(set_reset_three));
}

/* Objects and instances */

static void measure_objects(const void *arg)
{
	const struct result *result = arg;

	prepare();
	for (int i = 1; i < result->size; i++)
		obj = must_create(true, false);
	report(result, count_instructions(set_reset));
}

static void measure_instances(const void *arg)
{
	const struct result *result = arg;

	for (int i = 0; i < result->size; i++)
		prepare();
	report(result, count_instructions(set_reset));
}

static long slab_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[80];
	long kbytes = -1;

	must(file);
	while (kbytes < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Slab: %ld kB", &kbytes);
	fclose(file);
	must(kbytes >= 0);
	return kbytes * 1024;
}

static void measure_memory(const void *arg)
{
	const struct result *result = arg;
	long before;

	prepare();
	before = slab_bytes();
	for (int i = 0; i < result->size; i++)
		must_create(true, false);
	report(result, (slab_bytes() - before) / (double)result->size);
}

/* One operation at several sizes: a 0 that is not the first ends them. */
struct growth {
	const char *name;
	void (*measure)(const void *result);
	double limit;
	int sizes[8];
};

static const struct growth growths[] = {
	{ "any of N, last signaled", measure_any, 0,
	  { 1, 2, 4, 8, 16, 32, 64 } },
	{ "all of N, signaled", measure_all, 0,
	  { 1, 2, 4, 8, 16, 32, 64 } },
	{ "pulse to N waiters, per waiter", measure_waiters, 0,
	  { 1, 10, 100, 1000, 10000 } },
	{ "mutex handed over among N", measure_hand_over, 0,
	  { 1, 10, 100, 1000, 10000 } },
	{ "set + reset, N waits for all", measure_watched, 1.05,
	  { 0, 16, 64, 256, 1000 } },
	{ "the same, of two in turn", measure_alternating, 0,
	  { 0, 16, 64, 256, 1000 } },
	{ "set + reset, N different sets", measure_different, 1.05,
	  { 0, 16, 64, 256, 1000 } },
	{ "A, B, C in turn, N for A B or A C", measure_two_kinds, 0,
	  { 0, 16, 64, 256, 1000 } },
	{ "set + reset, N objects", measure_objects, 0,
	  { 1, 1000, 100000, 1000000 } },
	{ "set + reset, N instances", measure_instances, 0,
	  { 1, 1000, 100000 } },
	{ "slab bytes per object of N", measure_memory, 0,
	  { 100000, 1000000 } },
};

void measure_growth(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(growths); i++) {
		const struct growth *growth = &growths[i];

		for (int j = 0; !j || growth->sizes[j]; j++) {
			struct result result = {
				.name = growth->name, .size = growth->sizes[j],
				.limit = j ? growth->limit : 0,
			};

			apart(growth->measure, &result);
		}
	}
}
