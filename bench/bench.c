// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the instructions that the operations of /dev/ntsync take, including those in
 * user space.  Prints lines of section, operation, size, ioctls on the device, ioctls
 * on objects, limit and count, separated by tabs.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "bench.h"

/*
 * Batches are short, so some of them end between two ticks of the kernel's
 * timer, and before another thread runs.
 */
#define WARM_UP	200
#define BATCHES	50
#define BATCH	20
#define BATCHES_OF_TURNS	501

static const char *section;

static void nothing(void)
{
}

static uint64_t count_batch(operation op)
{
	uint64_t start = __rdtsc();

	for (int i = 0; i < BATCH; i++)
		op();
	return __rdtsc() - start;
}

static uint64_t count_least(operation op)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < WARM_UP; i++)
		op();
	for (int i = 0; i < BATCHES; i++) {
		uint64_t count = count_batch(op);

		if (count < least)
			least = count;
	}
	return least;
}

double count_instructions(operation op)
{
	return (count_least(op) - count_least(nothing)) / (double)BATCH;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t median(uint64_t *values, int count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

double count_turns(operation op)
{
	static uint64_t counts[BATCHES_OF_TURNS];

	for (int i = 0; i < BATCHES_OF_TURNS; i++)
		counts[i] = count_batch(op);
	return (median(counts, BATCHES_OF_TURNS) - count_least(nothing)) /
	       (double)BATCH;
}

void report(const struct result *result, double count)
{
	printf("%s\t%s\t%d\t%d\t%d\t%g\t%.0f\n", section, result->name,
	       result->size, result->dev, result->obj, result->limit, count);
	fflush(stdout);
}

void apart(void (*measure)(const void *arg), const void *arg)
{
	pid_t pid = fork();
	int status;

	must(pid >= 0);
	if (!pid) {
		measure(arg);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	if (status)
		exit(1);
}

void start_thread(void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	must(!pthread_attr_init(&attr));
	must(!pthread_attr_setstacksize(&attr, 32768));
	must(!pthread_create(&thread, &attr, run, arg));
	pthread_attr_destroy(&attr);
}

void let_others_sleep(void)
{
	int running;

	do {
		FILE *file = fopen("/proc/loadavg", "re");

		must(file);
		must(fscanf(file, "%*f %*f %*f %d/", &running) == 1);
		fclose(file);
		usleep(1000);
	} while (running > 1);
}

static void *sleeper(void *arg)
{
	pause();
	return arg;
}

void become_threaded(void)
{
	start_thread(sleeper, NULL);
	let_others_sleep();
}

static void two_thousand_instructions(void)
{
	uint64_t turns = 1000;

	asm volatile("1: dec %0; jnz 1b" : "+r" (turns));
}

static bool counts_instructions(void)
{
	double count = count_instructions(two_thousand_instructions);

	return count >= 2000 && count < 2010;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 1 << 20, 1 << 20 };

	if (!counts_instructions()) {
		fputs("bench: the time-stamp counter does not count instructions here\n",
		      stderr);
		return 1;
	}
	must(!setrlimit(RLIMIT_NOFILE, &files));
	for (int i = 1; i < argc; i++) {
		section = argv[i];
		if (!strcmp(section, "calls")) {
			measure_calls(false);
		} else if (!strcmp(section, "threads")) {
			measure_calls(true);
		} else if (!strcmp(section, "growth")) {
			measure_growth();
		} else if (!strcmp(section, "others")) {
			measure_others();
		} else if (!strcmp(section, "cpus")) {
			measure_cpus();
		} else if (!strcmp(section, "latency")) {
			measure_latency();
		} else {
			fprintf(stderr, "bench: no section '%s'\n", section);
			return 1;
		}
	}
	return 0;
}
