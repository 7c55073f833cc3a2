// SPDX-License-Identifier: GPL-2.0
/*
 * Tests history.c on histories made by hand, each with the verdict that it must get.
 * Needs no driver.
 */
#include "kselftest_harness.h"
#include <string.h>
#include "history.h"

#define A	0
#define B	1

#define ME	1
#define OTHER	2

static void start(struct history *h)
{
	memset(h, 0, sizeof(*h));
}

static void object(struct history *h, enum model_type type, uint32_t first,
		   uint32_t second)
{
	model_obj_init(&h->obj[h->objects++], type, first, second);
}

/* Two auto-reset events. */
static void events(struct history *h, bool a, bool b)
{
	start(h);
	object(h, MODEL_EVENT, 0, a);
	object(h, MODEL_EVENT, 0, b);
}

static struct history_call *call(struct history *h, uint32_t began,
				 uint32_t ended, int ret, uint32_t value)
{
	struct history_call *call = &h->call[h->calls++];

	call->began = began;
	call->ended = ended;
	call->answer.ret = ret;
	call->answer.value[0] = value;
	return call;
}

static void op(struct history *h, uint32_t began, uint32_t ended, int obj,
	       enum model_op op, uint32_t arg, uint32_t before)
{
	struct history_call *new = call(h, began, ended, 0, before);

	new->obj = obj;
	new->op = op;
	new->arg = arg;
}

static void set(struct history *h, uint32_t began, uint32_t ended, int obj,
		bool before)
{
	op(h, began, ended, obj, MODEL_EVENT_SET, 0, before);
}

static void reset(struct history *h, uint32_t began, uint32_t ended, int obj,
		  bool before)
{
	op(h, began, ended, obj, MODEL_EVENT_RESET, 0, before);
}

static void pulse(struct history *h, uint32_t began, uint32_t ended, int obj,
		  bool before)
{
	op(h, began, ended, obj, MODEL_EVENT_PULSE, 0, before);
}

/* Of an auto-reset event. */
static void reads(struct history *h, uint32_t began, uint32_t ended, int obj,
		  bool signaled)
{
	op(h, began, ended, obj, MODEL_EVENT_READ, 0, 0);
	h->call[h->calls - 1].answer.value[1] = signaled;
}

/* For A, or for A and B, or for B and A. */
enum what { ONLY_A, A_AND_B, B_AND_A };

static struct history_call *poll(struct history *h, uint32_t began,
				 uint32_t ended, bool all, enum what what,
				 int ret, uint32_t index)
{
	struct history_call *new = call(h, began, ended, ret, index);

	new->wait = true;
	new->args = (struct model_args) {
		.all = all,
		.owner = ME,
		.count = what == ONLY_A ? 1 : 2,
		.objs = { what == B_AND_A ? B : A, what == B_AND_A ? A : B },
		.alert = MODEL_NO_ALERT,
	};
	return new;
}

static struct history_call *wait_for(struct history *h, uint32_t began,
				     uint32_t ended, bool all, enum what what,
				     int ret, uint32_t index)
{
	struct history_call *new = poll(h, began, ended, all, what, ret, index);

	new->sleeps = true;
	return new;
}

/* Asleep before all others begin. */
static void sleeper(struct history *h, int place, uint32_t ended, bool all,
		    enum what what, int ret)
{
	wait_for(h, 0, ended, all, what, ret, 0)->place = place;
}

/* The same, and still asleep at the end. */
#define THE_END 100

static void goes_on(struct history *h, int call)
{
	h->call[call].began = THE_END;
	h->call[call].ended = THE_END + 1;
	h->call[call].answer.ret = -ETIMEDOUT;
}

static void is_served(struct history *h, int call)
{
	h->call[call].began = 0;
	h->call[call].answer.ret = 0;
}

#define ANY	false
#define ALL	true

#define EXPECT_RIGHT(h) EXPECT_TRUE(history_explained(h))
#define EXPECT_WRONG(h) EXPECT_FALSE(history_explained(h))

FIXTURE(history) {
	struct history h;
};

FIXTURE_SETUP(history)
{
	start(&self->h);
}

FIXTURE_TEARDOWN(history)
{
}

TEST_F(history, one_after_the_other)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 2, A, false);
	poll(h, 3, 4, ANY, A_AND_B, 0, 0);
	poll(h, 5, 6, ANY, A_AND_B, -ETIMEDOUT, 0);
	EXPECT_RIGHT(h);
}

