/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the stress programs: decisions that a seed repeats, and counts of results,
 * which are shared by many processes, with a table of them.
 */
#ifndef NTSYNC_STRESS_H
#define NTSYNC_STRESS_H

#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "ntsync_util.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Only what is stuck takes this long, even on a slow machine. */
#define STUCK_SECONDS	180

/* How often a program shows its progress. */
#define PROGRESS_SECONDS 10

/* Results of calls, by number. */

static const int answer_error[] = {
	0, EPERM, ENOENT, EINTR, EBADF, EAGAIN, ENOMEM, EFAULT, EBUSY, EEXIST,
	EINVAL, EMFILE, ENOTTY, ELOOP, EOVERFLOW, ETIMEDOUT, EOWNERDEAD,
};

/* The last one stands for any other. */
#define ANSWERS (ARRAY_SIZE(answer_error) + 1)

static inline unsigned int answer(int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answer_error); i++)
		if (answer_error[i] == error)
			break;
	return i;
}

/* A set of results is a word with a bit for each. */
static inline unsigned int may_say(int error)
{
	return 1u << answer(error);
}

static inline const char *answer_name(unsigned int i)
{
	if (i == ARRAY_SIZE(answer_error))
		return "other";
	return i ? strerrorname_np(answer_error[i]) : "success";
}

/* Counts, in memory that is shared. */

#define MAX_OPERATIONS	32

struct tally {
	atomic_uint n[MAX_OPERATIONS][ANSWERS];
};

static inline void count(struct tally *tally, unsigned int operation, int error)
{
	atomic_fetch_add_explicit(&tally->n[operation][answer(error)], 1,
				  memory_order_relaxed);
}

/* The sum of many tallies. */
struct totals {
	uint64_t n[MAX_OPERATIONS][ANSWERS];
};

static inline void add_up(struct totals *totals, struct tally *tally)
{
	for (unsigned int i = 0; i < MAX_OPERATIONS; i++)
		for (unsigned int j = 0; j < ANSWERS; j++)
			totals->n[i][j] += tally->n[i][j];
}

static inline uint64_t sum_operation(const struct totals *totals,
				     unsigned int operation)
{
	uint64_t sum = 0;

	for (unsigned int j = 0; j < ANSWERS; j++)
		sum += totals->n[operation][j];
	return sum;
}

/* Prints a row for each operation, and a column for each result that occurred. */
static inline void print_totals(const struct totals *totals, const char *title,
				const char *const *names, unsigned int rows)
{
	uint64_t given[ANSWERS] = { 0 };

	printf("# %-14s %10s", title, "calls");
	for (unsigned int j = 0; j < ANSWERS; j++) {
		for (unsigned int i = 0; i < rows; i++)
			given[j] += totals->n[i][j];
		if (given[j])
			printf(" %10s", answer_name(j));
	}
	printf("\n");
	for (unsigned int i = 0; i < rows; i++) {
		uint64_t sum = sum_operation(totals, i);

		if (!sum)
			continue;
		printf("# %-14s %10llu", names[i], (unsigned long long)sum);
		for (unsigned int j = 0; j < ANSWERS; j++)
			if (given[j])
				printf(" %10llu",
				       (unsigned long long)totals->n[i][j]);
		printf("\n");
	}
}

/* Decisions */

/* Makes a state, which is never 0, from a few small numbers. */
static inline uint64_t seed_of(uint64_t seed, unsigned int a, unsigned int b,
			       unsigned int c)
{
	const unsigned int more[] = { a, b, c };

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		seed = (seed + more[i] + 1) * 0x9e3779b97f4a7c15;
		seed ^= seed >> 29;
	}
	return seed | 1;
}

/* Marsaglia's xorshift, multiplied so that its high bits are good. */
static inline uint32_t draw(uint64_t *random)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (*random * 0x2545f4914f6cdd1d) >> 32;
}

static inline uint32_t below(uint64_t *random, uint32_t limit)
{
	return ((uint64_t)draw(random) * limit) >> 32;
}

static inline bool one_in(uint64_t *random, uint32_t n)
{
	return !below(random, n);
}

#define one_of(random, array)						\
({									\
	const typeof(array) *_array = &(array);				\
	(*_array)[below(random, ARRAY_SIZE(*_array))];			\
})

/* Messages: one write each, so messages of several processes do not mix. */

[[gnu::format(printf, 1, 2)]]
static inline void tell(const char *format, ...)
{
	char line[512];
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (len > (int)sizeof(line) - 1)
		len = sizeof(line) - 1;
	if (write(STDERR_FILENO, line, len) != len)
		_exit(1);
}

/* Counts an error, prints the first ten of all processes, and stops them. */
#define tell_wrong(wrong, stop, format, ...)				\
do {									\
	if (atomic_fetch_add(wrong, 1) < 10)				\
		tell(format, ##__VA_ARGS__);				\
	*(stop) = 1;							\
} while (0)

static inline void pause_ns(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static inline pid_t thread_id(void)
{
	return syscall(SYS_gettid);
}

/* Parses an option's argument, a whole number of at least 1, or exits. */
static inline unsigned long long number(const char *program, const char *name,
					const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || !value) {
		tell("%s: %s '%s' is not a positive whole number\n", program,
		     name, text);
		exit(2);
	}
	return value;
}

#endif /* NTSYNC_STRESS_H */
