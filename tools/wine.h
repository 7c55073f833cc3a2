/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes are Wine's, and why they do not use the device. */
#ifndef WINE_H
#define WINE_H

#include <stdbool.h>
#include <sys/types.h>

enum role {
	NO_WINE,
	WINE_CLIENT,
	WINE_SERVER,
};

enum reason {
	NO_DEVICE,
	NOT_PERMITTED,
	TOO_EARLY,
	TURNED_OFF,
	NOT_TURNED_ON,
	NOT_KNOWN,
	NO_SERVER,
	NOT_WINE,
	UNKNOWN,
};

/* The verdict on a program that does not use the device. */
struct answer {
	enum reason reason;
	const char *what, *remedy;
};

/*
 * Threads are named as in /proc: PID or PID/task/TID.  The program is the file of
 * the server, or NULL.
 */
enum role find_role(const char *task, char **program);
char *find_session(const char *task, enum role role, uid_t uid);
char *argument(const char *task, int index);
void explain(const char *task, enum role role, const char *program, dev_t device,
	     struct answer *answer);
const char *reason_word(enum reason reason);

#endif /* WINE_H */
