// SPDX-License-Identifier: GPL-2.0
/*
 * Stands for a program with tests of Wine's own, as far as tests/wine/check looks at
 * them: some pass, some fail, some do not end, by which driver is loaded.
 * usage: made_up_test good|alone|hangs
 */
#include <windows.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The kernel marks a module that is not its own with an O. */
static bool driver_is_ours(void)
{
	FILE *file = fopen("Z:\\proc\\modules", "r");
	bool ours = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		ours |= !strncmp(line, "ntsync ", 7) && strstr(line, "(O");
	if (file)
		fclose(file);
	return ours;
}

int main(int argc, char **argv)
{
	const char *test = argc > 1 ? argv[1] : "";
	bool ours = driver_is_ours();
	int failures = 0;

	if (!strcmp(test, "hangs") && ours)
		Sleep(INFINITE);
	if (!strcmp(test, "alone")) {
		printf("made_up.c:1: Test failed: with any driver\n");
		failures = 1;
	}
	if (!strcmp(test, "alone") && ours) {
		printf("made_up.c:2: Test failed: known\n");
		printf("made_up.c:3: Test failed: with this driver alone\n");
		failures = 3;
	}
	printf("0024:%s: 7 tests executed (0 marked as todo, 0 as flaky, %d %s), 0 skipped.\n",
	       test, failures, failures == 1 ? "failure" : "failures");
	return failures;
}
