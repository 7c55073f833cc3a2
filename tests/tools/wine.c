// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for parts of Wine, as far as ntsync-check looks at them: built with KNOWS, for
 * a server that knows the device; without, for one that does not, and for programs.
 *
 * In the environment: NAME is its name, MAP is a file to map, with IDLE it does not use
 * the device, FILES is how many more files to open, and with THREAD the first thread
 * exits and a second one continues.  It creates READY when everything is done.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef KNOWS
static void use_device(void)
{
	const char *off = getenv("PROTON_NO_NTSYNC");

	if (!getenv("IDLE") && !(off && atoi(off)))
		open("/dev/ntsync", O_RDONLY);
}
#else
static void use_device(void)
{
}
#endif

static void map_file(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0 || mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		exit(1);
	close(fd);
}

static void *live(void *unused)
{
	int files = getenv("FILES") ? atoi(getenv("FILES")) : 0;

	use_device();
	while (files--)
		open("/", O_RDONLY);
	creat(getenv("READY"), 0600);
	pause();
	return unused;
}

int main(void)
{
	pthread_t thread;

	if (getenv("NAME"))
		prctl(PR_SET_NAME, getenv("NAME"));
	if (getenv("MAP"))
		map_file(getenv("MAP"));
	if (!getenv("THREAD"))
		live(NULL);
	pthread_create(&thread, NULL, live, NULL);
	pthread_exit(NULL);
}
