// SPDX-License-Identifier: GPL-2.0
/* Single operations on one processor, alternating with the same number of null ioctls. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include "ntsync-bench.h"

/*
 * Batches are short, so most of them have the processor to themselves, and only
 * the fastest fiftieth counts.
 */
#define BATCH_NS	400000
#define FASTEST		0.02
#define SLACK		4	/* one of so many may be interrupted */

static int null_fd;

/* No driver knows this ioctl. */
static void null_ioctl(void)
{
	ioctl(null_fd, _IO('N', 0), NULL);
}

static long times_preempted(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static uint64_t time_batch(operation op, size_t size)
{
	uint64_t start = now_ns();

	for (size_t i = 0; i < size; i++)
		op();
	return now_ns() - start;
}

/* How many calls take about the time of a batch. */
static size_t batch_size(operation op)
{
	size_t size = 1;

	while (time_batch(op, size) < BATCH_NS / 2)
		size *= 2;
	return size;
}

struct measured {
	struct series whole;
	struct series floor;
	size_t preempted;
};

/* Alternately, so both are measured under the same conditions. */
static void measure_batch(const struct row *row, size_t size,
			  struct measured *measured)
{
	long before = times_preempted();
	int calls = row->result.dev + row->result.obj;

	series_add(&measured->floor,
		   (double)time_batch(null_ioctl, size * calls) / size);
	series_add(&measured->whole, (double)time_batch(row->op, size) / size);
	measured->preempted += times_preempted() != before;
}

static void measure_row(struct figure *figure, const void *arg)
{
	const struct row *row = arg;
	struct figure floor = { };
	struct measured measured = { };
	uint64_t begin;
	size_t size;

	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	must(null_fd >= 0);
	prepare_row(row);
	size = batch_size(row->op);
	begin = now_ns();
	do {
		measure_batch(row, size, &measured);
	} while (goes_on(begin, measured.whole.nr));
	if (measured.preempted * SLACK > measured.whole.nr)
		tell_disturbed();
	sum_up(&floor, &measured.floor, FASTEST);
	sum_up(figure, &measured.whole, FASTEST);
	figure->floor = floor.ns;
	figure->above -= floor.ns;
	figure->spread += floor.spread;
}

void measure_calls(void)
{
	for (size_t i = 0; i < nr_single_rows; i++) {
		const struct row *row = &single_rows[i];
		struct figure figure = {
			.section = section_names[CALLS],
			.name = row->result.name,
		};

		/* An operation that does nothing is the floor. */
		if (!row->result.limit)
			continue;
		measure_quietly(&figure, 1, 1, measure_row, row);
		report_figure(&figure);
	}
}