TEST_F(history, a_call_that_returned_comes_before_the_next)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 2, A, false);
	poll(h, 3, 4, ANY, ONLY_A, -ETIMEDOUT, 0);
	EXPECT_WRONG(h);
}

TEST_F(history, calls_at_once_come_in_either_order)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 3, A, false);
	poll(h, 2, 4, ANY, ONLY_A, -ETIMEDOUT, 0);
	EXPECT_RIGHT(h);
	events(h, false, false);
	set(h, 1, 3, A, false);
	poll(h, 2, 4, ANY, ONLY_A, 0, 0);
	EXPECT_RIGHT(h);
}

TEST_F(history, a_signal_serves_one_wait)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 4, A, false);
	poll(h, 2, 5, ANY, ONLY_A, 0, 0);
	poll(h, 3, 6, ANY, ONLY_A, 0, 0);
	EXPECT_WRONG(h);
}

TEST_F(history, the_previous_state_is_told)
{
	struct history *h = &self->h;

	object(h, MODEL_SEM, 1, 5);
	op(h, 1, 3, A, MODEL_SEM_RELEASE, 1, 1);
	op(h, 2, 4, A, MODEL_SEM_RELEASE, 1, 2);
	EXPECT_RIGHT(h);
	h->call[1].answer.value[0] = 1;
	EXPECT_WRONG(h);
}

TEST_F(history, an_abandoned_mutex_is_told_of)
{
	struct history *h = &self->h;

	object(h, MODEL_MUTEX, OTHER, 1);
	op(h, 1, 2, A, MODEL_MUTEX_KILL, OTHER, 0);
	poll(h, 3, 4, ANY, ONLY_A, -EOWNERDEAD, 0);
	EXPECT_RIGHT(h);
	h->call[1].answer.ret = 0;
	EXPECT_WRONG(h);
}

TEST_F(history, one_of_two_events_is_always_set)
{
	struct history *h = &self->h;

	events(h, false, true);
	set(h, 2, 3, A, false);
	reset(h, 4, 5, B, true);
	poll(h, 1, 6, ANY, A_AND_B, -ETIMEDOUT, 0);
	EXPECT_WRONG(h);
	/* The other way round there is an instant. */
	events(h, false, true);
	reset(h, 2, 3, B, true);
	set(h, 4, 5, A, false);
	poll(h, 1, 6, ANY, A_AND_B, -ETIMEDOUT, 0);
	EXPECT_RIGHT(h);
}

TEST_F(history, of_two_who_signal_and_poll_one_succeeds)
{
	struct history *h = &self->h;
	struct history_call *other;

	events(h, false, false);
	set(h, 1, 3, A, false);
	set(h, 2, 4, B, false);
	other = poll(h, 5, 7, ANY, ONLY_A, -ETIMEDOUT, 0);
	other->args.objs[0] = B;
	poll(h, 6, 8, ANY, ONLY_A, 0, 0);
	EXPECT_WRONG(h);
	other->answer.ret = 0;
	EXPECT_RIGHT(h);
}

TEST_F(history, an_earlier_object_goes_first)
{
	struct history *h = &self->h;

	events(h, true, true);
	poll(h, 1, 2, ANY, A_AND_B, 0, 1);
	EXPECT_WRONG(h);
	events(h, true, true);
	poll(h, 1, 2, ANY, B_AND_A, 0, 0);
	reads(h, 3, 4, A, true);
	reads(h, 5, 6, B, false);
	EXPECT_RIGHT(h);
}

TEST_F(history, all_are_taken_at_one_instant)
{
	struct history *h = &self->h;

	events(h, true, true);
	poll(h, 1, 6, ALL, A_AND_B, 0, 0);
	reads(h, 2, 3, A, false);
	reads(h, 4, 5, B, true);
	EXPECT_WRONG(h);
	events(h, true, true);
	poll(h, 1, 6, ALL, A_AND_B, 0, 0);
	reads(h, 2, 3, A, true);
	reads(h, 4, 5, B, false);
	EXPECT_RIGHT(h);
}

TEST_F(history, all_is_not_satisfied_by_one_after_the_other)
{
	struct history *h = &self->h;

	events(h, true, false);
	wait_for(h, 1, 6, ALL, A_AND_B, 0, 0);
	reset(h, 2, 3, A, true);
	set(h, 4, 5, B, false);
	EXPECT_WRONG(h);
}

TEST_F(history, a_pulse_serves_who_may_sleep)
{
	struct history *h = &self->h;

	events(h, false, false);
	pulse(h, 2, 3, A, false);
	wait_for(h, 1, 4, ANY, ONLY_A, 0, 0);
	reads(h, 5, 6, A, false);
	EXPECT_RIGHT(h);
	h->call[1].sleeps = false;
	EXPECT_WRONG(h);
}

