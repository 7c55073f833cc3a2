// SPDX-License-Identifier: GPL-2.0
/* Choosing processors, and measuring on them while nothing else runs there. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ntsync-bench.h"

#define TRIES	3
#define SKEW	0.005	/* how much two clocks may differ */
#define LEAST	8	/* measurements of a row */
#define BLOCKS	4	/* parts of the time, which show how stable a figure is */

/* Series */

void series_add(struct series *series, double value)
{
	series->values = grow(series->values, series->nr, sizeof(value));
	series->values[series->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorts the series. */
double series_quantile(struct series *series, double part)
{
	if (!series->nr)
		return 0;
	qsort(series->values, series->nr, sizeof(*series->values), compare);
	return series->values[(size_t)(part * (series->nr - 1) + 0.5)];
}

/* Half of the range of the quantiles of @BLOCKS parts of the time. */
static double spread_of(const struct series *series, double part)
{
	struct series block, quantiles = { };
	size_t i;

	for (i = 0; i < BLOCKS; i++) {
		block.nr = series->nr / BLOCKS;
		block.values = series->values + i * block.nr;
		series_add(&quantiles, series_quantile(&block, part));
	}
	return (series_quantile(&quantiles, 1) - series_quantile(&quantiles, 0)) / 2;
}

void sum_up(struct figure *figure, const struct series *series, double part)
{
	struct series copy = { };
	size_t i;

	for (i = 0; i < series->nr; i++)
		series_add(&copy, series->values[i]);
	figure->ns = series_quantile(&copy, part);
	figure->above = figure->ns;
	figure->spread = spread_of(series, part);
}

/* Processors */

void move_to_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(EXIT_TROUBLE, "cannot run on processor %d", cpu);
}

/* Is @other in the list of processors that share a core with @cpu? */
static bool is_sibling(int cpu, int other)
{
	char *path = format("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
			    cpu);
	FILE *file = fopen(path, "re");
	int first, last;
	bool found = false;

	free(path);
	while (file && !found && fscanf(file, "%d", &first) == 1) {
		last = first;
		if (fscanf(file, "-%d", &last) < 0)
			last = first;
		found = other >= first && other <= last;
		if (fgetc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
	return found;
}

/* The first that is allowed and better, otherwise the first that is allowed. */
static int second_cpu(const cpu_set_t *allowed, int first)
{
	int cpu, other = -1;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed) || cpu == first)
			continue;
		if (!is_sibling(first, cpu))
			return cpu;
		if (other < 0)
			other = cpu;
	}
	return other;
}

static int first_cpu(const cpu_set_t *allowed)
{
	int cpu = 0;

	while (!CPU_ISSET(cpu, allowed))
		cpu++;
	return cpu;
}

void choose_cpus(void)
{
	bool both = options.sections & ~(1U << CALLS);
	cpu_set_t allowed;
	size_t i;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		err(EXIT_TROUBLE, "cannot ask for the processors");
	if (options.cpus[0] < 0) {
		options.cpus[0] = first_cpu(&allowed);
		options.cpus[1] = second_cpu(&allowed, options.cpus[0]);
	}
	for (i = 0; i < ARRAY_SIZE(options.cpus); i++)
		if (options.cpus[i] >= 0 && (options.cpus[i] >= CPU_SETSIZE ||
					     !CPU_ISSET(options.cpus[i], &allowed)))
			errx(EXIT_TROUBLE, "processor %d does not exist or may not be used",
			     options.cpus[i]);
	if (both && (options.cpus[1] < 0 || options.cpus[1] == options.cpus[0]))
		errx(EXIT_TROUBLE,
		     "two processors are needed and there is one: --section calls needs only one");
}

/* Quiet */

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

bool goes_on(uint64_t begin, size_t nr)
{
	return now_ns() - begin < options.seconds * NSEC_PER_SEC || nr < LEAST;
}

/* Runnable threads, without this one. */
static long others_running(void)
{
	FILE *file = fopen("/proc/loadavg", "re");
	long running = 1;

	if (!file || fscanf(file, "%*f %*f %*f %ld/", &running) != 1)
		err(EXIT_TROUBLE, "cannot read /proc/loadavg");
	fclose(file);
	return running - 1;
}

static bool is_crowded(int cpus)
{
	return others_running() + cpus > sysconf(_SC_NPROCESSORS_ONLN);
}

/* The results of the process that measures. */
static struct outcome {
	bool disturbed;
	struct figure figures[8];
} *outcome;

void tell_disturbed(void)
{
	outcome->disturbed = true;
}

/* It starts on the processor on which it measures. */
static void measure_apart(measure_t measure, const void *row)
{
	pid_t pid;
	int status;

	move_to_cpu(options.cpus[0]);
	pid = fork();
	if (pid < 0)
		err(EXIT_TROUBLE, "cannot fork");
	if (!pid) {
		measure(outcome->figures, row);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		errx(EXIT_TROUBLE, "'%s' could not be measured",
		     outcome->figures[0].name);
}

static bool clocks_agree(uint64_t time, uint64_t raw)
{
	return time > raw * (1 - SKEW) && time < raw * (1 + SKEW);
}

void measure_quietly(struct figure *figures, size_t nr, int cpus,
		     measure_t measure, const void *row)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	uint64_t time, raw;
	int try;

	if (!outcome)
		outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED)
		err(EXIT_TROUBLE, NULL);
	memcpy(outcome->figures, figures, nr * sizeof(*figures));
	for (try = 0; try < TRIES; try++) {
		if (try)
			nanosleep(&pause, NULL);
		outcome->disturbed = is_crowded(cpus);
		time = now_ns();
		raw = clock_ns(CLOCK_MONOTONIC_RAW);
		measure_apart(measure, row);
		time = now_ns() - time;
		raw = clock_ns(CLOCK_MONOTONIC_RAW) - raw;
		if (!outcome->disturbed && !is_crowded(cpus) &&
		    clocks_agree(time, raw))
			break;
	}
	memcpy(figures, outcome->figures, nr * sizeof(*figures));
	for (; nr; nr--)
		figures[nr - 1].disturbed = try == TRIES;
}
