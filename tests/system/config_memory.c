/* SPDX-License-Identifier: MIT */
/* Parses one configuration again and again, each time with another allocation failing. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"

/* glibc's own, below the functions that this program replaces for itself and for the libraries that
 * it uses. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);

static long n_allocations;
static long fail_from; /* the first to fail; 0: none */
static long fail_to;
static const void *failed_caller; /* of the first that failed */
static long n_live;

static bool fails(const void *caller)
{
	n_allocations++;
	if (fail_from == 0 || n_allocations < fail_from || n_allocations > fail_to)
		return false;
	if (n_allocations == fail_from)
		failed_caller = caller;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	void *made = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);

	n_live += made != NULL;
	return made;
}

void *calloc(size_t n, size_t size)
{
	void *made = fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);

	n_live += made != NULL;
	return made;
}

void *realloc(void *old, size_t size)
{
	void *made;

	if (size > 0 && fails(__builtin_return_address(0)))
		return NULL;
	made = __libc_realloc(old, size);
	n_live += (made != NULL) - (old != NULL && (made != NULL || size == 0));
	return made;
}

void free(void *old)
{
	n_live -= old != NULL;
	__libc_free(old);
}

/* libyaml 0.2.5 loses one block when its table of nodes cannot grow. */
static bool is_libyaml(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && strstr(info.dli_fname, "libyaml");
}

static const char *lookup(const char *name, void *arg)
{
	(void)arg;
	return name;
}

/* One failing allocation, or all from one on. Prints what is wrong; returns how often the parser
 * said that memory was out, or -1. */
static long try_all(const char *text, long width)
{
	struct config config;
	struct config_error error;

	for (long n = 1;; n++) {
		long before = n_live;
		bool good;

		n_allocations = 0;
		fail_from = n;
		fail_to = width > 0 ? n + width - 1 : 1000000000L;
		good = config_parse(text, strlen(text), lookup, NULL, &config, &error);
		fail_from = 0;
		if (good)
			config_fini(&config);
		if (n_live - before > (is_libyaml(failed_caller) ? 1 : 0)) {
			printf("allocation %ld: %ld blocks leaked\n", n, n_live - before);
			return -1;
		}
		if (good)
			return n - 1;
		if (!strstr(error.message, "out of memory")) {
			printf("allocation %ld: %u: %s\n", n, error.line, error.message);
			return -1;
		}
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		long once = try_all(argv[i], 1);
		long for_ever = try_all(argv[i], 0);

		if (once < 0 || for_ever < 0)
			return EXIT_FAILURE;
		printf("%ld %ld\n", once, for_ever);
	}
	return EXIT_SUCCESS;
}