TEST_F(history, a_pulse_serves_no_one_who_comes_later)
{
	struct history *h = &self->h;

	events(h, false, false);
	pulse(h, 1, 2, A, false);
	wait_for(h, 3, 4, ANY, ONLY_A, 0, 0);
	EXPECT_WRONG(h);
}

TEST_F(history, no_one_sees_an_event_set_by_a_pulse)
{
	struct history *h = &self->h;

	events(h, false, false);
	pulse(h, 1, 4, A, false);
	reads(h, 2, 3, A, true);
	EXPECT_WRONG(h);
}

TEST_F(history, a_pulse_of_an_auto_event_serves_one)
{
	struct history *h = &self->h;

	events(h, false, false);
	sleeper(h, 1, 5, ANY, ONLY_A, 0);
	sleeper(h, 2, 6, ANY, ONLY_A, 0);
	pulse(h, 3, 4, A, false);
	EXPECT_WRONG(h);
	goes_on(h, 1);
	EXPECT_RIGHT(h);
}

TEST_F(history, a_pulse_of_a_manual_event_serves_all_who_sleep)
{
	struct history *h = &self->h;

	object(h, MODEL_EVENT, 1, 0);
	sleeper(h, 1, 5, ANY, ONLY_A, 0);
	sleeper(h, 2, 6, ANY, ONLY_A, 0);
	pulse(h, 3, 4, A, false);
	EXPECT_RIGHT(h);
	goes_on(h, 1);
	EXPECT_WRONG(h);
}

TEST_F(history, no_one_sleeps_through_a_signal)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 2, A, false);
	sleeper(h, 1, THE_END, ANY, ONLY_A, 0);
	goes_on(h, 1);
	EXPECT_WRONG(h);
	/* Not even if the object is taken before the waiter is looked at. */
	reset(h, 3, 4, A, true);
	EXPECT_WRONG(h);
	/* Unless it is not known to have slept then. */
	h->call[1].place = 0;
	EXPECT_RIGHT(h);
}

TEST_F(history, who_gives_up_before_the_signal_misses_it)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 2, A, false);
	reads(h, 3, 4, A, true);
	sleeper(h, 1, 5, ANY, ONLY_A, -ETIMEDOUT);
	EXPECT_RIGHT(h);
}

TEST_F(history, no_one_takes_what_a_sleeper_is_served)
{
	struct history *h = &self->h;

	events(h, false, false);
	sleeper(h, 1, THE_END, ANY, ONLY_A, 0);
	goes_on(h, 0);
	set(h, 1, 4, A, false);
	poll(h, 2, 3, ANY, ONLY_A, 0, 0);
	EXPECT_WRONG(h);
	h->call[0].place = 0;
	EXPECT_RIGHT(h);
}

TEST_F(history, first_come_first_served)
{
	struct history *h = &self->h;

	events(h, false, false);
	sleeper(h, 1, 4, ANY, ONLY_A, 0);
	sleeper(h, 2, 3, ANY, ONLY_A, 0);
	set(h, 1, 2, A, false);
	goes_on(h, 0);
	EXPECT_WRONG(h);
	h->call[0].place = 2;
	h->call[1].place = 1;
	EXPECT_RIGHT(h);
}

TEST_F(history, waits_for_all_go_first)
{
	struct history *h = &self->h;

	events(h, false, true);
	sleeper(h, 1, 3, ANY, ONLY_A, 0);
	sleeper(h, 2, 4, ALL, A_AND_B, 0);
	set(h, 1, 2, A, false);
	goes_on(h, 1);
	EXPECT_WRONG(h);
	is_served(h, 1);
	goes_on(h, 0);
	EXPECT_RIGHT(h);
}

/* With all waits for all that it satisfies, ... */
TEST_F(history, a_signal_is_one_step)
{
	struct history *h = &self->h;

	object(h, MODEL_SEM, 0, 5);
	sleeper(h, 1, 5, ALL, ONLY_A, 0);
	sleeper(h, 2, 6, ALL, ONLY_A, 0);
	op(h, 1, 4, A, MODEL_SEM_RELEASE, 2, 0);
	op(h, 2, 3, A, MODEL_SEM_READ, 0, 0);
	h->call[3].answer.value[1] = 5;
	EXPECT_RIGHT(h);
	h->call[3].answer.value[0] = 2;
	EXPECT_WRONG(h);
	h->call[3].answer.value[0] = 1;
	EXPECT_WRONG(h);
	/* ... of which only those who slept before must be satisfied, */
	h->call[1].place = 0;
	h->call[1].began = 2;
	EXPECT_RIGHT(h);
	/* and not with those for any, but they have it alone. */
	h->call[1].place = 2;
	h->call[1].args.all = ANY;
	EXPECT_WRONG(h);
	h->call[3].answer.value[0] = 0;
	EXPECT_RIGHT(h);
}

