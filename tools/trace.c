// SPDX-License-Identifier: GPL-2.0
/*
 * Reads trace events from tracefs, in the binary form of the kernel's ring buffer.
 * As text, an event takes the kernel a hundred times as long to write, and threads that
 * spin cause a million events a second.
 *
 * Each CPU has a buffer of pages.  A page has a time, the length of what follows, and
 * entries of 32 bits and more, each with the time since the one before.  tracefs
 * describes the head of a page in events/header_page, an entry in
 * events/header_event, and the fields of an event in its format.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>
#include "proc.h"
#include "trace.h"
#include "util.h"

#define BUFFER_KB	"4096"	/* for each CPU */
#define MOST_PAGES	1024	/* that are read of a CPU before the next one's turn */
#define MOST_FIELDS	16

/* Kinds of entries that are no event. */
#define PADDING		29
#define TIME_EXTEND	30
#define TIME_STAMP	31
#define DELTA_BITS	27
#define STAMP_BITS	59	/* of a time stamp, which has no more */

/* In the length of a page: events were lost before it, and how many is behind it. */
#define MISSED		0x80000000
#define MISSED_STORED	0x40000000
#define LENGTH		0xfffff

/* Where a field is, in the kernel's record and in ours. */
struct field {
	size_t from;
	size_t to;
	size_t size;
};

struct layout {
	unsigned int id;
	struct field fields[MOST_FIELDS];
	size_t nr_fields;
};

struct entry {
	uint32_t type : 5;
	uint32_t delta : DELTA_BITS;
};

static const char * const kind_names[] = {
	[EVENT_CREATE]		= "create",
	[EVENT_DESTROY]		= "destroy",
	[EVENT_WAIT_BEGIN]	= "wait_begin",
	[EVENT_QUEUE]		= "queue",
	[EVENT_ACQUIRE]		= "acquire",
	[EVENT_SIGNAL]		= "signal",
	[EVENT_WAIT_END]	= "wait_end",
};

/* All have 32 bits, or 64 from the timeout on. */
static const struct {
	const char *name;
	size_t to;
} known_fields[] = {
	{ "common_pid", offsetof(struct event, tid) },
	{ "instance", offsetof(struct event, instance) },
	{ "object", offsetof(struct event, object) },
	{ "type", offsetof(struct event, type) },
	{ "kind", offsetof(struct event, all) },
	{ "count", offsetof(struct event, count) },
	{ "alert", offsetof(struct event, alert) },
	{ "owner", offsetof(struct event, owner) },
	{ "holder", offsetof(struct event, holder) },
	{ "index", offsetof(struct event, index) },
	{ "op", offsetof(struct event, op) },
	{ "ret", offsetof(struct event, ret) },
	{ "woken", offsetof(struct event, woken) },
	{ "timeout", offsetof(struct event, timeout) },
	{ "serial", offsetof(struct event, serial) },
	{ "waited", offsetof(struct event, waited) },
};

static const char *root;	/* tracefs */
static char *own;		/* our instance, NULL if there is none */
static struct layout layouts[NR_EVENT_KINDS];
static size_t page_data, length_size;
static int *buffers;		/* one for each CPU */
static size_t nr_buffers;
static struct event *events;	/* read, and not handed out yet */
static size_t nr_events;
static unsigned long long lost;
static volatile sig_atomic_t interrupted;

bool trace_interrupted(void)
{
	return interrupted;
}

unsigned long long trace_lost(void)
{
	return lost;
}

/* Files of tracefs */

static void refuse(const char *path)
{
	if (errno == EACCES)
		errx(EXIT_TROUBLE, "no permission to trace (%s): run as root", path);
	if (errno == EPERM)
		errx(EXIT_TROUBLE,
		     "cannot trace (%s): the kernel is locked down, or this is a container",
		     path);
	err(EXIT_TROUBLE, "cannot trace: %s", path);
}

static void put_text(const char *folder, const char *name, const char *text,
		     int how)
{
	char *path = format("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC | how);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		refuse(path);
	close(fd);
	free(path);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	put_text(folder, name, text, O_TRUNC);
}

static void append_file(const char *folder, const char *name, const char *text)
{
	put_text(folder, name, text, O_APPEND);
}

/* The result is valid until the next file is read. */
static char *read_whole(const char *folder, const char *name)
{
	char *path = format("%s/%s", folder, name);
	char *text = read_file(AT_FDCWD, path);

	if (!text)
		refuse(path);
	free(path);
	return text;
}

static void find_tracefs(void)
{
	static const char * const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/events", places[i]);
		if (!access(path, F_OK)) {
			root = places[i];
			return;
		}
		if (errno == EACCES)
			refuse(places[i]);
	}
	errx(EXIT_TROUBLE,
	     "there is no tracefs: as root, mount -t tracefs none /sys/kernel/tracing");
}

