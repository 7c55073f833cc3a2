// SPDX-License-Identifier: GPL-2.0
/*
 * A session: one server and three clients share the objects of one instance of
 * /dev/ntsync, the way Wine uses it.  The server opens the device, creates the
 * objects and passes all descriptors to the clients over unix sockets.  Then it
 * tells them what to do, as run_script() says, and records what happens.  The
 * exit status is 0 if every step has the expected result.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/ntsync.h>

#define SESSION_SECONDS	60	/* the whole session */
#define ANSWER_MS	10000	/* one reply of a client */

#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_SEC	1000000000ULL

/*
 * Who takes part.  The number is also the owner as which a client acquires
 * mutexes; an owner may be any number except 0.
 */
enum { SERVER, ANNA, BEN, CLEO, PEOPLE };

/* The device and the objects.  Every process has its own descriptors of them. */
enum { DEVICE, LEDGER, ATTIC, TICKETS, MAIL, OPENING, NUDGE, THINGS };

static int fds[THINGS];

static const char * const thing_names[THINGS] = {
	[DEVICE]  = "/dev/ntsync",
	[LEDGER]  = "ledger",
	[ATTIC]   = "attic",
	[TICKETS] = "tickets",
	[MAIL]    = "mail",
	[OPENING] = "opening",
	[NUDGE]   = "nudge",
};

static struct {
	const char *name;
	const char *colour;
	pid_t pid;
	int sock;
} people[PEOPLE] = {
	[SERVER] = { .name = "server", .colour = "\033[1m" },
	[ANNA]   = { .name = "anna", .colour = "\033[36m" },
	[BEN]    = { .name = "ben", .colour = "\033[33m" },
	[CLEO]   = { .name = "cleo", .colour = "\033[35m" },
};

/* What a client can be asked to do, and its reply. */

#define NO_ALERT	0	/* DEVICE cannot be an alert */
#define NEVER		UINT32_MAX
#define MAX_THINGS	4

struct request {
	__u32 call;		/* the ioctl */
	__u32 owner;
	__u32 value;		/* how many to release, or which owner is dead */
	__u32 ms;		/* timeout of a wait; 0: a poll */
	__u32 alert;		/* an object */
	__u32 count;
	__u32 things[MAX_THINGS];		/* to wait for, or to act on */
};

struct reply {
	bool begins;		/* the call is about to begin; no result yet */
	bool early;		/* a wait gave up before its time */
	int error;
	__u32 index;
	__u32 values[2];	/* as the ioctl filled them in */
};

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static bool is_wait(const struct request *rq)
{
	return rq->call == NTSYNC_IOC_WAIT_ANY ||
	       rq->call == NTSYNC_IOC_WAIT_ALL;
}

/* -- All calls of the driver except those that create objects. -- */

static void do_wait(const struct request *rq, struct reply *rp)
{
	__u32 objs[MAX_THINGS];
	struct ntsync_wait_args args = {
		.timeout = UINT64_MAX,
		.objs = (uintptr_t)objs,
		.count = rq->count,
		.index = UINT32_MAX,
		.owner = rq->owner,
	};
	__u32 i;

	for (i = 0; i < rq->count; i++)
		objs[i] = fds[rq->things[i]];
	if (rq->alert != NO_ALERT)
		args.alert = fds[rq->alert];
	/* The deadline is absolute: a poll gives up now. */
	if (rq->ms != NEVER)
		args.timeout = now() + rq->ms * NSEC_PER_MSEC;

	if (ioctl(fds[DEVICE], rq->call, &args) < 0)
		rp->error = errno;
	rp->index = args.index;
	rp->early = rp->error == ETIMEDOUT && now() < args.timeout;
}

static void perform(const struct request *rq, struct reply *rp)
{
	memset(rp, 0, sizeof(*rp));
	if (is_wait(rq)) {
		do_wait(rq, rp);
		return;
	}
	/* The longest argument is two words, and its first goes in. */
	rp->values[0] = rq->call == NTSYNC_IOC_MUTEX_UNLOCK ? rq->owner :
							      rq->value;
	if (ioctl(fds[rq->things[0]], rq->call, rp->values) < 0)
		rp->error = errno;
}

/* -- The client: receives the descriptors, then does what it is asked. -- */

static bool take_props(int sock)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(fds))];
	} control;
	char text[16];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return false;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(fds)))
		return false;
	memcpy(fds, CMSG_DATA(cmsg), sizeof(fds));
	return true;
}

