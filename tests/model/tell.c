// SPDX-License-Identifier: GPL-2.0
/* Texts of objects, operations, waits and answers: see tell.h. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tell.h"

void tell(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, TELL_TEXT - length, format, args);
	va_end(args);
}

void tell_object(char *text, const struct model_obj *obj)
{
	switch (obj->type) {
	case MODEL_SEM:
		tell(text, "semaphore %u of %u", obj->count, obj->max);
		break;
	case MODEL_MUTEX:
		tell(text, "mutex owned by %u, %u times%s", obj->owner,
		     obj->count, obj->abandoned ? ", abandoned" : "");
		break;
	case MODEL_EVENT:
		tell(text, "%s event, %s", obj->manual ? "manual" : "auto",
		     obj->signaled ? "set" : "unset");
		break;
	}
}

void tell_op(char *text, int obj, enum model_op op, uint32_t arg)
{
	static const char *const names[] = {
		[MODEL_SEM_RELEASE] = "release",
		[MODEL_SEM_READ] = "read as semaphore",
		[MODEL_MUTEX_UNLOCK] = "unlock by",
		[MODEL_MUTEX_KILL] = "kill",
		[MODEL_MUTEX_READ] = "read as mutex",
		[MODEL_EVENT_SET] = "set",
		[MODEL_EVENT_RESET] = "reset",
		[MODEL_EVENT_PULSE] = "pulse",
		[MODEL_EVENT_READ] = "read as event",
	};

	tell(text, "object %d: %s", obj, names[op]);
	if (op == MODEL_SEM_RELEASE || op == MODEL_MUTEX_UNLOCK ||
	    op == MODEL_MUTEX_KILL)
		tell(text, " %u", arg);
}

void tell_wait(char *text, const struct model_args *wait)
{
	tell(text, "owner %u: wait for %s of", wait->owner,
	     wait->all ? "all" : "any");
	for (uint32_t i = 0; i < wait->count; i++)
		tell(text, " %u", wait->objs[i]);
	if (!wait->count)
		tell(text, " nothing");
	if (wait->alert != MODEL_NO_ALERT)
		tell(text, ", alert %d", wait->alert);
}

void tell_answer(char *text, struct model_answer answer)
{
	if (answer.ret)
		tell(text, "%s ", strerrorname_np(-answer.ret) ?: "no end");
	tell(text, "%u %u", answer.value[0], answer.value[1]);
}
