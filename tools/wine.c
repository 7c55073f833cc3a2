// SPDX-License-Identifier: GPL-2.0
/*
 * Which processes are Wine's, and why they do not use the device.
 *
 * Wine's server opens the device once and passes it to its clients, so the server is
 * examined, if it is visible.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "proc.h"
#include "util.h"
#include "wine.h"

#define DEVICE	"/dev/ntsync"

static const char * const reason_words[] = {
	[NO_DEVICE] = "no device",
	[NOT_PERMITTED] = "not permitted",
	[TOO_EARLY] = "started too early",
	[TURNED_OFF] = "turned off",
	[NOT_TURNED_ON] = "not turned on",
	[NOT_KNOWN] = "device not known",
	[NO_SERVER] = "server not seen",
	[NOT_WINE] = "not Wine",
	[UNKNOWN] = "unknown",
};

const char *reason_word(enum reason reason)
{
	return reason_words[reason];
}

/* Files of a process */

static FILE *open_file(const char *task, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/%s", task, name);
	return fopen(path, "re");
}

static bool read_link(const char *task, const char *name, char target[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%s/%s", task, name);
	len = readlink(path, target, PATH_MAX - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return true;
}

/* Converts a path as the process sees it to one that we can open. */
static void seen_by(const char *task, const char *name, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "/proc/%s/root%s", task, name) >= PATH_MAX)
		*path = '\0';
}

/* The last part of a path of Linux or Windows. */
static const char *base_name(const char *path)
{
	const char *last = path;

	for (; *path; path++)
		if ((*path == '/' || *path == '\\') && path[1])
			last = path + 1;
	return last;
}

/* One of several texts that end with a zero, by number or by its beginning. */
static char *find_text(const char *task, const char *name, int index,
		       const char *begin)
{
	FILE *file = open_file(task, name);
	char *text = NULL, *found = NULL;
	size_t size = 0, len = begin ? strlen(begin) : 0;

	while (file && !found && getdelim(&text, &size, '\0', file) > 0)
		if (begin ? !strncmp(text, begin, len) : !index--)
			found = format("%s", text + len);
	free(text);
	if (file)
		fclose(file);
	return found;
}

char *argument(const char *task, int index)
{
	return find_text(task, "cmdline", index, NULL);
}

/* The value of a variable in the environment that it was started with, or NULL. */
static char *variable(const char *task, const char *name)
{
	char begin[64];

	snprintf(begin, sizeof(begin), "%s=", name);
	return find_text(task, "environ", 0, begin);
}

/* Which processes are Wine's */

static bool is_server(const char *name)
{
	return !strncmp(name, "wineserver", 10);
}

/* The names of the programs that Windows programs run in. */
static bool is_loader(const char *name)
{
	return !strcmp(name, "wine") || !strcmp(name, "wine64") ||
	       !strcmp(name, "wine-preloader") || !strcmp(name, "wine64-preloader");
}

/* A program that runs programs for another processor. */
static bool is_emulator(const char *name)
{
	return !strncmp(name, "box64", 5) || !strncmp(name, "box86", 5) ||
	       !strncmp(name, "FEX", 3) ||
	       (!strncmp(name, "qemu-", 5) && strncmp(name, "qemu-system", 11));
}

/* The program that an emulator was told to run. */
static enum role role_of_arguments(const char *task, char **program)
{
	enum role role = NO_WINE;
	char *text, path[PATH_MAX];
	int index;

	for (index = 1; role == NO_WINE && (text = argument(task, index)); index++) {
		if (is_server(base_name(text))) {
			role = WINE_SERVER;
			seen_by(task, text, path);
			*program = *text == '/' ? format("%s", path) : NULL;
		} else if (is_loader(base_name(text))) {
			role = WINE_CLIENT;
		}
		free(text);
	}
	return role;
}

/* Looks for a mapping of the library that each Windows program needs, or of the server. */
static enum role role_of_maps(const char *task, char **program)
{
	FILE *file = open_file(task, "maps");
	enum role role = NO_WINE;
	char *line = NULL, *path, full[PATH_MAX];
	size_t size = 0;

	while (file && role == NO_WINE && getline(&line, &size, file) > 0) {
		path = strchr(line, '/');
		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (!strcmp(base_name(path), "ntdll.so") ||
		    !strcmp(base_name(path), "ntdll.dll.so")) {
			role = WINE_CLIENT;
		} else if (is_server(base_name(path))) {
			role = WINE_SERVER;
			seen_by(task, path, full);
			*program = format("%s", full);
		}
	}
	free(line);
	if (file)
		fclose(file);
	return role;
}

/* A Windows program has its own name; its loader and its server do not. */
enum role find_role(const char *task, char **program)
{
	char exe[PATH_MAX];
	enum role role;

