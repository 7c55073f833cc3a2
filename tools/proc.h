/* SPDX-License-Identifier: GPL-2.0 */
/* What several tools read about processes in /proc. */
#ifndef PROC_H
#define PROC_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* What /proc/PID/status says of a thread. */
struct status {
	char name[64];
	char state;
	pid_t tgid;
	uid_t uid;
	bool memory;	/* no kernel thread, and has not ended */
};

enum target {
	TARGET_OTHER,
	TARGET_DEVICE,
	TARGET_OBJECT,
};

void make_text(char *name);
bool parse_u64(const char *text, unsigned long long *value);
int parse_id(const char *text);
char *read_file(int folder, const char *name);
bool next_line(char **text, char **key, char **value);
DIR *open_folder(const char *proc, const char *task, const char *name);
bool read_status(const char *proc, const char *task, struct status *status);
bool find_task(const char *proc, const char *pid, char task[NAME_MAX],
	       struct status *status);
enum target read_target(int fds, const char *fd);

#endif /* PROC_H */
