/* SPDX-License-Identifier: MIT */
/* An event loop that gets no memory ends with a word. */
#include <check.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/loopmemory.h"
#include "run.h"

static volatile int n_fail;        /* so many calls of realloc fail from now on */
static volatile sig_atomic_t told; /* SIGTERM has come */

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
	if (n_fail > 0) {
		n_fail--;
		return NULL;
	}
	return __real_realloc(old, size);
}

static void on_term(int number)
{
	(void)number;
	told = 1;
}

/* How a process ends in which so many allocations of a new loop fail: its exit status, or 128 and a
 * signal's number. 70: the loop stands, nothing was said; 71: it stands, and SIGTERM has come. */
static int end_with(int n)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		signal(SIGTERM, on_term);
		if (!loopmemory_init())
			_exit(72);
		n_fail = n;
		struct ev_loop *loop = ev_loop_new(0);

		_exit(!loop ? 73 : told != loopmemory_is_short() ? 74 : told ? 71 : 70);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(the_first_allocation_that_fails_is_made_of_the_reserve)
{
	ck_assert_int_eq(end_with(0), 70);
	ck_assert_int_eq(end_with(1), 71);
}
END_TEST

START_TEST(without_any_memory_the_program_ends_and_does_not_abort)
{
	ck_assert_int_eq(end_with(1000), EXIT_FAILURE);
}
END_TEST

START_TEST(a_kernel_that_gives_no_descriptor_ends_the_program_without_abort)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

		/* The default loop wants a pipe or the like, and has no way to say that it got
		 * none. */
		setrlimit(RLIMIT_NOFILE, &none);
		if (loopmemory_init())
			ev_default_loop(0);
		_exit(70);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_first_allocation_that_fails_is_made_of_the_reserve, ONCE},
		{without_any_memory_the_program_ends_and_does_not_abort, ONCE},
		{a_kernel_that_gives_no_descriptor_ends_the_program_without_abort, ONCE},
	};

	return run_suite("loopmemory", tests, N_OF(tests));
}