	*program = NULL;
	if (!read_link(task, "exe", exe))
		return NO_WINE;
	if (is_server(base_name(exe))) {
		*program = format("/proc/%s/exe", task);
		return WINE_SERVER;
	}
	if (!strncmp(base_name(exe), "wine", 4))
		return WINE_CLIENT;
	role = is_emulator(base_name(exe)) ? role_of_arguments(task, program) : NO_WINE;
	return role != NO_WINE ? role : role_of_maps(task, program);
}

/* The folder of the programs' files. */
static char *find_prefix(const char *task)
{
	char *prefix = variable(task, "WINEPREFIX"), *home;

	if (prefix && *prefix)
		return prefix;
	free(prefix);
	home = variable(task, "HOME");
	prefix = home ? format("%s/.wine", home) : NULL;
	free(home);
	return prefix;
}

/*
 * A name that a server and its clients have in common, NULL if it is not known.  The
 * server works in a folder that is named after the device and inode of the prefix.
 */
char *find_session(const char *task, enum role role, uid_t uid)
{
	char path[PATH_MAX] = "", *prefix, *session = NULL;
	struct stat st;

	if (role == WINE_SERVER && read_link(task, "cwd", path) &&
	    !strncmp(base_name(path), "server-", 7))
		return format("%u %s", uid, base_name(path));
	prefix = find_prefix(task);
	if (!prefix)
		return NULL;
	seen_by(task, prefix, path);
	if (!stat(path, &st))
		session = format("%u server-%lx-%lx", uid, (unsigned long)st.st_dev,
				 (unsigned long)st.st_ino);
	else
		session = format("%u %s", uid, prefix);
	free(prefix);
	return session;
}

/* Why it does not use the device */

static bool because(struct answer *answer, enum reason reason, const char *what,
		    const char *remedy)
{
	*answer = (struct answer) { reason, what, remedy };
	return true;
}

/* Does it see other files than we do? */
static bool in_sandbox(const char *task)
{
	char theirs[PATH_MAX], ours[PATH_MAX], root[PATH_MAX];
	struct stat here, there;

	if (read_link(task, "ns/mnt", theirs) && read_link("self", "ns/mnt", ours) &&
	    strcmp(theirs, ours))
		return true;
	seen_by(task, "/", root);
	return !stat(root, &there) && !stat("/", &here) &&
	       (here.st_dev != there.st_dev || here.st_ino != there.st_ino);
}

/* The name by which Flatpak knows it. */
static char *flatpak_name(const char *task)
{
	char path[PATH_MAX], *line = NULL, *name = NULL;
	size_t size = 0;
	FILE *file;

	seen_by(task, "/.flatpak-info", path);
	file = fopen(path, "re");
	while (file && !name && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "name=", 5))
			name = format("%s", line + 5);
	}
	free(line);
	if (file)
		fclose(file);
	return name;
}

static bool has_file(const char *task, const char *name)
{
	char path[PATH_MAX];

	seen_by(task, name, path);
	return !access(path, F_OK);
}

static const char *let_device_in(const char *task)
{
	char *name = flatpak_name(task);

	if (name)
		return format("flatpak override --user --device=all %s, and start it again",
			      name);
	if (has_file(task, "/run/.containerenv"))
		return "start the container again with podman run --device " DEVICE;
	if (has_file(task, "/.dockerenv"))
		return "start the container again with docker run --device " DEVICE;
	return "pass " DEVICE " into the sandbox, and start it again";
}

/* @node is what it has in place of the device. */
static bool lacks_device(const char *task, dev_t device, struct stat *node,
			 struct answer *answer)
{
	char path[PATH_MAX];

	seen_by(task, DEVICE, path);
	if (!stat(path, node) && S_ISCHR(node->st_mode) &&
	    (!device || node->st_rdev == device))
		return false;
	if (!in_sandbox(task))
		return because(answer, NO_DEVICE, "there is no " DEVICE,
			       "see the problem below first");
	return because(answer, NO_DEVICE, "there is no " DEVICE " in its sandbox",
		       let_device_in(task));
}

/* Which of the three sets of mode bits applies to a process. */
static mode_t bits_for(const char *task, const struct stat *node)
{
	char path[PATH_MAX], *text, *key, *value, *word;
	unsigned int uid = -1, gid = -1;
	bool member = false;

	snprintf(path, sizeof(path), "/proc/%s/status", task);
	text = read_file(AT_FDCWD, path);
	while (text && next_line(&text, &key, &value)) {
		if (!strcmp(key, "Uid"))
			sscanf(value, "%*u %*u %*u %u", &uid);
		else if (!strcmp(key, "Gid"))
			sscanf(value, "%*u %*u %*u %u", &gid);
		else if (!strcmp(key, "Groups"))
			while ((word = strsep(&value, " ")))
				member |= *word && strtoul(word, NULL, 10) == node->st_gid;
	}
	if (!uid)
		return 4;
	return (uid == node->st_uid ? node->st_mode >> 6 :
		gid == node->st_gid || member ? node->st_mode >> 3 : node->st_mode) & 7;
}

/* Root may open what others may not, but nothing below a mount without devices. */
static bool lacks_rights(const char *task, const struct stat *node,
			 struct answer *answer)
{
	char path[PATH_MAX];
	int fd;

