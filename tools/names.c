// SPDX-License-Identifier: GPL-2.0
/* Reads names of objects: lines of "INSTANCE:OBJECT NAME". */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "proc.h"
#include "util.h"

struct name {
	unsigned int instance;
	unsigned int object;
	char *text;
};

static void *tree;

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

static bool add_name(const char *line)
{
	struct name name, *key, **kept;

	if (sscanf(line, "%u:%u %m[^\r\n]", &name.instance, &name.object,
		   &name.text) != 3)
		return false;
	make_text(name.text);
	key = allocate(sizeof(*key));
	*key = name;
	kept = tsearch(key, &tree, compare);
	if (!kept)
		err(EXIT_TROUBLE, NULL);
	return *kept == key;
}

/**
 * names_read() - read the names to show
 * @path: a file; lines that are empty or begin with # are ignored
 */
void names_read(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	size_t size = 0;
	char *line = NULL;

	if (!file)
		err(EXIT_TROUBLE, "cannot read %s", path);
	while (getline(&line, &size, file) > 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] == 0 || *line == '#')
			continue;
		if (!add_name(line))
			errx(EXIT_TROUBLE,
			     "%s, line %u: not INSTANCE:OBJECT NAME, or an object that has a name",
			     path, number);
	}
	if (ferror(file))
		err(EXIT_TROUBLE, "cannot read %s", path);
	free(line);
	fclose(file);
}

bool any_names(void)
{
	return tree;
}

const char *name_of(unsigned int instance, unsigned int object)
{
	const struct name key = { .instance = instance, .object = object };
	struct name **kept = tfind(&key, &tree, compare);

	return kept ? (*kept)->text : NULL;
}
