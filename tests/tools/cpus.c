// SPDX-License-Identifier: GPL-2.0
/*
 * lsntsync's reading of trace events, from made-up pages of two CPUs, whose threads
 * do things in turn: events are handed out in the order of time.
 */
#include "../../tools/trace.c"
#include "kselftest_harness.h"

#define EVENTS	3

/* As the kernel writes it: each event is its kind's number in a word. */
struct page {
	uint64_t time;
	uint64_t length;
	struct {
		struct entry entry;
		uint32_t id;
	} events[EVENTS];
};

/* A CPU's buffer: an event at each second tick from @time on. */
static int buffer_from(uint64_t time)
{
	struct page page = { .time = time, .length = sizeof(page.events) };
	int i, fds[2];

	for (i = 0; i < EVENTS; i++) {
		page.events[i].entry = (struct entry) { .type = 1, .delta = i ? 2 : 0 };
		page.events[i].id = 1;
	}
	if (pipe2(fds, O_NONBLOCK) ||
	    write(fds[1], &page, sizeof(page)) != sizeof(page))
		return -1;
	return fds[0];
}

static void note_time(const struct event *event, void *data)
{
	uint64_t **next = data;

	*(*next)++ = event->time;
}

TEST(events_of_two) {
	int cpus[] = { buffer_from(2), buffer_from(1) };
	uint64_t times[2 * EVENTS], *next = times;

	page_data = offsetof(struct page, events);
	length_size = sizeof(uint64_t);
	layouts[EVENT_CREATE].id = 1;
	buffers = cpus;
	nr_buffers = 2;
	trace_read(note_time, &next);
	ASSERT_EQ(&times[2 * EVENTS], next);
	for (next = times; next < &times[2 * EVENTS]; next++)
		EXPECT_EQ(next - times + 1, *next);
}

TEST_HARNESS_MAIN
