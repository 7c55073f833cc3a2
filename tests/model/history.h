/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What several threads did at the same time, and whether the model explains it: is there an
 * order of single steps, each between the beginning and the end of its call, in which every
 * call gets the answer that it got?
 *
 * A signal may serve any of several concurrent waits, because the order in which they queued
 * is not known.  The order of waits that were asleep before the others began is known: these
 * must be served in their order, by the first step that makes it possible.
 */
#ifndef NTSYNC_HISTORY_H
#define NTSYNC_HISTORY_H

#include "model.h"

#define HISTORY_CALLS	32
#define HISTORY_OBJECTS	4

/*
 * @began, @ended: stamps of a counter that all threads share, drawn before and
 *	after the call
 * @wait: a wait, described by @args, else an operation on @obj
 * @sleeps: the wait may sleep, so a pulse may serve it
 * @place: of a wait that was asleep before all others began: its place among
 *	these, from 1; else 0
 */
struct history_call {
	uint32_t began;
	uint32_t ended;
	bool wait;
	enum model_op op;
	int obj;
	uint32_t arg;
	struct model_args args;
	bool sleeps;
	int place;
	struct model_answer answer;
};

/* @obj: as they were before the first call */
struct history {
	int objects;
	struct model_obj obj[HISTORY_OBJECTS];
	int calls;
	struct history_call call[HISTORY_CALLS];
};

bool history_explained(const struct history *history);

#endif /* NTSYNC_HISTORY_H */
