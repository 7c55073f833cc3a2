// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ioctls makes a whole list of ioctls in one call.  On user-mode Linux entering the
 * kernel takes many times as long as an ioctl of ntsync.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "ioctls.h"

static int make_call(struct ioctls_call __user *to)
{
	long answer = -EBADF;
	struct ioctls_call call;
	struct file *file;

	if (copy_from_user(&call, to, sizeof(call)))
		return -EFAULT;
	file = fget(call.fd);
	if (file && file->f_op->unlocked_ioctl)
		answer = file->f_op->unlocked_ioctl(file, call.request, call.argument);
	if (file)
		fput(file);
	return put_user(answer, &to->answer);
}

static long ioctls_ioctl(struct file *file, unsigned int request,
			 unsigned long argument)
{
	struct ioctls_call __user *calls;
	struct ioctls_list list;
	int ret = 0;
	u32 i;

	if (request != IOCTLS_MAKE)
		return -ENOTTY;
	if (copy_from_user(&list, (void __user *)argument, sizeof(list)))
		return -EFAULT;
	calls = u64_to_user_ptr(list.calls);
	for (i = 0; i < list.count && !ret; i++) {
		ret = make_call(&calls[i]);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}

static const struct file_operations ioctls_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ioctls_ioctl,
};

static struct miscdevice ioctls_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ioctls",
	.fops = &ioctls_fops,
};

module_misc_device(ioctls_device);

MODULE_DESCRIPTION("Lists of ioctls for the tests of ntsync");
MODULE_LICENSE("GPL");