static void check_events(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/events/ntsync", root);
	if (!access(path, F_OK))
		return;
	if (errno == EACCES)
		refuse(path);
	if (access("/dev/ntsync", F_OK))
		errx(EXIT_TROUBLE,
		     "no driver is loaded: as root, modprobe ntsync (or insmod ntsync.ko)");
	errx(EXIT_TROUBLE,
	     "the driver has no trace events, so it is not known what threads do: it is the kernel's own, or older than this program");
}

/* Layouts */

/* "<tab>field:unsigned short common_type;<tab>offset:0;<tab>size:2;<tab>signed:0;" */
static bool parse_field(char *line, char **name, unsigned int *offset,
			unsigned int *size)
{
	char *semicolon = strchr(line, ';');

	if (!strstr(line, "field:") || !semicolon ||
	    sscanf(semicolon + 1, " offset:%u; size:%u", offset, size) != 2)
		return false;
	*semicolon = 0;
	*name = strrchr(line, ' ') + 1;
	return true;
}

static void add_field(struct layout *layout, const char *name, size_t from,
		      size_t size)
{
	size_t i, to, wanted;

	for (i = 0; i < sizeof(known_fields) / sizeof(*known_fields); i++) {
		if (strcmp(known_fields[i].name, name))
			continue;
		to = known_fields[i].to;
		wanted = to < offsetof(struct event, timeout) ? sizeof(uint32_t) :
							       sizeof(uint64_t);
		if (size != wanted || layout->nr_fields == MOST_FIELDS)
			errx(EXIT_TROUBLE,
			     "the format of the driver's trace events is not known");
		layout->fields[layout->nr_fields++] = (struct field) { from, to, size };
	}
}

static void read_layout(enum event_kind kind)
{
	char *name = format("events/ntsync/ntsync_%s/format", kind_names[kind]);
	char *text = read_whole(root, name), *line;
	struct layout *layout = &layouts[kind];
	unsigned int offset, size;
	char *field;

	free(name);
	while ((line = strsep(&text, "\n"))) {
		if (sscanf(line, "ID: %u", &layout->id) != 1 &&
		    parse_field(line, &field, &offset, &size))
			add_field(layout, field, offset, size);
	}
}

static void read_page_layout(void)
{
	char *text = read_whole(root, "events/header_page"), *line, *field;
	unsigned int offset, size;

	while ((line = strsep(&text, "\n"))) {
		if (!parse_field(line, &field, &offset, &size))
			continue;
		if (!strcmp(field, "commit"))
			length_size = size;
		else if (!strcmp(field, "data"))
			page_data = offset;
	}
	if (!page_data || (length_size != 4 && length_size != 8))
		errx(EXIT_TROUBLE, "the format of this kernel's trace buffers is not known");
}

/* An instance of our own */

static void remove_own(void)
{
	size_t i;

	for (i = 0; i < nr_buffers; i++)
		close(buffers[i]);
	nr_buffers = 0;
	if (own)
		rmdir(own);
	own = NULL;
}

static void interrupt(int signal)
{
	(void)signal;
	interrupted = true;
}

