// SPDX-License-Identifier: GPL-2.0
/* Single operations: what each of them costs. */
#define _GNU_SOURCE
#include "bench.h"

static void measure_row(const void *arg)
{
	const struct row *row = arg;

	prepare_row(row);
	report(&row->result, count_instructions(row->op));
}

static void measure_threaded_row(const void *arg)
{
	become_threaded();
	measure_row(arg);
}

/* Two threads that wake each other. */

static int dev, there, back;

static void *answer(void *arg)
{
	for (;;) {
		__u32 prev;

		must(!wait_any(dev, &there, 1, 2, FOREVER, 0, NULL));
		must(!event_set(back, &prev));
	}
	return arg;
}

static void round_trip(void)
{
	__u32 prev;

	must(!event_set(there, &prev));
	must(!wait_any(dev, &back, 1, 1, FOREVER, 0, NULL));
}

static void measure_round_trip(const void *arg)
{
	dev = ntsync_open();
	must(dev >= 0);
	there = event_create(dev, 0, 0);
	back = event_create(dev, 0, 0);
	must(there >= 0 && back >= 0);
	start_thread(answer, NULL);
	let_others_sleep();
	report(arg, count_turns(round_trip));
}

void measure_calls(bool threaded)
{
	/* The limit is for the total, not above a floor. */
	static const struct result trip = {
		.name = "two threads, two events, round trip", .limit = 0.95,
	};

	for (size_t i = 0; i < nr_single_rows; i++)
		apart(threaded ? measure_threaded_row : measure_row, &single_rows[i]);
	if (threaded)
		apart(measure_round_trip, &trip);
}
