// SPDX-License-Identifier: GPL-2.0
/* Makes the kernel and sparse warn, to test that warnings are noticed. */
#include <linux/bug.h>
#include <linux/module.h>

static int __init false_alarm_init(void)
{
	int __user *wrong = (int *)8;

	WARN(1, "false alarm %p\n", wrong);
	return 0;
}

static void __exit false_alarm_exit(void)
{
}

module_init(false_alarm_init);
module_exit(false_alarm_exit);

MODULE_DESCRIPTION("False alarm for the tests of ntsync");
MODULE_LICENSE("GPL");
