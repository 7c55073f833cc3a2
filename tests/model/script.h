/* SPDX-License-Identifier: GPL-2.0 */
/* Random sequences of operations, each made from a number, and their texts. */
#ifndef NTSYNC_SCRIPT_H
#define NTSYNC_SCRIPT_H

#include <stddef.h>
#include "model.h"

#define SCRIPT_STEPS	400

enum step_kind {
	STEP_OP,
	STEP_WAIT,
	STEP_INTERRUPT,		/* a signal ends the thread's wait */
	STEP_RESTART,		/* a signal restarts it */
	STEP_CLOCK,		/* the realtime clock advances by one unit */
};

/* The same deadline can be given in several ways. */
enum timeout_kind {
	PAST_ZERO,
	PAST_MONOTONIC,
	PAST_REALTIME,
	NEVER_MAX,
	NEVER_BEYOND,		/* no clock ever reaches it */
	NEVER_HOUR,		/* long after the end of the test */
	LATER_REALTIME,
	TIMEOUT_KINDS,
};

/*
 * A step that is impossible when it is reached (for example, because the thread already
 * waits) is skipped, so any steps may be left out.
 *
 * @wait: its deadline counts from the moment of the step
 */
struct step {
	enum step_kind kind;
	enum model_op op;
	int obj;
	uint32_t arg;
	int thread;
	enum timeout_kind timeout;
	struct model_args wait;
};

struct script {
	int objects;
	struct {
		enum model_type type;
		uint32_t first;
		uint32_t second;
	} obj[MODEL_OBJECTS];
	int urgency[MODEL_THREADS];
	int length;
	struct step step[SCRIPT_STEPS];
};

/* @waiting: threads may block; @realtime: some of them in a realtime class */
void script_make(struct script *script, uint64_t seed, bool waiting,
		 bool realtime);

/* Appends to a text of TELL_TEXT bytes. */
void script_tell_step(char *text, const struct script *script,
		      const struct step *step);

#endif /* NTSYNC_SCRIPT_H */