static int client(int sock)
{
	struct reply begins = { .begins = true };
	struct reply reply = { 0 };
	struct request request;

	if (!take_props(sock))
		return 1;
	send(sock, &reply, sizeof(reply), MSG_NOSIGNAL);

	while (recv(sock, &request, sizeof(request), 0) == sizeof(request)) {
		send(sock, &begins, sizeof(begins), MSG_NOSIGNAL);
		perform(&request, &reply);
		send(sock, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	return 0;
}

/* -- The server: recording. -- */

static __u64 start;
static unsigned int right, wrong;
static bool colours;

static void kill_clients(void)
{
	int who;

	for (who = ANNA; who < PEOPLE; who++)
		if (people[who].pid > 0)
			kill(people[who].pid, SIGKILL);
}

static const char *paint(const char *colour)
{
	return colours ? colour : "";
}

static int tally(void)
{
	printf("\n%s%u steps as expected, %u not%s\n",
	       paint(wrong ? "\033[1;31m" : "\033[1;32m"), right, wrong,
	       paint("\033[0m"));
	return wrong || !right;
}

/* For errors after which the session cannot continue. */
static void stop(const char *subject, const char *problem)
{
	kill_clients();
	printf("\n%sthe session stops here: %s: %s%s\n", paint("\033[1;31m"),
	       subject, problem, paint("\033[0m"));
	wrong++;
	exit(tally());
}

static void took_too_long(int sig)
{
	static const char text[] =
		"\nthe session stops here: it took too long\n";

	(void)sig;
	kill_clients();
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static void topic(const char *heading, const char *what)
{
	static int number;

	printf("\n%s%d. %s%s\n   %s\n\n", paint("\033[1m"), ++number, heading,
	       paint("\033[0m"), what);
}

/* Prints a line, and checks that its result is the expected one. */
static void note(int who, const char *what, const char *on, const char *result,
		 const char *expected)
{
	bool good = !strcmp(result, expected);

	printf("%8.1f  %s%-6s%s  %-17s  %-21s  %s%s%s\n",
	       (now() - start) / 1e6, paint(people[who].colour),
	       people[who].name, paint("\033[0m"), what, on,
	       paint(good ? "" : "\033[1;31m"), result,
	       paint(good ? "" : "\033[0m"));
	if (good) {
		right++;
		return;
	}
	wrong++;
	printf("%8s  %-6s  %-17s  %-21s  EXPECTED: %s\n", "", "", "", "",
	       expected);
}

static void describe_things(const struct request *rq, char *text, size_t size)
{
	size_t len = 0;
	__u32 i;

	for (i = 0; i < rq->count; i++)
		len += snprintf(text + len, size - len, "%s%s", i ? ", " : "",
				thing_names[rq->things[i]]);
	if (rq->alert != NO_ALERT)
		snprintf(text + len, size - len, " (alert: %s)",
			 thing_names[rq->alert]);
}

static void describe_wait(const struct request *rq, const struct reply *rp,
			  char *text, size_t size)
{
	const char *dead = rp->error == EOWNERDEAD ? ", abandoned" : "";

	if (rq->call == NTSYNC_IOC_WAIT_ALL && rp->index == 0)
		snprintf(text, size, "got all of them%s", dead);
	else if (rp->index < rq->count)
		snprintf(text, size, "got %s%s", thing_names[rq->things[rp->index]],
			 dead);
	else if (rp->index == rq->count && rq->alert != NO_ALERT)
		snprintf(text, size, "ended by %s%s", thing_names[rq->alert], dead);
	else
		snprintf(text, size, "index %u", rp->index);
}

static void describe_error(int error, char *text, size_t size)
{
	if (error == EPERM)
		snprintf(text, size, "refused: EPERM");
	else if (error == EOVERFLOW)
		snprintf(text, size, "refused: EOVERFLOW");
	else
		snprintf(text, size, "error %d: %s", error, strerror(error));
}

static void describe(const struct request *rq, const struct reply *rp,
		     char *text, size_t size)
{
	const __u32 *values = rp->values;

	if (rp->error == ETIMEDOUT && is_wait(rq)) {
		snprintf(text, size, "timed out%s", rp->early ? " early" : "");
		return;
	}
	if (rp->error && !(rp->error == EOWNERDEAD && is_wait(rq))) {
		describe_error(rp->error, text, size);
		return;
	}

	switch (rq->call) {
	case NTSYNC_IOC_WAIT_ANY:
	case NTSYNC_IOC_WAIT_ALL:
		describe_wait(rq, rp, text, size);
		break;
	case NTSYNC_IOC_MUTEX_UNLOCK:
		snprintf(text, size, "count was %u", values[1]);
		break;
	case NTSYNC_IOC_MUTEX_KILL:
		snprintf(text, size, "noted");
		break;
	case NTSYNC_IOC_MUTEX_READ:
		if (!values[0] && !values[1])
			snprintf(text, size, "nobody's");
		else if (values[0] > SERVER && values[0] < PEOPLE)
			snprintf(text, size, "%s's, count %u",
				 people[values[0]].name, values[1]);
		else
			snprintf(text, size, "owner %u, count %u", values[0],
				 values[1]);
		break;
	case NTSYNC_IOC_SEM_RELEASE:
		snprintf(text, size, "count was %u", values[0]);
		break;
	case NTSYNC_IOC_SEM_READ:
		snprintf(text, size, "%u of %u", values[0], values[1]);
		break;
	case NTSYNC_IOC_EVENT_SET:
	case NTSYNC_IOC_EVENT_RESET:
	case NTSYNC_IOC_EVENT_PULSE:
		snprintf(text, size, "was %s", values[0] ? "set" : "unset");
		break;
	case NTSYNC_IOC_EVENT_READ:
		snprintf(text, size, "%s-reset, %s", values[0] ? "manual" : "auto",
			 values[1] ? "set" : "unset");
		break;
	}
}

/* -- The server: telling clients what to do. -- */

static bool answers_within(int who, int ms)
{
	struct pollfd pollfd = { .fd = people[who].sock, .events = POLLIN };

	return poll(&pollfd, 1, ms) > 0;
}

static void hear(int who, struct reply *rp)
{
	if (!answers_within(who, ANSWER_MS))
		stop(people[who].name, "does not answer");
	if (recv(people[who].sock, rp, sizeof(*rp), 0) != sizeof(*rp))
		stop(people[who].name, "has gone");
}

static bool asleep(int who)
{
	char path[32], line[256], *state;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)people[who].pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		stop(path, strerror(errno));
	len = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[len > 0 ? len : 0] = '\0';
	state = strrchr(line, ')');
	return state && !strncmp(state, ") S", 3);
}

/*
 * The only way to find out that a client sleeps is to look repeatedly.
 * The look at the socket comes second: a client that sleeps because it is done
 * has replied before.
 */
static bool falls_asleep(int who)
{
	for (;;) {
		bool slept = asleep(who);

		if (answers_within(who, 0))
			return false;
		if (slept)
			return true;
		answers_within(who, 1);
	}
}

/* The last request of each client, and its reply if there is one. */
static struct {
	struct request request;
	struct reply reply;
	bool answered;
} asked[PEOPLE];

static const char sleeps[] = "sleeps";

static void ask(int who, const char *what, const struct request *request,
		const char *expected)
{
	struct reply *reply = &asked[who].reply;
	char result[64], on[64];

	asked[who].request = *request;
	asked[who].answered = true;
	describe_things(request, on, sizeof(on));

	if (who == SERVER) {
		perform(request, reply);
	} else {
		send(people[who].sock, request, sizeof(*request), MSG_NOSIGNAL);
		hear(who, reply);
		if (!reply->begins)
			stop(people[who].name, "is out of step");
		/* Without a deadline a client either replies or sleeps. */
		if (request->ms == NEVER && falls_asleep(who))
			asked[who].answered = false;
		else
			hear(who, reply);
	}

	if (asked[who].answered)
		describe(request, reply, result, sizeof(result));
	else
		strcpy(result, sleeps);
	note(who, what, on, result, expected);
}

/* The objects of a request, in order. */
#define LIST(...)	((const int[]){ __VA_ARGS__, -1 })

static struct request ask_for(__u32 call, int who, const int *things)
{
	struct request request = { .call = call, .owner = who };

	while (*things >= 0)
		request.things[request.count++] = *things++;
	return request;
}

/* The language of the script: who, what, on which objects, expected result. */

static void creates(unsigned long call, int thing, __u32 first, __u32 second)
{
	__u32 args[2] = { first, second };
	const char *what = call == NTSYNC_IOC_CREATE_MUTEX ? "makes mutex" :
			   call == NTSYNC_IOC_CREATE_SEM ? "makes semaphore" :
			   "makes event";
	char result[64] = "made";

	fds[thing] = ioctl(fds[DEVICE], call, args);
	if (fds[thing] < 0)
		describe_error(errno, result, sizeof(result));
	note(SERVER, what, thing_names[thing], result, "made");
	if (fds[thing] < 0)
		stop(thing_names[thing], "there is no play without it");
}

static void hands_out(int who)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(fds))];
	} control = { 0 };
	char text[] = "things";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct reply reply;
	char on[64];

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
	if (sendmsg(people[who].sock, &msg, MSG_NOSIGNAL) < 0)
		stop("handing out descriptors", strerror(errno));
	hear(who, &reply);
	snprintf(on, sizeof(on), "device and %d objects", THINGS - 1);
	note(who, "receives", on, "holds them", "holds them");
}

