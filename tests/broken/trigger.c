// SPDX-License-Identifier: GPL-2.0
/*
 * usage: trigger CALLS
 *
 * Makes the calls that trigger the bug of a broken driver, which the kernel must report.
 * Their results do not matter.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>
#include "../task.h"
#include "../objects.h"

#define WIDE NTSYNC_MAX_WAIT_COUNT

static int dev, events[WIDE + 1];

static void close_one(void)
{
	close(event_create(dev, 0, 0));
}

static void poll_and_close(void)
{
	struct pollfd polled = { .fd = event_create(dev, 0, 0), .events = POLLIN };

	poll(&polled, 1, 0);
	close(polled.fd);
}

static void reset(void)
{
	__u32 prev;

	event_reset(events[0], &prev);
}

static void poll_wide(void)
{
	poll_any(dev, events, WIDE, NULL);
}

static void poll_wide_with_alert(void)
{
	wait_any(dev, events, WIDE, ME, 0, events[WIDE], NULL);
}

static void time_out(void)
{
	wait_any(dev, events, 1, ME,
		 clock_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC / 100, 0, NULL);
}

static void take_two(void)
{
	__u32 prev;

	event_set(events[0], &prev);
	event_set(events[1], &prev);
	poll_all(dev, events, 2, NULL);
}

static void *set_and_reset(void *stop)
{
	__u32 prev;

	while (!*(atomic_bool *)stop) {
		event_set(events[0], &prev);
		event_reset(events[0], &prev);
	}
	return NULL;
}

static void poll_while_set(void)
{
	__u64 end = clock_ns(CLOCK_MONOTONIC) + 3 * NSEC_PER_SEC;
	atomic_bool stop = false;
	pthread_t thread;

	if (pthread_create(&thread, NULL, set_and_reset, &stop))
		return;
	while (clock_ns(CLOCK_MONOTONIC) < end)
		poll_any(dev, events, 1, NULL);
	stop = true;
	pthread_join(thread, NULL);
}

static const struct {
	const char *name;
	void (*make)(void);
} calls[] = {
	{ "close", close_one },
	{ "poll-and-close", poll_and_close },
	{ "reset", reset },
	{ "poll-wide", poll_wide },
	{ "poll-wide-with-alert", poll_wide_with_alert },
	{ "time-out", time_out },
	{ "take-two", take_two },
	{ "poll-while-set", poll_while_set },
};

int main(int argc, char **argv)
{
	size_t i;

	dev = ntsync_open();
	for (i = 0; i <= WIDE; i++)
		events[i] = event_create(dev, 1, 0);
	if (events[WIDE] < 0) {
		fprintf(stderr, "trigger: no objects: %d\n", events[WIDE]);
		return 1;
	}
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (argc == 2 && !strcmp(argv[1], calls[i].name)) {
			calls[i].make();
			return 0;
		}
	}
	fprintf(stderr, "trigger: CALLS is one of:");
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		fprintf(stderr, " %s", calls[i].name);
	fprintf(stderr, "\n");
	return 1;
}
