/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors in messages of a unix socket. */
#ifndef NTSYNC_PASSING_H
#define NTSYNC_PASSING_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The most descriptors in a message; the kernel takes 253. */
#define MAX_PASSED	250

struct passing {
	union {
		char buffer[CMSG_SPACE(MAX_PASSED * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov;
	struct msghdr msg;
};

static inline void passing_init(struct passing *passing, unsigned int n)
{
	memset(passing, 0, sizeof(*passing));
	passing->iov.iov_base = &passing->byte;
	passing->iov.iov_len = 1;
	passing->msg.msg_iov = &passing->iov;
	passing->msg.msg_iovlen = 1;
	passing->msg.msg_control = passing->control.buffer;
	passing->msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
}

static inline int send_fds(int sock, const int *fds, unsigned int n)
{
	struct passing passing;
	struct cmsghdr *cmsg;

	passing_init(&passing, n);
	cmsg = CMSG_FIRSTHDR(&passing.msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	return sendmsg(sock, &passing.msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Fails if it does not receive exactly @n of them. */
static inline int receive_fds(int sock, int *fds, unsigned int n)
{
	struct passing passing;
	struct cmsghdr *cmsg;
	ssize_t len;

	passing_init(&passing, MAX_PASSED);
	len = recvmsg(sock, &passing.msg, MSG_CMSG_CLOEXEC);
	if (len != 1)
		return len < 0 ? -errno : -EIO;
	cmsg = CMSG_FIRSTHDR(&passing.msg);
	if (!cmsg || cmsg->cmsg_len != CMSG_LEN(n * sizeof(int)))
		return -EBADMSG;
	memcpy(fds, CMSG_DATA(cmsg), n * sizeof(int));
	return 0;
}

#endif /* NTSYNC_PASSING_H */
