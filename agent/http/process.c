/* SPDX-License-Identifier: MIT */
/* CPU, memory and descriptors of this process. */
#include "http/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The first two numbers of statm are pages mapped and pages in RAM (proc(5)). */
static void read_memory(struct report_process *out)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128];
	char *rest;

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

		out->virtual_bytes = strtoull(line, &rest, 10) * page;
		out->resident_bytes = strtoull(rest, NULL, 10) * page;
	}
	fclose(file);
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n > 0 ? n - 1 : 0; /* the directory's own descriptor is among them */
}

void process_read(struct report_process *out)
{
	struct rusage usage;
	struct rlimit limit;

	memset(out, 0, sizeof(*out));
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		out->cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		out->max_fds = limit.rlim_cur;
	read_memory(out);
	out->open_fds = count_fds();
}
