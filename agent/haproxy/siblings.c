/* SPDX-License-Identifier: MIT */
/* Reads /proc. */
#include "haproxy/siblings.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct process {
	int64_t pid;
	int64_t parent;
	bool is_haproxy;
};

/* False where there is no such process, or it may not be seen. */
static bool read_process(int64_t pid, struct process *out)
{
	char path[40];
	char line[512];
	char *name;
	char *behind;
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	/* "pid (name) state parent ...", and a name may hold blanks and brackets. */
	name = ok ? strchr(line, '(') : NULL;
	behind = name ? strrchr(name, ')') : NULL;
	if (!behind || behind[1] != ' ' || behind[2] == '\0')
		return false;
	*out = (struct process){
		.pid = pid,
		.parent = strtoll(behind + 3, NULL, 10),
		.is_haproxy = strncmp(name + 1, "haproxy", 7) == 0 && behind[2] != 'Z',
	};
	return true;
}

static bool add(int64_t **pids, size_t *n, int64_t pid)
{
	int64_t *grown = reallocarray(*pids, *n + 1, sizeof(**pids));

	if (!grown)
		return false;
	*pids = grown;
	grown[(*n)++] = pid;
	return true;
}

bool siblings_find(int64_t pid, int64_t **pids, size_t *n)
{
	struct process worker;
	struct process other;
	bool has_master;
	bool ok = true;
	DIR *dir;

	if (!read_process(pid, &worker) || !worker.is_haproxy)
		return false;
	has_master = read_process(worker.parent, &other) && other.is_haproxy;
	dir = opendir("/proc");
	if (!dir)
		return false;
	*pids = NULL;
	*n = 0;
	for (struct dirent *entry = readdir(dir); entry && ok; entry = readdir(dir)) {
		int64_t found = strtoll(entry->d_name, NULL, 10);

		if (found <= 0 || found == pid || !read_process(found, &other) || !other.is_haproxy)
			continue;
		/* Of HAProxies without a master nobody can say whose old worker one is. */
		if (!has_master)
			ok = false;
		else if (other.parent == worker.parent)
			ok = add(pids, n, found);
	}
	closedir(dir);
	if (!ok)
		free(*pids);
	return ok;
}
