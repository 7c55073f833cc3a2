/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of fuzz share. */
#ifndef NTSYNC_FUZZ_H
#define NTSYNC_FUZZ_H

#include "stress.h"
#include "arena.h"
#include "kcov.h"

#define MAX_WORKERS	32
#define THREADS		3
#define SLOTS		24
#define MOST_OBJECTS	70	/* in a wait: more than it may have */

/* Descriptors.  What is created gets a number below all of these. */
enum {
	FD_CONTROL = 100,
	FD_DEVICE,			/* of the two shared instances */
	FD_BELL = FD_DEVICE + 2,	/* events that are set repeatedly */
	FD_POOL = FD_BELL + 2,		/* objects that all processes share */
	FD_POOL_END = FD_POOL + 12,
	FD_EPOLL = 150,
	FD_RACE,			/* replaced while others use them */
	FD_RACE_END = FD_RACE + 24,
	FD_OWN = 200,			/* THREADS * SLOTS */
	FD_END = FD_OWN + THREADS * SLOTS,
};

/* What a descriptor is. */
enum kind { CLOSED, OTHER_FILE, DEVICE, SEM, MUTEX, EVENT, KINDS };

enum operation {
	CREATE_SEM, CREATE_MUTEX, CREATE_EVENT, WAIT_FOR_ANY, WAIT_FOR_ALL,
	SEM_RELEASE, SEM_READ, MUTEX_UNLOCK, MUTEX_KILL, MUTEX_READ, EVENT_SET,
	EVENT_RESET, EVENT_PULSE, EVENT_READ,
	KNOWN, NEAR = KNOWN, RANDOM, GENERIC,
	IOCTLS,
	POLL = IOCTLS, SELECT, EPOLL_CTL, EPOLL_WAIT, FDINFO, OPEN, DUP, CLOSE,
	FORK, EXEC, KILL, STOP, SIGNAL, UNLOAD,
	OPERATIONS,
};

/*
 * What is known about a descriptor.  @id identifies the file; @limit is a
 * semaphore's maximum or an event's kind, if @limit_known.
 */
struct known {
	enum kind kind;
	unsigned int instance;
	unsigned int id;
	bool limit_known;
	uint32_t limit;
};

/* @known is NULL if other threads may replace the file at any time. */
struct target {
	int fd;
	const struct known *known;
};

/* Shared by all processes.  It has words only, because both widths use it. */
struct control {
	uint32_t seed[2];
	atomic_uint stop;
	atomic_uint wrong;
	atomic_uint pollable;
	struct worker {
		atomic_int pid;
		atomic_uint generation;
		atomic_uint doomed;
		struct thread {
			atomic_uint moves;
			atomic_int tid;
			struct tally tally;
		} threads[THREADS];
	} workers[MAX_WORKERS];
	struct tally boss;
	struct kcov_map kcov;
};

/* One thread of a worker, or a child that it forked. */
struct fuzzer {
	unsigned int worker;
	unsigned int generation;
	unsigned int thread;
	struct thread *shared;
	uint64_t random;
	struct arena arg;
	struct arena array;
	struct known own[SLOTS];
	unsigned int last_id;
	unsigned int last_instance;
	bool child;
	bool no_descriptors;
	struct kcov kcov;
};

/* One ioctl. */
struct attempt {
	enum operation operation;
	unsigned int number;
	struct target on;
	struct place arg;
	uint32_t words[2];
	struct ntsync_wait_args wait;
	struct place array;
	struct target objs[MOST_OBJECTS];
	struct target alert;
	bool past;
};

/* fuzz_pick.c */

extern const struct known nothing;

void fill_shared_known(void);
int own_fd(const struct fuzzer *f, unsigned int slot);
int pick_race_fd(struct fuzzer *f);
struct target pick_any_target(struct fuzzer *f);
struct target pick_target(struct fuzzer *f, enum kind kind);
void fill_words(struct fuzzer *f, struct attempt *a);
void fill_wait(struct fuzzer *f, struct attempt *a);

/* fuzz_legal.c */

extern const char *const operation_name[];

/* The ioctls: number, size of the argument, and the object they are for. */
extern const struct known_ioctl {
	unsigned int number;
	unsigned int size;
	enum kind on;
} ioctls[KNOWN];

[[gnu::format(printf, 2, 3)]]
void wrong(const struct fuzzer *f, const char *format, ...);
const char *kind_name(const struct target *target);
void check_answer(const struct fuzzer *f, const struct attempt *a, int error);

/* fuzz_ioctl.c */

void known_ioctl(struct fuzzer *f);
void unknown_ioctl(struct fuzzer *f);

/* fuzz_files.c */

void keep(struct fuzzer *f, int fd, const struct known *known);
void do_poll(struct fuzzer *f);
void do_select(struct fuzzer *f);
void do_epoll(struct fuzzer *f);
void do_fdinfo(struct fuzzer *f);
void do_open(struct fuzzer *f);
void do_dup(struct fuzzer *f);
void do_close(struct fuzzer *f);

/* fuzz_worker.c */

extern struct control *control;
extern char **program_args;

struct control *map_control(void);
int worker_main(unsigned int number);

#endif /* NTSYNC_FUZZ_H */
