/* SPDX-License-Identifier: GPL-2.0 */
/* The verdicts: offers to find the waits of a snapshot that can never end. */
#ifndef DEADLOCK_H
#define DEADLOCK_H

#include "snapshot.h"

unsigned int find_deadlocks(struct snapshot *snapshot,
			    const struct snapshot *before,
			    const struct snapshot *after);

#endif /* DEADLOCK_H */
