// SPDX-License-Identifier: GPL-2.0
/* The marks of lsntsync --top, for made-up events of one interval. */
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "../../tools/proc.h"
#include "../../tools/rates.h"

#define SECOND		1000000000ull
#define ANNA		101
#define BEN		102
#define CLEO		103

/* What rates.c asks of others: all threads live. */
bool read_status(const char *proc, const char *task, struct status *status)
{
	(void)proc;
	*status = (struct status) { .tgid = 100 };
	snprintf(status->name, sizeof(status->name), "%s", task);
	return true;
}

bool trace_name(pid_t tid, char name[64])
{
	(void)tid;
	(void)name;
	return false;
}

static uint64_t now;

uint64_t trace_now(void)
{
	return now;
}

enum state object_state(const struct object *object)
{
	return object->signaled ? STATE_SIGNALED : STATE_UNSIGNALED;
}

static void add(struct rates *rates, enum event_kind kind, pid_t tid, unsigned int object)
{
	const struct event event = {
		.kind = kind, .time = ++now, .tid = tid, .instance = 1, .object = object,
	};

	rates_count(&event, rates);
}

static void end(struct rates *rates, double seconds)
{
	rates->end = rates->begin + seconds * SECOND;
	now = rates->end;
	rates_judge(rates);
}

/* One thread acquires the object and another one has signaled it. */
static void hand(struct rates *rates, pid_t from, pid_t to, unsigned int object, bool sleep)
{
	if (sleep)
		add(rates, EVENT_QUEUE, to, object);
	add(rates, EVENT_SIGNAL, from, object);
	add(rates, EVENT_WAIT_END, to, object);
}

static void hand_to_and_fro(struct rates *rates, unsigned int times, bool one_sleeps,
			    bool other_sleeps)
{
	unsigned int i;

	for (i = 0; i < times; i++) {
		hand(rates, ANNA, BEN, 1, one_sleeps);
		hand(rates, BEN, ANNA, 2, other_sleeps);
	}
}

static void acquire_alone(struct rates *rates, pid_t tid, unsigned int object,
			  unsigned int times)
{
	while (times--)
		hand(rates, tid, tid, object, false);
}

static enum mark object_mark(const struct rates *rates, unsigned int id)
{
	size_t i;

	for (i = 0; i < rates->nr_objects; i++)
		if (rates->objects[i]->id == id)
			return rates->objects[i]->mark;
	return MARK_NONE;
}

static enum mark thread_mark(const struct rates *rates, pid_t tid)
{
	size_t i;

	for (i = 0; i < rates->nr_threads; i++)
		if (rates->threads[i]->tid == tid)
			return rates->threads[i]->mark;
	return MARK_NONE;
}

FIXTURE(rates) {
	struct rates *rates;
};

FIXTURE_SETUP(rates)
{
	now = 1000 * SECOND;
	self->rates = rates_begin();
}

FIXTURE_TEARDOWN(rates)
{
}

TEST_F(rates, thrash)
{
	hand_to_and_fro(self->rates, 10, true, true);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_THRASH);
	ASSERT_EQ(object_mark(self->rates, 2), MARK_THRASH);
}

TEST_F(rates, thrash_of_one_object)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		hand(self->rates, ANNA, BEN, 1, true);
		hand(self->rates, BEN, ANNA, 1, true);
	}
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_THRASH);
}

TEST_F(rates, thrash_with_every_fourth_wait_asleep)
{
	hand_to_and_fro(self->rates, 10, true, false);
	hand_to_and_fro(self->rates, 10, false, true);
	hand_to_and_fro(self->rates, 20, false, false);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_THRASH);
	ASSERT_EQ(object_mark(self->rates, 2), MARK_THRASH);
}

TEST_F(rates, no_thrash_with_less_sleep)
{
	hand_to_and_fro(self->rates, 10, true, true);
	hand_to_and_fro(self->rates, 31, false, false);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

/* Either of them. */
TEST_F(rates, no_thrash_if_only_one_sleeps)
{
	hand_to_and_fro(self->rates, 1000, true, false);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
	ASSERT_EQ(object_mark(self->rates, 2), MARK_NONE);
	rates_next(self->rates);
	hand_to_and_fro(self->rates, 1000, false, true);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
	ASSERT_EQ(object_mark(self->rates, 2), MARK_NONE);
}

TEST_F(rates, no_thrash_below_the_limit)
{
	hand_to_and_fro(self->rates, 19, true, true);
	end(self->rates, 2);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

TEST_F(rates, no_thrash_of_a_few_in_a_short_time)
{
	hand_to_and_fro(self->rates, 9, true, true);
	end(self->rates, 0.01);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

TEST_F(rates, no_thrash_one_way)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		hand(self->rates, ANNA, BEN, 1, true);
		hand(self->rates, CLEO, BEN, 2, true);
	}
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
	ASSERT_EQ(object_mark(self->rates, 2), MARK_NONE);
}

/* Before, between and after it. */
TEST_F(rates, thrash_though_others_have_it_sometimes)
{
	hand(self->rates, CLEO, BEN, 1, true);
	hand_to_and_fro(self->rates, 10, true, true);
	hand(self->rates, ANNA, CLEO, 1, true);
	hand_to_and_fro(self->rates, 10, true, true);
	acquire_alone(self->rates, ANNA, 1, 10);
	hand(self->rates, CLEO, BEN, 1, true);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_THRASH);
}