	if (!(bits_for(task, node) & 4))
		return because(answer, NOT_PERMITTED,
			       format("it may not open " DEVICE ", whose mode is %04o",
				      node->st_mode & 07777),
			       "as root: chmod 666 " DEVICE ", and start it again");
	seen_by(task, DEVICE, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == EACCES || errno == EPERM) &&
	       because(answer, NOT_PERMITTED, "its sandbox does not let it open " DEVICE,
		       let_device_in(task));
}

/* The time when it was started, in seconds of the wall clock; 0 if it is not known. */
static double start_time(const char *task)
{
	struct timespec wall, boot;
	unsigned long long ticks;
	char path[PATH_MAX], *text;
	int field;

	snprintf(path, sizeof(path), "/proc/%s/stat", task);
	text = read_file(AT_FDCWD, path);
	text = text ? strrchr(text, ')') : NULL;
	/* It is field 22, and this ends field 2. */
	for (field = 2; text && field < 22; field++)
		text = strchr(text + 1, ' ');
	if (!text || sscanf(text, " %llu", &ticks) != 1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return wall.tv_sec + wall.tv_nsec / 1e9 - boot.tv_sec - boot.tv_nsec / 1e9 +
	       (ticks + 1.0) / sysconf(_SC_CLK_TCK);
}

static bool came_too_early(const char *task, const struct stat *node,
			   struct answer *answer)
{
	double started = start_time(task);

	if (!started || started > node->st_mtim.tv_sec + node->st_mtim.tv_nsec / 1e9)
		return false;
	return because(answer, TOO_EARLY,
		       "its server was started before " DEVICE " existed",
		       "end its Windows programs (wineserver -k) and start them again");
}

/*
 * Variables, and what they mean if they are neither empty nor 0, and if they are 0.
 * ntsync-check(1) names the sources.
 */
static const struct {
	const char *name;
	bool on;
} variables[] = {
	{ "PROTON_NO_NTSYNC", false },
	{ "WINE_DISABLE_FAST_SYNC", false },
	{ "WINENTSYNC", true },
	{ "PROTON_USE_NTSYNC", true },
};

static bool turned_off(const char *task, struct answer *answer)
{
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		char *value = variable(task, variables[i].name);
		bool zero = value && !strcmp(value, "0");
		bool off = value && *value && zero == variables[i].on;

		free(value);
		if (off)
			return because(answer, TURNED_OFF,
				       format("its environment turns it off (%s%s)",
					      variables[i].name, zero ? "=0" : ""),
				       format("end its programs and start them without %s",
					      variables[i].name));
	}
	return false;
}

/* Does a program contain this text?  @unread if it cannot be read. */
static bool has_text(const char *program, const char *text, bool unread)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	bool has = unread;
	struct stat st;
	void *map;

	if (fd < 0)
		return unread;
	if (!fstat(fd, &st) && st.st_size > 0) {
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			has = memmem(map, st.st_size, text, strlen(text));
			munmap(map, st.st_size);
		}
	}
	close(fd);
	return has;
}

static bool not_known(const char *program, struct answer *answer)
{
	return !has_text(program, DEVICE, true) &&
	       because(answer, NOT_KNOWN, "its wineserver does not support " DEVICE,
		       "use Wine 10.16 or newer, built with linux/ntsync.h");
}

static bool is_set(const char *task, const char *name)
{
	char *value = variable(task, name);

	free(value);
	return value;
}

/* Some versions must be told; that this is one is likely, but not certain. */
static bool not_turned_on(const char *task, const char *program, struct answer *answer)
{
	const char *remedy;

	if (is_set(task, "WINENTSYNC") || is_set(task, "PROTON_USE_NTSYNC"))
		return false;
	if (has_text(program, "WINENTSYNC", false))
		remedy = "start its programs with WINENTSYNC=1";
	else if (is_set(task, "STEAM_COMPAT_DATA_PATH"))
		remedy = "some builds of Proton need PROTON_USE_NTSYNC=1";
	else
		return false;
	return because(answer, NOT_TURNED_ON, "its environment does not turn it on",
		       remedy);
}

/* The first reason that is true, of the server or, if that is not seen, of a client. */
void explain(const char *task, enum role role, const char *program, dev_t device,
	     struct answer *answer)
{
	struct stat node;

	if (lacks_device(task, device, &node, answer) ||
	    lacks_rights(task, &node, answer) ||
	    (role == WINE_SERVER && came_too_early(task, &node, answer)) ||
	    turned_off(task, answer))
		return;
	if (role != WINE_SERVER)
		because(answer, NO_SERVER, "its server cannot be found",
			"run ntsync-check as root, outside of the sandbox");
	else if (!program || (!not_known(program, answer) &&
			      !not_turned_on(task, program, answer)))
		because(answer, UNKNOWN, "no reason was found",
			"read what it prints on a terminal, and dmesg: AppArmor or SELinux may refuse it");
}