/* Those of programs that were killed. */
static void remove_stale(void)
{
	char *folder = format("%s/instances", root);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char *path;
	int pid;

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "lsntsync-%d", &pid) != 1 ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		path = format("%s/%s", folder, entry->d_name);
		rmdir(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

static void create_own(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	const struct sigaction action = { .sa_handler = interrupt };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	remove_stale();
	own = format("%s/instances/lsntsync-%d", root, getpid());
	if (mkdir(own, 0700)) {
		char *path = own;

		own = NULL;
		refuse(path);
	}
	atexit(remove_own);
	write_file(own, "tracing_on", "0");
	write_file(own, "trace_clock", "mono");
	write_file(own, "buffer_size_kb", BUFFER_KB);
}

/* Only threads of this process, and those that they start. */
static void trace_process(unsigned int pid)
{
	char *name = format("%u", pid);
	DIR *dir = open_folder("/proc", name, "task");
	struct dirent *entry;

	if (!dir)
		errx(EXIT_TROUBLE, "there is no process %u", pid);
	while ((entry = readdir(dir)))
		if (parse_id(entry->d_name) > 0)
			append_file(own, "set_event_pid", entry->d_name);
	closedir(dir);
	free(name);
}

static void open_buffers(void)
{
	long i, cpus = sysconf(_SC_NPROCESSORS_CONF);
	char *path;
	int fd;

	for (i = 0; i < cpus; i++) {
		path = format("%s/per_cpu/cpu%ld/trace_pipe_raw", own, i);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			refuse(path);
		free(path);
		if (fd < 0)
			continue;
		buffers = grow(buffers, nr_buffers, sizeof(fd));
		buffers[nr_buffers++] = fd;
	}
}

/**
 * trace_begin() - trace until the program ends
 * @kinds: which events, one bit for each &enum event_kind
 * @pids: the processes whose threads are traced
 * @nr_pids: how many these are, 0 for all processes
 *
 * If that cannot be, the program ends with a message that says why.
 */
void trace_begin(unsigned int kinds, const unsigned int *pids, size_t nr_pids)
{
	enum event_kind kind;
	char *name;
	size_t i;

	find_tracefs();
	check_events();
	read_page_layout();
	create_own();
	if (nr_pids)
		write_file(own, "options/event-fork", "1");
	for (i = 0; i < nr_pids; i++)
		trace_process(pids[i]);
	open_buffers();
	for (kind = 0; kind < NR_EVENT_KINDS; kind++) {
		if (!(kinds & 1 << kind))
			continue;
		read_layout(kind);
		name = format("events/ntsync/ntsync_%s/enable", kind_names[kind]);
		write_file(own, name, "1");
		free(name);
	}
	write_file(own, "tracing_on", "1");
}

/**
 * trace_name() - find the name of a thread that is gone
 * @tid: the thread
 * @name: where the name goes
 *
 * Return: whether the kernel still remembers it from one of its events.
 */
bool trace_name(pid_t tid, char name[64])
{
	char *text = read_whole(root, "saved_cmdlines"), *line, *end;

	while ((line = strsep(&text, "\n"))) {
		if (strtol(line, &end, 10) != tid || *end != ' ')
			continue;
		snprintf(name, 64, "%s", end + 1);
		make_text(name);
		return true;
	}
	return false;
}

/* Pages */

static void add_event(const unsigned char *record, size_t size, uint64_t time)
{
	const struct layout *layout;
	struct event *event;
	uint16_t id;
	size_t i;

	memcpy(&id, record, sizeof(id));
	for (layout = layouts; layout->id != id; layout++)
		if (layout == &layouts[NR_EVENT_KINDS - 1])
			return;
	events = grow(events, nr_events, sizeof(*events));
	event = &events[nr_events];
	*event = (struct event) {
		.kind = layout - layouts, .time = time, .place = nr_events,
	};
	nr_events++;
	for (i = 0; i < layout->nr_fields; i++)
		if (layout->fields[i].from + layout->fields[i].size <= size)
			memcpy((char *)event + layout->fields[i].to,
			       record + layout->fields[i].from,
			       layout->fields[i].size);
}

/* Lengths and numbers behind a page have the size of a long of the kernel. */
static uint64_t read_long(const unsigned char *at)
{
	uint64_t wide;
	uint32_t narrow;

	memcpy(&wide, at, sizeof(wide));
	memcpy(&narrow, at, sizeof(narrow));
	return length_size == sizeof(wide) ? wide : narrow;
}

static void count_lost(const unsigned char *behind, uint32_t length)
{
	if (length & MISSED_STORED)
		lost += read_long(behind);
	else if (length & MISSED)
		lost++;
}

static uint64_t passed_time(uint64_t time, struct entry entry, uint32_t word)
{
	const uint64_t stamp = (uint64_t)word << DELTA_BITS | entry.delta;

	switch (entry.type) {
	case TIME_EXTEND:
		return time + stamp;
	case TIME_STAMP:
		return (time >> STAMP_BITS << STAMP_BITS) | stamp;
	default:
		return time + entry.delta;
	}
}

static void parse_page(const unsigned char *page)
{
	const uint32_t length = read_long(page + sizeof(uint64_t));
	const unsigned char *at = page + page_data, *end = at + (length & LENGTH);
	struct entry entry;
	uint64_t time;
	uint32_t word;

	memcpy(&time, page, sizeof(time));
	count_lost(end, length);
	while (at + sizeof(entry) + sizeof(word) <= end) {
		memcpy(&entry, at, sizeof(entry));
		at += sizeof(entry);
		memcpy(&word, at, sizeof(word));
		if (entry.type == PADDING && !entry.delta)
			return;
		time = passed_time(time, entry, word);
		if (entry.type == TIME_EXTEND || entry.type == TIME_STAMP) {
			at += sizeof(word);
		} else if (entry.type == PADDING) {
			at += word;
		} else if (!entry.type) {
			if (word < sizeof(word) || word > end - at)
				return;
			add_event(at + sizeof(word), word - sizeof(word), time);
			at += (word + 3) & ~3u;
		} else {
			add_event(at, 4 * entry.type, time);
			at += 4 * entry.type;
		}
	}
}

/* In order */

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

uint64_t trace_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/**
 * trace_read() - hand out the events since the last call
 * @handle: is called with each, in the order of time
 * @data: for @handle
 *
 * The buffers of the CPUs are read one after the other, so what happened since the
 * first was waits for the next call.
 *
 * Return: the time until which events are handed out.
 */
uint64_t trace_read(event_handler *handle, void *data)
{
	static unsigned char page[1 << 16];
	const uint64_t begin = trace_now();
	size_t i, pages, done = 0;

	for (i = 0; i < nr_buffers; i++)
		for (pages = 0; pages < MOST_PAGES &&
		     read(buffers[i], page, getpagesize()) > 0; pages++)
			parse_page(page);
	if (!nr_events)
		return begin;
	qsort(events, nr_events, sizeof(*events), compare_events);
	while (done < nr_events && events[done].time <= begin)
		handle(&events[done++], data);
	nr_events -= done;
	memmove(events, events + done, nr_events * sizeof(*events));
	for (i = 0; i < nr_events; i++)
		events[i].place = i;
	return begin;
}
