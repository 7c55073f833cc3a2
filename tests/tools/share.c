// SPDX-License-Identifier: GPL-2.0
/*
 * Shares objects between two sandboxes as Wine does: the server hands its device and its
 * objects to the client through a socket.
 * usage: share serve SOCKET, then share join SOCKET
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/ntsync.h>

/* What is passed. */
enum { DEVICE, QUESTION, ANSWER, COUNT };

union control {
	char space[CMSG_SPACE(COUNT * sizeof(int))];
	struct cmsghdr align;
};

static int socket_at(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	strncpy(address->sun_path, path, sizeof(address->sun_path) - 1);
	return fd;
}

static int create_event(int device)
{
	struct ntsync_event_args args = { .manual = 1 };
	int event = ioctl(device, NTSYNC_IOC_CREATE_EVENT, &args);

	if (event < 0)
		err(1, "creating an event");
	return event;
}

static void set(int event)
{
	__u32 previous;

	if (ioctl(event, NTSYNC_IOC_EVENT_SET, &previous))
		err(1, "setting an event");
}

static void wait_for(int device, int event)
{
	struct ntsync_wait_args args = {
		.timeout = UINT64_MAX,
		.objs = (uintptr_t)&event,
		.count = 1,
		.owner = getpid(),
	};

	if (ioctl(device, NTSYNC_IOC_WAIT_ANY, &args))
		err(1, "waiting for an event");
}

static void send_files(int fd, const int files[COUNT])
{
	union control control = { };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(COUNT * sizeof(int));
	memcpy(CMSG_DATA(header), files, COUNT * sizeof(int));
	if (sendmsg(fd, &message, 0) != 1)
		err(1, "sendmsg");
}

static void receive_files(int fd, int files[COUNT])
{
	union control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header;

	if (recvmsg(fd, &message, 0) != 1)
		err(1, "recvmsg");
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_len != CMSG_LEN(COUNT * sizeof(int)))
		errx(1, "no files came");
	memcpy(files, CMSG_DATA(header), COUNT * sizeof(int));
}

static void serve(const char *path)
{
	struct sockaddr_un address;
	int fd = socket_at(path, &address), files[COUNT];

	files[DEVICE] = open("/dev/ntsync", O_RDONLY | O_CLOEXEC);
	if (files[DEVICE] < 0)
		err(1, "/dev/ntsync");
	files[QUESTION] = create_event(files[DEVICE]);
	files[ANSWER] = create_event(files[DEVICE]);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, 0666) || listen(fd, 1))
		err(1, "%s", path);
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	send_files(fd, files);
	set(files[QUESTION]);
	wait_for(files[DEVICE], files[ANSWER]);
	puts("the client has answered");
}

static void join(const char *path)
{
	struct sockaddr_un address;
	int fd = socket_at(path, &address), files[COUNT];

	while (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		if (errno != ENOENT && errno != ECONNREFUSED)
			err(1, "%s", path);
	receive_files(fd, files);
	wait_for(files[DEVICE], files[QUESTION]);
	set(files[ANSWER]);
	puts("shared");
}

int main(int argc, char **argv)
{
	alarm(300);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "join"))
		join(argv[2]);
	else
		errx(2, "usage: share serve|join SOCKET");
	return 0;
}