static void waits(int who, const char *what, int thing, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_WAIT_ANY, who, LIST(thing));

	request.ms = NEVER;
	ask(who, what, &request, expected);
}

static void locks(int who, int mutex, const char *expected)
{
	waits(who, "locks", mutex, expected);
}

static void takes_one(int who, int sem, const char *expected)
{
	waits(who, "takes one of", sem, expected);
}

static void looks_for(int who, const int *things, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_WAIT_ANY, who, things);

	ask(who, "looks once for", &request, expected);
}

static void waits_any(int who, const int *things, __u32 ms, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_WAIT_ANY, who, things);
	char what[32] = "waits for any";

	if (ms != NEVER)
		snprintf(what, sizeof(what), "waits any, %u ms", ms);
	request.ms = ms;
	ask(who, what, &request, expected);
}

static void waits_all(int who, const int *things, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_WAIT_ALL, who, things);

	request.ms = NEVER;
	ask(who, "waits for all", &request, expected);
}

static void waits_alertably(int who, int thing, int alert, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_WAIT_ANY, who, LIST(thing));

	request.ms = NEVER;
	request.alert = alert;
	ask(who, "waits for", &request, expected);
}

static void wakes(int who, const char *expected)
{
	char result[64], on[64];

	if (!asked[who].answered)
		hear(who, &asked[who].reply);
	asked[who].answered = true;
	describe_things(&asked[who].request, on, sizeof(on));
	describe(&asked[who].request, &asked[who].reply, result, sizeof(result));
	note(who, "wakes", on, result, expected);
}

