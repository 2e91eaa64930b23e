/* SPDX-License-Identifier: MIT */
/* Parses HAProxy's answers. */
#include "core/hareply.h"

#include <stdlib.h>
#include <string.h>

#include "core/table.h"

/* A server's line of one of the two tables, before they are joined. */
struct row {
	const char *backend;
	struct hareply_server server;
};

struct parser {
	const char *why;
	struct hareply_info info;
	bool has_info;
	bool denied;
	struct hareply_backend *backends;
	size_t n_backends;
	struct row *stat_rows;
	size_t n_stat_rows;
	struct row *state_rows;
	size_t n_state_rows;
	struct table stat;
	struct table state;
};

const char *hareply_outcome_text(enum hareply_outcome outcome)
{
	switch (outcome) {
	case HAREPLY_OK:
		return "ok";
	case HAREPLY_TRUNCATED:
		return "the answer breaks off";
	case HAREPLY_DENIED:
		return "permission denied: the stats socket needs 'level admin'";
	case HAREPLY_MALFORMED:
		return "the answer is not what HAProxy writes";
	case HAREPLY_OUT_OF_MEMORY:
		return "out of memory";
	}
	return "?";
}

/* A server without a number there, or a backend without an algorithm, has an empty field. */
enum { STAT_BACKEND, STAT_NAME, STAT_SCUR, STAT_STOT, STAT_STATUS, STAT_BACKUP, STAT_TYPE,
	STAT_UWEIGHT, STAT_ALGO, N_STAT };
static const char *const stat_columns[N_STAT] = {
	[STAT_BACKEND] = "pxname",
	[STAT_NAME] = "svname",
	[STAT_SCUR] = "scur",
	[STAT_STOT] = "stot",
	[STAT_STATUS] = "status",
	[STAT_BACKUP] = "bck",
	[STAT_TYPE] = "type",
	[STAT_UWEIGHT] = "uweight",
	[STAT_ALGO] = "algo",
};

enum { STATE_BACKEND, STATE_NAME, STATE_ADDR, STATE_PORT, STATE_FQDN, STATE_OP, STATE_ADMIN,
	STATE_IWEIGHT, STATE_AGENT_PORT, N_STATE };
static const char *const state_columns[N_STATE] = {
	[STATE_BACKEND] = "be_name",
	[STATE_NAME] = "srv_name",
	[STATE_ADDR] = "srv_addr",
	[STATE_PORT] = "srv_port",
	[STATE_FQDN] = "srv_fqdn",
	[STATE_OP] = "srv_op_state",
	[STATE_ADMIN] = "srv_admin_state",
	[STATE_IWEIGHT] = "srv_iweight",
	[STATE_AGENT_PORT] = "srv_agent_port",
};

static bool read_info_line(struct parser *parser, const char *line)
{
	static const char *const keys[] = {"Pid: ", "Start_time_sec: ", "Uptime_sec: ",
		"Stopping: "};
	uint64_t values[] = {(uint64_t)parser->info.pid, (uint64_t)parser->info.start_time_s,
		(uint64_t)parser->info.uptime_s, parser->info.stopping};

	if (strncmp(line, "Version: ", 9) == 0) {
		size_t len = strnlen(line + 9, sizeof(parser->info.version) - 1);

		memcpy(parser->info.version, line + 9, len);
		parser->info.version[len] = '\0';
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		size_t len = strlen(keys[i]);

		if (strncmp(line, keys[i], len) != 0)
			continue;
		if (!table_parse_number(line + len, INT64_MAX, &values[i])) {
			parser->why = keys[i];
			return false;
		}
	}
	parser->info.pid = (int64_t)values[0];
	parser->info.start_time_s = (int64_t)values[1];
	parser->info.uptime_s = (int64_t)values[2];
	parser->info.stopping = values[3] != 0;
	return true;
}

