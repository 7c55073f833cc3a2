// SPDX-License-Identifier: GPL-2.0
/* Waking threads that sleep on another processor: many at once, and how soon one runs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "ntsync-bench.h"
#include "proc.h"

/* Shared by the process that signals and the one whose threads wait. */
static struct control {
	atomic_int woken;
	atomic_ullong when;
} *control;

static int dev, events[2];

static void create_events(bool manual, bool signaled)
{
	dev = ntsync_open();
	must(dev >= 0);
	events[0] = event_create(dev, manual, 0);
	events[1] = event_create(dev, 1, signaled);
	must(events[0] >= 0 && events[1] >= 0);
}

/* The process that waits */

static bool all_asleep(pid_t pid, int threads)
{
	char *folder = format("%d", pid);
	DIR *dir = open_folder("/proc", folder, "task");
	struct dirent *entry;
	int asleep = 0;

	must(dir);
	while ((entry = readdir(dir))) {
		struct status status;

		if (parse_id(entry->d_name) > 0 &&
		    read_status("/proc", entry->d_name, &status))
			asleep += status.state == 'S';
	}
	closedir(dir);
	free(folder);
	return asleep == threads;
}

/* It is a separate process that starts on the other processor. */
static pid_t start_process(void (*run)(const void *arg), const void *arg)
{
	pid_t parent = getpid(), pid;

	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(control != MAP_FAILED);
	move_to_cpu(options.cpus[1]);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			run(arg);
		_exit(1);
	}
	move_to_cpu(options.cpus[0]);
	return pid;
}

static void end_process(pid_t pid)
{
	must(!kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0) == pid);
}

/* Many at once */

static void *wait_in_turn(void *arg)
{
	for (int i = 0;; i = !i) {
		must(!wait_any(dev, &events[i], 1, 1, FOREVER, 0, NULL));
		control->woken++;
	}
	return arg;
}

static void run_crowd(const void *size)
{
	pthread_attr_t attr;
	pthread_t thread;

	must(!pthread_attr_init(&attr));
	must(!pthread_attr_setstacksize(&attr, 32768));
	for (int i = 1; i < *(const int *)size; i++)
		must(!pthread_create(&thread, &attr, wait_in_turn, NULL));
	wait_in_turn(NULL);
}

/* Nanoseconds per thread from the signal until the last one has run. */
static double wake_crowd(pid_t pid, int size, int event)
{
	uint64_t start;
	__u32 prev;

	while (!all_asleep(pid, size))
		;
	control->woken = 0;
	start = now_ns();
	must(!event_set(event, &prev));
	while (control->woken < size)
		;
	start = now_ns() - start;
	must(!event_reset(event, &prev));
	return (double)start / size;
}

static void measure_crowd(struct figure *figure, const void *row)
{
	const int *size = row;
	struct series series = { };
	uint64_t begin;
	pid_t pid;
	int i;

	create_events(true, false);
	pid = start_process(run_crowd, size);
	begin = now_ns();
	for (i = 0; goes_on(begin, series.nr); i = !i)
		series_add(&series, wake_crowd(pid, *size, events[i]));
	end_process(pid);
	sum_up(figure, &series, 0.5);
}

/* How soon */

static const double parts[] = { 0.5, 0.99, 0.999 };

static void run_waiter(const void *all)
{
	for (;;) {
		int ret = wait_call(dev, *(const bool *)all ?
				    NTSYNC_IOC_WAIT_ALL : NTSYNC_IOC_WAIT_ANY,
				    events, 2, 1, FOREVER, 0, NULL);

		control->when = now_ns();
		must(!ret);
		control->woken = 1;
	}
}

static double wake_one(pid_t pid)
{
	uint64_t start;
	__u32 prev;

	while (!all_asleep(pid, 1))
		;
	control->woken = 0;
	start = now_ns();
	must(!event_set(events[0], &prev));
	while (!control->woken)
		;
	return control->when - start;
}

/* Of two events; a wait for all finds the second one set. */
static void measure_latency(struct figure *figures, const void *row)
{
	struct series series = { };
	uint64_t begin;
	pid_t pid;

	create_events(false, *(const bool *)row);
	pid = start_process(run_waiter, row);
	begin = now_ns();
	while (goes_on(begin, series.nr))
		series_add(&series, wake_one(pid));
	end_process(pid);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum_up(&figures[i], &series, parts[i]);
}

static void measure_latencies(bool all)
{
	struct figure figures[ARRAY_SIZE(parts)] = { };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		figures[i].section = section_names[WAKES];
		figures[i].name = format("wake of a wait for %s of 2, %g %%",
					 all ? "all" : "any", 100 * parts[i]);
	}
	measure_quietly(figures, ARRAY_SIZE(parts), 2, measure_latency, &all);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		report_figure(&figures[i]);
}

void measure_wakes(void)
{
	static const int sizes[] = { 1, 10, 100, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct figure figure = {
			.section = section_names[WAKES],
			.name = format("a signal wakes %d, per waiter", sizes[i]),
		};

		measure_quietly(&figure, 1, 2, measure_crowd, &sizes[i]);
		report_figure(&figure);
	}
	measure_latencies(false);
	measure_latencies(true);
}
