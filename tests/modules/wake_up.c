// SPDX-License-Identifier: GPL-2.0
/*
 * Wakes the thread whose tid is written to /sys/module/wake_up/parameters/tid, without a
 * reason.  The kernel does so now and then, and every sleeper must expect it.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

static int wake_up_tid(const char *text, const struct kernel_param *param)
{
	struct task_struct *task;
	struct pid *pid;
	int tid, ret;

	ret = kstrtoint(text, 10, &tid);
	if (ret)
		return ret;
	pid = find_get_pid(tid);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return -ESRCH;
	wake_up_process(task);
	put_task_struct(task);
	return 0;
}

static const struct kernel_param_ops wake_up_ops = {
	.set = wake_up_tid,
};

module_param_cb(tid, &wake_up_ops, NULL, 0200);

MODULE_DESCRIPTION("Wake-ups without a reason for the tests of ntsync");
MODULE_LICENSE("GPL");
