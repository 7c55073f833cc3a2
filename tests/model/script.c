// SPDX-License-Identifier: GPL-2.0
/* Random sequences of operations: see script.h. */
#include <string.h>
#include "draw.h"
#include "script.h"
#include "tell.h"

/* Making */

/* Mostly small, sometimes near the largest value. */
static uint32_t number(uint64_t *state)
{
	static const uint32_t limits[] = {
		UINT32_MAX, UINT32_MAX, UINT32_MAX - 1, (uint32_t)INT32_MAX + 1,
	};

	return one_in(state, 8) ? limits[draw_below(state, 4)]
				: draw_below(state, 4);
}

/* Three threads of the modelled program, and sometimes 0. */
static uint32_t owner(uint64_t *state)
{
	return one_in(state, 30) ? 0 : 1 + draw_below(state, 3);
}

static void make_object(struct script *script, int i, uint64_t *state)
{
	struct model_obj obj;

	do {
		script->obj[i].type = draw_below(state, 3);
		script->obj[i].first = number(state);
		script->obj[i].second = number(state);
		if (script->obj[i].type == MODEL_EVENT) {
			script->obj[i].first %= 2;
			script->obj[i].second %= 2;
		} else if (script->obj[i].type == MODEL_MUTEX) {
			script->obj[i].first %= 4;
		}
	} while (model_obj_init(&obj, script->obj[i].type,
				script->obj[i].first, script->obj[i].second));
}

/* Most operations suit the type of their object. */
static void make_op(const struct script *script, struct step *step,
		    uint64_t *state)
{
	enum model_type type;

	step->kind = STEP_OP;
	step->obj = draw_below(state, script->objects);
	type = script->obj[step->obj].type;
	step->op = draw_op(state, type);
	if (one_in(state, 40))
		step->op = draw_below(state, MODEL_OPS);
	step->arg = type == MODEL_SEM ? number(state) : owner(state);
}

/* The first @count of all objects in a random order. */
static void pick_distinct(struct model_args *wait, int objects, uint64_t *state)
{
	uint8_t all[MODEL_OBJECTS];

	draw_order(state, all, objects);
	memcpy(wait->objs, all, wait->count);
}

static uint32_t how_many(int most, uint64_t *state)
{
	if (one_in(state, 8))
		return draw_below(state, most + 1);
	return 1 + draw_below(state, most < 4 ? most : 4);
}

static void make_set(const struct script *script, struct model_args *wait,
		     uint64_t *state)
{
	int objects = script->objects;
	int most = objects < MODEL_MAX_WAIT ? objects : MODEL_MAX_WAIT;

	wait->all = one_in(state, 2);
	wait->owner = owner(state);
	wait->alert = one_in(state, 4) ? (int)draw_below(state, objects)
				       : MODEL_NO_ALERT;
	if (wait->all && !one_in(state, 20)) {
		wait->count = how_many(most, state);
		pick_distinct(wait, objects, state);
		return;
	}
	/* Any objects, including repeats. */
	wait->count = how_many(one_in(state, 10) ? MODEL_MAX_WAIT : 4, state);
	for (uint32_t i = 0; i < wait->count; i++)
		wait->objs[i] = draw_below(state, objects);
}

static void make_wait(const struct script *script, struct step *step,
		      bool blocks, uint64_t *state)
{
	static const uint64_t deadline[] = {
		[PAST_ZERO ... PAST_REALTIME] = 0,
		[NEVER_MAX ... NEVER_HOUR] = MODEL_NEVER,
	};

	step->kind = STEP_WAIT;
	step->thread = draw_below(state, MODEL_THREADS);
	make_set(script, &step->wait, state);
	step->timeout = draw_below(state, NEVER_MAX);
	if (blocks)
		step->timeout = NEVER_MAX +
				draw_below(state, TIMEOUT_KINDS - NEVER_MAX);
	step->wait.deadline = step->timeout == LATER_REALTIME ?
			      1 + draw_below(state, 3) : deadline[step->timeout];
}

static void make_step(const struct script *script, struct step *step,
		      bool waiting, uint64_t *state)
{
	uint32_t what = draw_below(state, 100);

	*step = (struct step) { .thread = draw_below(state, MODEL_THREADS) };
	if (what < 60)
		make_op(script, step, state);
	else if (!waiting || what < 70)
		make_wait(script, step, false, state);
	else if (what < 94)
		make_wait(script, step, true, state);
	else if (what < 96)
		step->kind = STEP_INTERRUPT;
	else if (what < 98)
		step->kind = STEP_RESTART;
	else
		step->kind = STEP_CLOCK;
}

void script_make(struct script *script, uint64_t seed, bool waiting,
		 bool realtime)
{
	uint64_t state = seed;

	script->objects = one_in(&state, 50) ? 1 + draw_below(&state, MODEL_OBJECTS)
					     : 1 + draw_below(&state, 4);
	for (int i = 0; i < script->objects; i++)
		make_object(script, i, &state);
	for (int i = 0; i < MODEL_THREADS; i++)
		script->urgency[i] = realtime ? draw_below(&state, 4) : 0;
	script->length = SCRIPT_STEPS;
	for (int i = 0; i < script->length; i++)
		make_step(script, &script->step[i], waiting, &state);
}

/* Telling */

static void tell_step_wait(char *text, const struct script *script,
			   const struct step *step)
{
	static const char *const timeouts[] = {
		[PAST_ZERO] = "poll with 0",
		[PAST_MONOTONIC] = "poll with the monotonic time",
		[PAST_REALTIME] = "poll with a past real time",
		[NEVER_MAX] = "no timeout",
		[NEVER_BEYOND] = "a timeout beyond all clocks",
		[NEVER_HOUR] = "a timeout in an hour",
		[LATER_REALTIME] = "a real time to come",
	};

	tell(text, "thread %d", step->thread);
	if (script->urgency[step->thread])
		tell(text, " of real-time priority %d",
		     script->urgency[step->thread]);
	tell(text, ", ");
	tell_wait(text, &step->wait);
	tell(text, ", %s", timeouts[step->timeout]);
	if (step->timeout == LATER_REALTIME)
		tell(text, " (%d)", (int)step->wait.deadline);
}

void script_tell_step(char *text, const struct script *script,
		      const struct step *step)
{
	switch (step->kind) {
	case STEP_OP:
		tell_op(text, step->obj, step->op, step->arg);
		break;
	case STEP_WAIT:
		tell_step_wait(text, script, step);
		break;
	case STEP_INTERRUPT:
		tell(text, "thread %d: interrupted by a signal", step->thread);
		break;
	case STEP_RESTART:
		tell(text, "thread %d: restarted by a signal", step->thread);
		break;
	case STEP_CLOCK:
		tell(text, "the real time goes on by 1");
		break;
	}
}
