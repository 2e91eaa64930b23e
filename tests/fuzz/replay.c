/* SPDX-License-Identifier: MIT */
/* Gives a fuzz target the files of folders, one by one: what was found once is tested for ever. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Memory of exactly the file's length, so that a byte too far is seen. */
static bool replay_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct stat status;
	unsigned char *data = NULL;
	bool well = false;

	if (in && fstat(fileno(in), &status) == 0) {
		size_t size = (size_t)status.st_size;

		data = malloc(size);
		well = size == 0 || (data && fread(data, 1, size, in) == size);
		if (well)
			LLVMFuzzerTestOneInput(data, size);
	}
	if (!well)
		perror(path);
	free(data);
	if (in)
		fclose(in);
	return well;
}

/* Returns how many files there were, or -1. */
static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	while (n >= 0 && (entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n = replay_file(path) ? n + 1 : -1;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay_folder(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: %s: nothing to replay\n", argv[0], argv[i]);
			return EXIT_FAILURE;
		}
		total += n;
	}
	printf("%s: %d inputs\n", argv[0], total);
	return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