static void unlocks(int who, int mutex, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_MUTEX_UNLOCK, who, LIST(mutex));

	ask(who, "unlocks", &request, expected);
}

static void gives_back(int who, int sem, __u32 value, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_SEM_RELEASE, who, LIST(sem));
	char what[32];

	snprintf(what, sizeof(what), "gives back %u", value);
	request.value = value;
	ask(who, what, &request, expected);
}

static void acts(int who, const char *what, __u32 call, int thing,
		 const char *expected)
{
	struct request request = ask_for(call, who, LIST(thing));

	ask(who, what, &request, expected);
}

static void reads(int who, int thing, const char *expected)
{
	__u32 call = thing == TICKETS ? NTSYNC_IOC_SEM_READ :
			 thing == LEDGER || thing == ATTIC ? NTSYNC_IOC_MUTEX_READ :
			 NTSYNC_IOC_EVENT_READ;

	acts(who, "reads", call, thing, expected);
}

static void sets(int who, int event, const char *expected)
{
	acts(who, "sets", NTSYNC_IOC_EVENT_SET, event, expected);
}

static void resets(int who, int event, const char *expected)
{
	acts(who, "resets", NTSYNC_IOC_EVENT_RESET, event, expected);
}

static void pulses(int who, int event, const char *expected)
{
	acts(who, "pulses", NTSYNC_IOC_EVENT_PULSE, event, expected);
}

static void declares_dead(int whom, int mutex, const char *expected)
{
	struct request request = ask_for(NTSYNC_IOC_MUTEX_KILL, SERVER, LIST(mutex));
	char what[32];

	snprintf(what, sizeof(what), "says %s is dead", people[whom].name);
	request.value = whom;
	ask(SERVER, what, &request, expected);
}