static bool read_stat_line(struct parser *parser, char *line)
{
	enum { TYPE_BACKEND = 1, TYPE_SERVER = 2 };
	struct table *table = &parser->stat;
	uint64_t type;
	uint64_t scur;
	uint64_t stot;
	uint64_t uweight;
	uint64_t backup;

	table_read_row(table, line);
	if (!table_number(table, STAT_TYPE, 3, &type) ||
		!table_number(table, STAT_SCUR, UINT32_MAX, &scur) ||
		!table_number(table, STAT_STOT, UINT64_MAX, &stot))
		return false;
	if (type == TYPE_BACKEND) {
		/* A socket of level user shows everything but the algorithm, and no addresses. */
		parser->denied = parser->denied || table->fields[STAT_ALGO][0] == '\0';
		parser->backends[parser->n_backends++] = (struct hareply_backend){
			.name = table->fields[STAT_BACKEND],
			.algo = table->fields[STAT_ALGO],
			.scur = (uint32_t)scur,
		};
		return true;
	}
	if (type != TYPE_SERVER)
		return true;
	if (!table_number(table, STAT_UWEIGHT, 256, &uweight) ||
		!table_number(table, STAT_BACKUP, 1, &backup))
		return false;
	parser->stat_rows[parser->n_stat_rows++] = (struct row){
		.backend = table->fields[STAT_BACKEND],
		.server =
			{
				.name = table->fields[STAT_NAME],
				.status = table->fields[STAT_STATUS],
				.uweight = (int)uweight,
				.scur = (uint32_t)scur,
				.stot = stot,
				.backup = backup != 0,
			},
	};
	return true;
}

/* "-" stands for nothing. */
static const char *or_empty(const char *field)
{
	return strcmp(field, "-") == 0 ? "" : field;
}

static bool read_state_line(struct parser *parser, char *line)
{
	struct table *table = &parser->state;
	uint64_t op_state;
	uint64_t admin_state;
	uint64_t iweight;
	uint64_t port;
	uint64_t agent_port;

	table_read_row(table, line);
	if (!table_number(table, STATE_OP, 3, &op_state) ||
		!table_number(table, STATE_ADMIN, UINT16_MAX, &admin_state) ||
		!table_number(table, STATE_IWEIGHT, 256, &iweight) ||
		!table_number(table, STATE_PORT, UINT16_MAX, &port) ||
		!table_number(table, STATE_AGENT_PORT, UINT16_MAX, &agent_port))
		return false;
	parser->state_rows[parser->n_state_rows++] = (struct row){
		.backend = table->fields[STATE_BACKEND],
		.server =
			{
				.name = table->fields[STATE_NAME],
				.address = or_empty(table->fields[STATE_ADDR]),
				.port = (uint16_t)port,
				.fqdn = or_empty(table->fields[STATE_FQDN]),
				.admin_state = (unsigned)admin_state,
				.op_state = (unsigned)op_state,
				.iweight = (int)iweight,
				.agent_port = (uint16_t)agent_port,
			},
	};
	return true;
}

enum section { SECTION_NONE, SECTION_INFO, SECTION_STAT, SECTION_STATE };

/* Takes one line, without its newline. */
static enum hareply_outcome read_line(struct parser *parser, enum section *section, char *line)
{
	bool well = true;

	if (*line == '\0') {
		*section = SECTION_NONE;
	} else if (*section == SECTION_NONE && strncmp(line, "Name: ", 6) == 0) {
		*section = SECTION_INFO;
		parser->has_info = true;
	} else if (*section == SECTION_NONE && strncmp(line, "# pxname,", 9) == 0) {
		*section = SECTION_STAT;
		well = table_read_header(&parser->stat, line + 2);
	} else if (strncmp(line, "# be_id ", 8) == 0) {
		/* Follows a line with the format's version, so it may come inside no section. */
		*section = SECTION_STATE;
		well = table_read_header(&parser->state, line + 2);
	} else if (*section == SECTION_INFO) {
		well = read_info_line(parser, line);
	} else if (*section == SECTION_STAT) {
		well = read_stat_line(parser, line);
	} else if (*section == SECTION_STATE) {
		well = read_state_line(parser, line);
	} else if (strncmp(line, "Permission denied", 17) == 0) {
		return HAREPLY_DENIED;
	}
	return well ? HAREPLY_OK : HAREPLY_MALFORMED;
}

static enum hareply_outcome read_lines(struct parser *parser, char *text)
{
	enum section section = SECTION_NONE;
	enum hareply_outcome outcome = HAREPLY_OK;

	while (outcome == HAREPLY_OK && *text) {
		char *end = strchr(text, '\n');

		if (!end)
			return HAREPLY_TRUNCATED;
		*end = '\0';
		outcome = read_line(parser, &section, text);
		text = end + 1;
	}
	if (outcome != HAREPLY_OK)
		return outcome;
	/* Every command's answer ends with an empty line. */
	if (!parser->has_info || section != SECTION_NONE)
		return HAREPLY_TRUNCATED;
	if (parser->denied)
		return HAREPLY_DENIED;
	return HAREPLY_OK;
}

/* Both tables list a backend's servers in the same order, so the search begins where the last one
 * ended and is short. */