/*
 * A manual-reset event B, an alert C and an event A: X waits for all of B with the alert C, W
 * for all of B and A.  Another thread sets C, and pulses A.
 */
TEST_F(history, who_knows_of_a_step_acts_after_it)
{
	struct history *h = &self->h;
	enum { C = 2, X = 0, W = 1, SET_C = 3 };

	object(h, MODEL_EVENT, 0, 0);
	object(h, MODEL_EVENT, 1, 0);
	object(h, MODEL_EVENT, 0, 0);
	sleeper(h, 1, 10, ALL, ONLY_A, 0);
	h->call[X].args.objs[0] = B;
	h->call[X].args.alert = C;
	sleeper(h, 2, THE_END, ALL, B_AND_A, 0);
	goes_on(h, W);
	set(h, 1, 8, B, false);
	set(h, 2, 3, C, false);
	pulse(h, 4, 5, A, false);
	reads(h, 11, 12, C, true);
	EXPECT_WRONG(h);
	is_served(h, W);
	EXPECT_RIGHT(h);
	/* If the alert has ended X, W may have missed it. */
	goes_on(h, W);
	h->call[X].answer.value[0] = 1;
	h->call[5].answer.value[1] = false;
	EXPECT_RIGHT(h);
	/* Nor is it interrupted after the step. */
	h->call[X].answer.value[0] = 0;
	h->call[5].answer.value[1] = true;
	h->call[W].answer.ret = -EINTR;
	h->call[W].args.count = 1;
	h->call[W].began = 0;
	EXPECT_RIGHT(h);
	h->call[W].began = 6;
	EXPECT_WRONG(h);
}

/*
 * A signal reaches one sleeping wait for any after the other, and another signal may reach
 * them first.
 */
TEST_F(history, waits_for_any_are_served_one_by_one)
{
	struct history *h = &self->h;
	enum { C = 2, U = 0, V = 1, SET_A = 2 };

	object(h, MODEL_EVENT, 1, 0);
	object(h, MODEL_EVENT, 1, 0);
	object(h, MODEL_EVENT, 0, 0);
	/* U shows that A was set before C, and V that B was before A. */
	sleeper(h, 1, 20, ANY, ONLY_A, 0);
	h->call[U].args.alert = C;
	sleeper(h, 2, 21, ANY, A_AND_B, 0);
	h->call[V].answer.value[0] = 1;
	set(h, 1, 10, A, false);
	set(h, 2, 3, C, false);
	set(h, 4, 5, B, false);
	reads(h, 22, 23, C, true);
	EXPECT_RIGHT(h);
	/* Not when the signal is through. */
	h->call[SET_A].ended = 3;
	EXPECT_WRONG(h);
	/* Nor does a poll see that. */
	h->call[SET_A].ended = 10;
	h->call[V].place = 0;
	EXPECT_RIGHT(h);
	h->call[V].sleeps = false;
	h->call[V].began = 6;
	EXPECT_WRONG(h);
	h->call[V].answer.value[0] = 0;
	EXPECT_RIGHT(h);
}

/* While it serves them, its object is closed to others. */
TEST_F(history, an_object_is_closed_while_it_serves)
{
	struct history *h = &self->h;

	events(h, false, false);
	sleeper(h, 1, 7, ANY, ONLY_A, 0);
	set(h, 1, 6, A, false);
	reads(h, 2, 3, A, true);
	EXPECT_WRONG(h);
	h->call[2].answer.value[1] = false;
	EXPECT_RIGHT(h);
}

TEST_F(history, a_signal_that_interrupts_loses_no_service)
{
	struct history *h = &self->h;

	events(h, false, false);
	set(h, 1, 2, A, false);
	reads(h, 3, 4, A, true);
	sleeper(h, 1, 5, ANY, ONLY_A, -EINTR);
	EXPECT_RIGHT(h);
	/* It left before the event was set, or it was served. */
	h->call[2].ended = 6;
	h->call[1].answer.value[1] = false;
	EXPECT_WRONG(h);
}

TEST_HARNESS_MAIN
