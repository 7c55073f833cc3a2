// SPDX-License-Identifier: GPL-2.0
/*
 * The longest time for which an operation disables preemption, between the first lock that it
 * takes and the last one that it drops.  The kernel's function tracer records the calls that
 * lock, unlock and wake, with the preemption count and the time, here in instructions.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include "bench.h"

#define TRACING	"/sys/kernel/tracing/"

/* The shortest of this many rounds counts. */
#define ROUNDS	5

/* The limit of instructions without preemption. */
#define LIMIT	4000

#define MOST_WATCHERS	1000

/**
 * struct stretch - a time without preemption
 * @length: in instructions, those of the tracer included
 * @events: how many the tracer has recorded in it, less one
 */
struct stretch {
	uint64_t length;
	int events;
};

static int dev, gate, common, own_events[MOST_WATCHERS];
static int set[NTSYNC_MAX_WAIT_COUNT];
static struct ntsync_wait_args all;
static int fdinfo;
static atomic_int ready;

static int tracing_on;
static double cost_of_event;

static void put(const char *name, const char *value)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	must(fd >= 0);
	/* The file takes one word of a list at a time. */
	while (*value) {
		ssize_t taken = write(fd, value, strlen(value));

		must(taken > 0);
		value += taken;
	}
	close(fd);
}

static void trace_this_thread(void)
{
	const struct sched_param urgent = { .sched_priority = 2 };
	char pid[16];

	/* The threads that it wakes do not preempt it. */
	must(!sched_setscheduler(0, SCHED_FIFO, &urgent));
	snprintf(pid, sizeof(pid), "%d", gettid());
	put("set_ftrace_pid", pid);
	tracing_on = open(TRACING "tracing_on", O_WRONLY | O_CLOEXEC);
	must(tracing_on >= 0);
}

/* Instructions of an operation while the tracer records it. */
static uint64_t trace(operation op)
{
	uint64_t start;

	put("trace", "");
	must(pwrite(tracing_on, "1", 1, 0) == 1);
	start = __rdtsc();
	op();
	start = __rdtsc() - start;
	must(pwrite(tracing_on, "0", 1, 0) == 1);
	return start;
}

/*
 * Read what was recorded, lines such as
 *	bench-71 [000] ...1. 123456789: _raw_spin_unlock <-ntsync_serve_and_wake
 * whose third flag is for interrupts and whose fourth is the preemption count, and find
 * the longest stretch.  The timer's ticks do not count, nor the gaps between two calls in
 * which they fall; nor does the scheduler when the thread goes to sleep.
 */
static struct stretch find_longest(int *total)
{
	FILE *file = fopen(TRACING "trace", "re");
	struct stretch longest = { 0 }, now = { 0 };
	bool interrupted = false, scheduling = false;
	uint64_t start = 0, last = 0;
	char line[256];

	must(file);
	*total = 0;
	while (fgets(line, sizeof(line), file)) {
		char *rest = strchr(line, ']');
		unsigned long long time;
		char signs[8], name[32];

		if (!rest || sscanf(rest + 1, "%7s %llu: %31s", signs, &time, name) != 3)
			continue;
		++*total;
		if (signs[2] != '.') {
			interrupted = true;
			continue;
		}
		if (interrupted) {
			start += time - last;
			now.events--;
		}
		interrupted = false;
		last = time;
		if (signs[3] == '.') {
			scheduling = !strcmp(name, "schedule");
			start = time;
			now = (struct stretch){ 0 };
			continue;
		}
		if (scheduling)
			continue;
		now.length = time - start;
		now.events++;
		if (now.length > longest.length)
			longest = now;
	}
	fclose(file);
	return longest;
}

/* Threads that wait for one object, or for all of two */

static void *wait_for_gate(void *arg)
{
	atomic_fetch_add(&ready, 1);
	for (;;)
		must(!wait_any(dev, &gate, 1, 1, FOREVER, 0, NULL));
	return arg;
}

static void *wait_urgently(void *arg)
{
	const struct sched_param urgent = { .sched_priority = 1 };

	must(!pthread_setschedparam(pthread_self(), SCHED_FIFO, &urgent));
	return wait_for_gate(arg);
}

static void *wait_for_two(void *arg)
{
	int *second = arg, both[] = { gate, *second };

	atomic_fetch_add(&ready, 1);
	for (;;)
		must(!wait_all(dev, both, 2, 1, FOREVER, 0, NULL));
	return arg;
}

static void wait_until_all_sleep(int count)
{
	while (atomic_load(&ready) < count)
		usleep(1000);
	let_others_sleep();
}

static void prepare_nothing(int count)
{
	(void)count;
}

static void prepare_waiters(int count)
{
	for (int i = 0; i < count; i++)
		start_thread(wait_for_gate, NULL);
	wait_until_all_sleep(count);
}

static void prepare_urgent(int count)
{
	for (int i = 0; i < count; i++)
		start_thread(wait_urgently, NULL);
	wait_until_all_sleep(count);
}

static void prepare_fdinfo(int count)
{
	char path[40];

	prepare_waiters(count);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", gate);
	fdinfo = open(path, O_RDONLY | O_CLOEXEC);
	must(fdinfo >= 0);
}

static void prepare_watchers(int count)
{
	for (int i = 0; i < count; i++)
		start_thread(wait_for_two, &common);
	wait_until_all_sleep(count);
}