static void ends(int who, int sig, const char *expected)
{
	char result[64];
	int status;

	/* A client that still sleeps, against the script, does not see the socket close. */
	if (!sig && !asked[who].answered)
		sig = SIGKILL;
	if (sig)
		kill(people[who].pid, sig);
	close(people[who].sock);
	if (waitpid(people[who].pid, &status, 0) != people[who].pid)
		stop("waitpid", strerror(errno));
	people[who].pid = 0;
	if (WIFSIGNALED(status))
		snprintf(result, sizeof(result), "ended by %s",
			 WTERMSIG(status) == SIGKILL ? "SIGKILL" :
			 strsignal(WTERMSIG(status)));
	else
		snprintf(result, sizeof(result), "ended with status %d",
			 WEXITSTATUS(status));
	note(SERVER, sig ? "kills" : "dismisses", people[who].name, result,
	     expected);
}

/* -- The script. -- */

static void run_script(void)
{
	int who;

	topic("The server opens the device and makes the objects",
	      "Each is a descriptor; unix sockets carry them and the device's to the clients.");
	note(SERVER, "opens read-only", thing_names[DEVICE], "open", "open");
	creates(NTSYNC_IOC_CREATE_MUTEX, LEDGER, 0, 0);
	creates(NTSYNC_IOC_CREATE_MUTEX, ATTIC, 0, 0);
	creates(NTSYNC_IOC_CREATE_SEM, TICKETS, 2, 2);
	creates(NTSYNC_IOC_CREATE_EVENT, MAIL, false, false);
	creates(NTSYNC_IOC_CREATE_EVENT, OPENING, true, false);
	creates(NTSYNC_IOC_CREATE_EVENT, NUDGE, false, false);
	for (who = ANNA; who < PEOPLE; who++)
		hands_out(who);
	reads(ANNA, LEDGER, "nobody's");
	reads(BEN, TICKETS, "2 of 2");
	reads(CLEO, OPENING, "manual-reset, unset");

	topic("A mutex has one owner at a time",
	      "Anna locks the ledger twice, so Ben sleeps until she has unlocked it twice.");
	locks(ANNA, LEDGER, "got ledger");
	locks(BEN, LEDGER, sleeps);
	locks(ANNA, LEDGER, "got ledger");
	reads(SERVER, LEDGER, "anna's, count 2");
	unlocks(CLEO, LEDGER, "refused: EPERM");
	unlocks(ANNA, LEDGER, "count was 2");
	unlocks(ANNA, LEDGER, "count was 1");
	wakes(BEN, "got ledger");
	unlocks(BEN, LEDGER, "count was 1");

	topic("A semaphore counts",
	      "There are two tickets for three people; Cleo waits until Anna gives one back.");
	takes_one(ANNA, TICKETS, "got tickets");
	takes_one(BEN, TICKETS, "got tickets");
	looks_for(CLEO, LIST(TICKETS), "timed out");
	takes_one(CLEO, TICKETS, sleeps);
	gives_back(ANNA, TICKETS, 1, "count was 0");
	wakes(CLEO, "got tickets");
	gives_back(BEN, TICKETS, 3, "refused: EOVERFLOW");
	gives_back(BEN, TICKETS, 1, "count was 0");
	gives_back(CLEO, TICKETS, 1, "count was 1");
	reads(SERVER, TICKETS, "2 of 2");

	topic("Waiting for any of several",
	      "An auto-reset event lets one waiter through, a manual-reset event all of them.");
	waits_any(ANNA, LIST(MAIL, OPENING), 50, "timed out");
	waits_any(ANNA, LIST(MAIL, OPENING), NEVER, sleeps);
	waits_any(BEN, LIST(MAIL, OPENING), NEVER, sleeps);
	sets(SERVER, MAIL, "was unset");
	wakes(ANNA, "got mail");
	reads(SERVER, MAIL, "auto-reset, unset");
	waits_any(ANNA, LIST(MAIL, OPENING), NEVER, sleeps);
	sets(SERVER, OPENING, "was unset");
	wakes(ANNA, "got opening");
	wakes(BEN, "got opening");
	looks_for(CLEO, LIST(MAIL, OPENING), "got opening");
	resets(SERVER, OPENING, "was set");
	waits(CLEO, "waits for", MAIL, sleeps);
	pulses(SERVER, MAIL, "was unset");
	wakes(CLEO, "got mail");
	reads(SERVER, MAIL, "auto-reset, unset");

	topic("Waiting for all",
	      "Anna waits for all of three; until she gets them, Ben can take them.");
	waits_all(ANNA, LIST(LEDGER, TICKETS, MAIL), sleeps);
	locks(BEN, LEDGER, "got ledger");
	sets(SERVER, MAIL, "was unset");
	reads(SERVER, TICKETS, "2 of 2");
	reads(SERVER, MAIL, "auto-reset, set");
	unlocks(BEN, LEDGER, "count was 1");
	wakes(ANNA, "got all of them");
	reads(SERVER, LEDGER, "anna's, count 1");
	reads(SERVER, TICKETS, "1 of 2");
	reads(SERVER, MAIL, "auto-reset, unset");
	gives_back(ANNA, TICKETS, 1, "count was 1");
	unlocks(ANNA, LEDGER, "count was 1");

	topic("An alert ends a wait",
	      "A nudge ends Ben's wait; when there is mail as well, mail comes first.");
	waits_alertably(BEN, MAIL, NUDGE, sleeps);
	sets(SERVER, NUDGE, "was unset");
	wakes(BEN, "ended by nudge");
	sets(SERVER, MAIL, "was unset");
	sets(SERVER, NUDGE, "was unset");
	waits_alertably(BEN, MAIL, NUDGE, "got mail");
	reads(SERVER, NUDGE, "auto-reset, set");
	waits_alertably(BEN, MAIL, NUDGE, "ended by nudge");

	topic("An owner dies",
	      "Cleo is killed while she owns the ledger; the server has to tell the driver.");
	locks(CLEO, LEDGER, "got ledger");
	locks(ANNA, LEDGER, sleeps);
	locks(BEN, LEDGER, sleeps);
	ends(CLEO, SIGKILL, "ended by SIGKILL");
	reads(SERVER, LEDGER, "cleo's, count 1");
	declares_dead(CLEO, ATTIC, "refused: EPERM");
	declares_dead(CLEO, LEDGER, "noted");
	wakes(ANNA, "got ledger, abandoned");
	reads(SERVER, LEDGER, "anna's, count 1");
	unlocks(ANNA, LEDGER, "count was 1");
	wakes(BEN, "got ledger");
	unlocks(BEN, LEDGER, "count was 1");

	topic("The end",
	      "Anna and Ben leave when the server closes their sockets.");
	ends(ANNA, 0, "ended with status 0");
	ends(BEN, 0, "ended with status 0");
}