TEST_F(rates, no_thrash_if_most_acquisitions_are_not_handed_over)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		hand(self->rates, ANNA, BEN, 1, true);
		acquire_alone(self->rates, BEN, 1, 1);
		hand(self->rates, BEN, ANNA, 1, true);
		acquire_alone(self->rates, ANNA, 1, 1);
	}
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

TEST_F(rates, no_thrash_among_three)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		hand(self->rates, ANNA, BEN, 1, true);
		hand(self->rates, BEN, CLEO, 1, true);
		hand(self->rates, CLEO, ANNA, 1, true);
	}
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

TEST_F(rates, no_thrash_of_one_pair_after_another)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		hand(self->rates, i % 2 ? CLEO : BEN, i % 2 ? BEN : CLEO, 1, true);
	for (i = 0; i < 38; i++)
		hand(self->rates, i % 2 ? ANNA : BEN, i % 2 ? BEN : ANNA, 1, true);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

TEST_F(rates, thrash_is_judged_anew_in_each_interval)
{
	hand_to_and_fro(self->rates, 10, true, true);
	end(self->rates, 1);
	rates_next(self->rates);
	hand_to_and_fro(self->rates, 9, true, true);
	end(self->rates, 1);
	ASSERT_EQ(object_mark(self->rates, 1), MARK_NONE);
}

/* Cleo waits for objects 1 and 2 from before the interval. */
FIXTURE(waits) {
	struct rates *rates;
	struct object objects[2];
	struct link links[2];
	struct wait wait;
	struct wait *list[1];
	struct snapshot snapshot;
};

FIXTURE_SETUP(waits)
{
	unsigned int i;

	now = 1000 * SECOND;
	self->rates = rates_begin();
	for (i = 0; i < 2; i++) {
		self->objects[i] = (struct object) {
			.instance = 1, .id = i + 1, .type = TYPE_EVENT,
		};
		self->links[i] = (struct link) { .object = &self->objects[i], .index = i };
	}
	self->wait = (struct wait) {
		.tid = CLEO, .objects = 2, .links = self->links, .nr_links = 2,
		.waited = 2,
	};
	self->list[0] = &self->wait;
	self->snapshot = (struct snapshot) { .waits = self->list, .nr_waits = 1 };
	rates_wait(self->rates, CLEO, now - SECOND);
}

FIXTURE_TEARDOWN(waits)
{
}

/* Ends the interval. */
static enum mark judge_cleo(struct rates *rates, const struct snapshot *snapshot)
{
	end(rates, 1);
	if (rates_may_starve(rates))
		rates_judge_waits(rates, snapshot, now + 1);
	return thread_mark(rates, CLEO);
}

TEST_F(waits, starved)
{
	acquire_alone(self->rates, ANNA, 2, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_STARVED);
	ASSERT_EQ(thread_mark(self->rates, ANNA), MARK_NONE);
}

TEST_F(waits, not_starved_below_the_limit)
{
	acquire_alone(self->rates, ANNA, 1, 9);
	acquire_alone(self->rates, ANNA, 2, 9);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, starved_in_one_interval_only)
{
	acquire_alone(self->rates, ANNA, 1, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_STARVED);
	rates_next(self->rates);
	acquire_alone(self->rates, ANNA, 1, 9);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, not_starved_for_another_object)
{
	acquire_alone(self->rates, ANNA, 3, 1000);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

/* Those that waited before cleo's wait was listed may have come first. */
TEST_F(waits, not_starved_behind_older_waits)
{
	pid_t tid;

	for (tid = 201; tid <= 250; tid++)
		rates_wait(self->rates, tid, now - SECOND);
	for (tid = 201; tid <= 250; tid++)
		add(self->rates, EVENT_WAIT_END, tid, 1);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, not_starved_if_it_slept_for_less)
{
	rates_wait(self->rates, BEN, now - SECOND);
	add(self->rates, EVENT_WAIT_END, CLEO, 1);
	acquire_alone(self->rates, ANNA, 1, 10);
	add(self->rates, EVENT_QUEUE, CLEO, 1);
	self->wait.waited = 0.5;
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, not_starved_if_the_list_has_a_later_wait)
{
	acquire_alone(self->rates, ANNA, 1, 10);
	self->wait.waited = 0;
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, alerts_do_not_count)
{
	self->wait.objects = 1;
	acquire_alone(self->rates, ANNA, 2, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_F(waits, starved_of_all)
{
	self->wait.all = true;
	acquire_alone(self->rates, ANNA, 1, 10);
	acquire_alone(self->rates, BEN, 2, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_STARVED);
}

TEST_F(waits, starved_of_all_but_what_is_signaled)
{
	self->wait.all = true;
	self->objects[0].signaled = 1;
	acquire_alone(self->rates, BEN, 2, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_STARVED);
}

TEST_F(waits, not_starved_if_another_object_is_missing)
{
	self->wait.all = true;
	acquire_alone(self->rates, BEN, 2, 10);
	ASSERT_EQ(judge_cleo(self->rates, &self->snapshot), MARK_NONE);
}

TEST_HARNESS_MAIN
