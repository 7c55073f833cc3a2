// SPDX-License-Identifier: GPL-2.0
/* What several tools read about processes in /proc. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "proc.h"
#include "util.h"

/* Text */

/*
 * The bytes of the UTF-8 character that begins here; 0 if none does, or if it
 * controls a terminal.
 */
static size_t utf8_length(const char *text)
{
	unsigned char lead = *text, second = lead ? text[1] : 0;
	size_t i, length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 :
			   lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;

	if (iscntrl(lead) || (lead == 0xc2 && second < 0xa0))
		return 0;
	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* A process may give itself any name; JSON and terminals take only text. */
void make_text(char *name)
{
	size_t length;

	while (*name) {
		length = utf8_length(name);
		if (!length)
			*name = '?';
		name += length ? length : 1;
	}
}

bool parse_u64(const char *text, unsigned long long *value)
{
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*value = number;
	return true;
}

/* The number of a process, thread or descriptor; -1 for other names. */
int parse_id(const char *text)
{
	unsigned long long number;

	return parse_u64(text, &number) && number <= INT_MAX ? (int)number : -1;
}

/* Files */

/*
 * Reads a whole file, whose name is relative to a folder.  The text is valid
 * until the next one is read.  NULL if it cannot be read.
 */
char *read_file(int folder, const char *name)
{
	static size_t size = 1 << 16;
	static char *text;
	size_t used = 0;
	ssize_t ret = -1;
	int fd;

	fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (!text)
		text = allocate(size);
	while ((ret = read(fd, text + used, size - used - 1)) > 0) {
		used += ret;
		if (used < size - 1)
			continue;
		size *= 2;
		text = realloc(text, size);
		if (!text)
			err(EXIT_TROUBLE, NULL);
	}
	close(fd);
	text[used] = 0;
	return ret < 0 ? NULL : text;
}

/*
 * Splits the next line of a text at its first colon and the blanks that follow.
 * Lines without a colon are skipped.
 */
bool next_line(char **text, char **key, char **value)
{
	char *line, *colon;

	while ((line = strsep(text, "\n"))) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = 0;
		*key = line;
		*value = colon + 1 + strspn(colon + 1, " \t");
		return true;
	}
	return false;
}

/* Processes and threads */

DIR *open_folder(const char *proc, const char *task, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", proc, task, name);
	return opendir(path);
}

bool read_status(const char *proc, const char *task, struct status *status)
{
	char path[PATH_MAX], *text, *key, *value;

	*status = (struct status) { };
	snprintf(path, sizeof(path), "%s/%s/status", proc, task);
	text = read_file(AT_FDCWD, path);
	while (text && next_line(&text, &key, &value)) {
		if (!strcmp(key, "Name"))
			snprintf(status->name, sizeof(status->name), "%s", value);
		else if (!strcmp(key, "State"))
			status->state = *value;
		else if (!strcmp(key, "Tgid"))
			status->tgid = parse_id(value);
		else if (!strcmp(key, "Uid"))
			status->uid = strtoul(value, NULL, 10);
		else if (!strcmp(key, "VmSize"))
			status->memory = true;
	}
	make_text(status->name);
	return status->tgid > 0;
}

/* The path below @proc of a thread that outlives the first thread of its process. */
static bool find_living_thread(const char *proc, const char *pid,
			       char path[NAME_MAX])
{
	DIR *dir = open_folder(proc, pid, "task");
	struct status status;
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (parse_id(entry->d_name) < 0)
			continue;
		snprintf(path, NAME_MAX, "%.16s/task/%.16s", pid, entry->d_name);
		found = read_status(proc, path, &status) && status.memory;
	}
	closedir(dir);
	return found;
}

/*
 * The path below @proc of a thread whose descriptors are those of the process: its
 * first one, or if that has ended one that lives on.  A process without any, or a
 * thread of the kernel, has no descriptors.
 */
bool find_task(const char *proc, const char *pid, char task[NAME_MAX],
	       struct status *status)
{
	snprintf(task, NAME_MAX, "%s", pid);
	if (!read_status(proc, pid, status))
		return false;
	return status->memory ||
	       (status->state == 'Z' && find_living_thread(proc, pid, task));
}

/* The file that a descriptor in an open folder refers to. */
enum target read_target(int fds, const char *fd)
{
	static const char object[] = "anon_inode:ntsync";
	char target[sizeof(object)];
	ssize_t length;

	length = readlinkat(fds, fd, target, sizeof(target));
	if (length < 0 || length == sizeof(target))
		return TARGET_OTHER;
	target[length] = 0;
	return !strcmp(target, object) ? TARGET_OBJECT :
	       !strcmp(target, "/dev/ntsync") ? TARGET_DEVICE : TARGET_OTHER;
}