static int open_device(void)
{
	int fd = open("/dev/ntsync", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		fprintf(stderr,
			"session: may not open /dev/ntsync: as root, give it mode 0666 (chmod 0666 /dev/ntsync)\n");
	else if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		fprintf(stderr,
			"session: no driver behind /dev/ntsync: as root, modprobe ntsync, or insmod ntsync.ko where it was built\n");
	else
		fprintf(stderr, "session: cannot open /dev/ntsync: %s\n",
			strerror(errno));
	return -1;
}

/*
 * Clients are started before there is anything to inherit, so they use only what
 * they receive through their sockets.
 */
static bool hire(int who)
{
	pid_t server = getpid();
	int pair[2], other;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	people[who].pid = fork();
	if (people[who].pid < 0)
		return false;
	if (!people[who].pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != server)
			_exit(1);
		close(pair[0]);
		for (other = ANNA; other < who; other++)
			close(people[other].sock);
		_exit(client(pair[1]));
	}
	close(pair[1]);
	people[who].sock = pair[0];
	asked[who].answered = true;
	return true;
}

int main(void)
{
	int who, fd;

	/* 0 as an alert means none: keep objects from getting it. */
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);

	start = now();
	setvbuf(stdout, NULL, _IOLBF, 0);
	colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	signal(SIGALRM, took_too_long);
	alarm(SESSION_SECONDS);

	for (who = ANNA; who < PEOPLE; who++) {
		if (!hire(who)) {
			perror("session: cannot start a client");
			kill_clients();
			return 1;
		}
	}
	fds[DEVICE] = open_device();
	if (fds[DEVICE] < 0) {
		kill_clients();
		return 1;
	}

	printf("A server and three clients (anna, ben, cleo) share objects of /dev/ntsync:\n"
	       "mutexes ledger and attic, semaphore tickets, events mail, opening and nudge.\n");
	printf("\n%s%8s  %-6s  %-17s  %-21s  %s%s\n", paint("\033[1m"), "ms",
	       "who", "what", "on", "result", paint("\033[0m"));
	run_script();
	return tally();
}