static void prepare_satisfied(int count)
{
	prepare_watchers(count);
	must(!event_set(common, &(__u32){ 0 }));
}

static void prepare_different(int count)
{
	for (int i = 0; i < count; i++) {
		own_events[i] = event_create(dev, 1, 0);
		must(own_events[i] >= 0);
		start_thread(wait_for_two, &own_events[i]);
	}
	wait_until_all_sleep(count);
}

static void prepare_all(int count)
{
	for (int i = 0; i < count; i++) {
		set[i] = event_create(dev, 1, 1);
		must(set[i] >= 0);
	}
	all = (struct ntsync_wait_args) {
		.timeout = FOREVER, .objs = (uintptr_t)set, .count = count,
		.owner = 1,
	};
}

/* The operations */

static void do_nothing(void)
{
	must(ioctl(dev, _IO('N', 0), 0) < 0);
}

static void pulse_gate(void)
{
	must(!event_pulse(gate, &(__u32){ 0 }));
}

/* Sends the watches back to the gate. */
static void pulse_common(int count)
{
	(void)count;
	must(!event_pulse(common, &(__u32){ 0 }));
}

static void pulse_own_events(int count)
{
	for (int i = 0; i < count; i++)
		must(!event_pulse(own_events[i], &(__u32){ 0 }));
}

static void call_all(void)
{
	must(!ntsync_call(dev, NTSYNC_IOC_WAIT_ALL, &all));
}

/* Queues ahead of less urgent waiters, and leaves again. */
static void wait_a_moment(void)
{
	must(wait_any(dev, &gate, 1, 1, clock_ns(CLOCK_MONOTONIC) + 100000,
		      0, NULL) < 0 &&
	     errno == ETIMEDOUT);
}

static void read_fdinfo(void)
{
	static char text[1 << 16];
	ssize_t length;

	must(!lseek(fdinfo, 0, SEEK_SET));
	do {
		length = read(fdinfo, text, sizeof(text));
		must(length >= 0);
	} while (length);
}

/**
 * struct latency_row - an operation, with several numbers of waiters or objects
 * @name: of the operation
 * @prepare: makes them
 * @op: the operation
 * @repair: undoes the changes; NULL if there are none
 * @counts: the numbers; a 0 ends them
 */
struct latency_row {
	const char *name;
	void (*prepare)(int count);
	operation op;
	void (*repair)(int count);
	int counts[5];
};

static const struct latency_row rows[] = {
	{ "null ioctl", prepare_nothing, do_nothing, NULL, { 1 } },
	{ "wait for all of N, signaled", prepare_all, call_all, NULL,
	  { 2, 9, 10, 64 } },
	{ "pulse, N waiters", prepare_waiters, pulse_gate, NULL,
	  { 1, 100, 1000, 10000 } },
	{ "join N real-time waiters, and leave", prepare_urgent, wait_a_moment,
	  NULL, { 1, 100, 1000 } },
	{ "read fdinfo, N waiters", prepare_fdinfo, read_fdinfo, NULL,
	  { 1, 100, 1000 } },
	{ "pulse, N watchers with the same set", prepare_watchers, pulse_gate,
	  pulse_common, { 1, 100, 1000 } },
	{ "pulse, N watchers with different sets", prepare_different,
	  pulse_gate, pulse_own_events, { 1, 100, 1000 } },
	{ "pulse, N watchers that it satisfies", prepare_satisfied, pulse_gate,
	  NULL, { 1, 100, 1000 } },
};

static const struct latency_row *row;

static void prepare(int count)
{
	dev = ntsync_open();
	gate = event_create(dev, 1, 0);
	common = event_create(dev, 1, 0);
	must(dev >= 0 && gate >= 0 && common >= 0);
	row->prepare(count);
	trace_this_thread();
}

static void measure(const void *arg)
{
	const int *count = arg;
	const struct result result = {
		.name = row->name, .size = *count, .limit = LIMIT,
	};
	double longest, least = 1e18;
	struct stretch stretch;
	int total;

	prepare(*count);
	for (int i = 0; i < ROUNDS; i++) {
		let_others_sleep();
		trace(row->op);
		if (row->repair)
			row->repair(*count);
		stretch = find_longest(&total);
		longest = stretch.length - stretch.events * cost_of_event;
		if (longest < least)
			least = longest;
	}
	report(&result, least);
}

/* What recording adds, measured by an operation with many events. */
static void calibrate(void)
{
	uint64_t without, with = UINT64_MAX;
	int total;

	row = &rows[1];
	prepare(NTSYNC_MAX_WAIT_COUNT);
	put("current_tracer", "nop");
	without = count_instructions(call_all);
	put("current_tracer", "function");
	for (int i = 0; i < 10; i++) {
		uint64_t count = trace(call_all);

		if (count < with)
			with = count;
	}
	find_longest(&total);
	must(total >= NTSYNC_MAX_WAIT_COUNT);
	cost_of_event = (double)(with - without) / total;
}

void measure_latency(void)
{
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	put("tracing_on", "0");
	put("buffer_size_kb", "16384");
	put("trace_clock", "x86-tsc");
	put("set_ftrace_filter", "_raw_spin_*lock* wake_up_process schedule");
	calibrate();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row = &rows[i];
		for (int j = 0; j < 5 && row->counts[j]; j++)
			apart(measure, &row->counts[j]);
	}
	put("current_tracer", "nop");
}