static const struct row *find_stat(const struct parser *parser, const struct row *state,
	size_t *cursor)
{
	for (size_t step = 0; step < parser->n_stat_rows; step++) {
		size_t i = (*cursor + step) % parser->n_stat_rows;
		const struct row *row = &parser->stat_rows[i];

		if (strcmp(row->server.name, state->server.name) == 0 &&
			strcmp(row->backend, state->backend) == 0) {
			*cursor = i + 1;
			return row;
		}
	}
	return NULL;
}

/* Moves the joined servers into one array, a backend's side by side. */
static bool join(struct parser *parser, struct hareply_server *servers)
{
	size_t n = 0;
	size_t cursor = 0;
	struct hareply_backend *backend = NULL;

	for (size_t i = 0; i < parser->n_state_rows; i++) {
		const struct row *state = &parser->state_rows[i];
		const struct row *stat = find_stat(parser, state, &cursor);

		if (!stat)
			continue;
		if (!backend || strcmp(backend->name, state->backend) != 0) {
			backend = NULL;
			for (size_t b = 0; b < parser->n_backends && !backend; b++) {
				if (strcmp(parser->backends[b].name, state->backend) == 0)
					backend = &parser->backends[b];
			}
			if (!backend || backend->n_servers > 0) {
				parser->why = "a backend's servers are not together";
				return false;
			}
			backend->servers = &servers[n];
		}
		servers[n] = state->server;
		servers[n].status = stat->server.status;
		servers[n].uweight = stat->server.uweight;
		servers[n].scur = stat->server.scur;
		servers[n].stot = stat->server.stot;
		servers[n].backup = stat->server.backup;
		backend->n_servers++;
		n++;
	}
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* What was wrong first; "" where nothing is known. */
static const char *first_of(const char *a, const char *b, const char *c)
{
	if (a)
		return a;
	if (b)
		return b;
	return c ? c : "";
}

enum hareply_outcome hareply_parse(const char *reply, size_t len, struct hareply_snapshot *out,
	const char **why)
{
	enum hareply_outcome outcome = HAREPLY_OUT_OF_MEMORY;
	struct parser parser = {
		.stat = {.style = TABLE_CSV, .wanted = stat_columns, .n_wanted = N_STAT},
		.state = {.style = TABLE_SPACES, .wanted = state_columns, .n_wanted = N_STATE},
	};
	struct hareply_server *servers = NULL;
	char *text = strndup(reply, len); /* ends at a NUL byte, which HAProxy never writes */
	size_t n_lines;

	if (!text)
		goto out;
	n_lines = count_lines(text);
	parser.backends = calloc(n_lines, sizeof(*parser.backends));
	parser.stat_rows = calloc(n_lines, sizeof(*parser.stat_rows));
	parser.state_rows = calloc(n_lines, sizeof(*parser.state_rows));
	servers = calloc(n_lines, sizeof(*servers));
	if (!parser.backends || !parser.stat_rows || !parser.state_rows || !servers)
		goto out;
	outcome = read_lines(&parser, text);
	if (outcome == HAREPLY_OK && !join(&parser, servers))
		outcome = HAREPLY_MALFORMED;
	if (outcome != HAREPLY_OK)
		goto out;
	*out = (struct hareply_snapshot){
		.info = parser.info,
		.backends = parser.backends,
		.n_backends = parser.n_backends,
		.servers = servers,
		.text = text,
	};
	parser.backends = NULL;
	servers = NULL;
	text = NULL;
out:
	if (why)
		*why = first_of(parser.why, parser.stat.bad, parser.state.bad);
	free(servers);
	free(parser.state_rows);
	free(parser.stat_rows);
	free(parser.backends);
	free(text);
	return outcome;
}

void hareply_fini(struct hareply_snapshot *snapshot)
{
	free(snapshot->servers);
	free(snapshot->backends);
	free(snapshot->text);
	*snapshot = (struct hareply_snapshot){.n_backends = 0};
}

size_t hareply_complaints(const char *reply, size_t len, char *complaint, size_t size)
{
	size_t n = 0;
	size_t start = 0;

	while (start < len) {
		const char *line = reply + start;
		const char *end = memchr(line, '\n', len - start);
		size_t line_len = end ? (size_t)(end - line) : len - start;

		if (line_len > 0 && n++ == 0 && size > 0) {
			size_t kept = line_len < size ? line_len : size - 1;

			memcpy(complaint, line, kept);
			complaint[kept] = '\0';
		}
		start += line_len + 1;
	}
	return n;
}
