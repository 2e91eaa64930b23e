/* SPDX-License-Identifier: MIT */
/* YAML syntax and positions, by libyaml. */
#include "core/config/config_yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

enum { DEPTH_MAX = 16 }; /* far above any configuration; bounds what a hostile file costs */

static const char no_aliases[] =
	"anchors and aliases (&name, *name) are not supported: write the value out, or quote it if "
	"it begins with & or *";

static bool fail_at(struct config_error *error, size_t line, const char *message)
{
	error->line = (unsigned)line;
	snprintf(error->message, sizeof(error->message), "%s", message);
	return false;
}

/* The line, from 1, of the byte at offset. */
static size_t line_at(const char *text, size_t len, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < len; i++)
		line += text[i] == '\n';
	return line;
}

/* A tab stands in the indentation of a line counted from 1: libyaml's words for that help nobody.
 */
static bool is_indented_by_tab(const char *text, size_t len, size_t line)
{
	const char *end = text + len;

	for (; line > 1; line--) {
		text = memchr(text, '\n', (size_t)(end - text));
		if (!text)
			return false;
		text++;
	}
	while (text < end && *text == ' ')
		text++;
	return text < end && *text == '\t';
}

/* Says what libyaml found wrong. */
static bool fail_parser(
	const yaml_parser_t *parser, const char *text, size_t len, struct config_error *error)
{
	size_t line = parser->problem_mark.line + 1;
	const char *context = parser->context ? parser->context : "";
	char begun[40] = "";

	/* libyaml does not always call it by its name. */
	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return fail_at(error, 0, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		line = line_at(text, len, parser->problem_offset);
	error->line = (unsigned)line;
	if (is_indented_by_tab(text, len, line))
		return fail_at(error, line, "not YAML: indent with spaces, not with tabs");
	/* As in "listen: *:9180". */
	if (strcmp(context, "while scanning an alias") == 0)
		return fail_at(error, line, no_aliases);
	if (parser->context && parser->context_mark.line + 1 < line)
		snprintf(begun, sizeof(begun), " begun in line %zu", parser->context_mark.line + 1);
	snprintf(error->message, sizeof(error->message), "not YAML: %s%s%s%s", parser->problem,
		*context ? " " : "", context, begun);
	return false;
}

/* What is refused before any key is looked at; NULL: nothing. */
static const char *refusal(const yaml_event_t *event, unsigned n_documents, unsigned depth)
{
	const yaml_char_t *anchor = NULL;
	const yaml_char_t *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
			return "a NUL character is not allowed";
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	}
	if (n_documents > 1)
		return "a second document begins here: the file must hold one, so remove the ---";
	if (depth > DEPTH_MAX)
		return "nested too deeply";
	if (event->type == YAML_ALIAS_EVENT || anchor)
		return no_aliases;
	if (tag)
		return "tags (!name) are not supported: leave it out, or quote a value that begins "
		       "with !";
	return NULL;
}

/* Goes through the whole text as events, which cost linear time and no more memory than depth. */
static bool check_events(const char *text, size_t len, struct config_error *error)
{
	yaml_parser_t parser;
	yaml_event_type_t type = YAML_NO_EVENT;
	unsigned n_documents = 0;
	unsigned depth = 0;
	bool good = true;

	if (!yaml_parser_initialize(&parser))
		return fail_at(error, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (good && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;
		const char *refused;

		if (!yaml_parser_parse(&parser, &event)) {
			good = fail_parser(&parser, text, len, error);
			break;
		}
		type = event.type;
		n_documents += type == YAML_DOCUMENT_START_EVENT;
		depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
		depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
		refused = refusal(&event, n_documents, depth);
		if (refused)
			good = fail_at(error, event.start_mark.line + 1, refused);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return good;
}

bool config_yaml_load(
	const char *text, size_t len, struct config_yaml *yaml, struct config_error *error)
{
	yaml_parser_t parser;
	bool good;

	if (!check_events(text, len, error))
		return false;
	if (!yaml_parser_initialize(&parser))
		return fail_at(error, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	good = yaml_parser_load(&parser, &yaml->document);
	if (!good)
		fail_parser(&parser, text, len, error);
	yaml_parser_delete(&parser);
	return good;
}

void config_yaml_fini(struct config_yaml *yaml)
{
	yaml_document_delete(&yaml->document);
}

const char *config_yaml_text(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* The pair of a mapping, or NULL. */
static const yaml_node_pair_t *find_pair(
	struct config_yaml *yaml, const yaml_node_t *mapping, const char *key)
{
	if (mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
		pair < mapping->data.mapping.pairs.top; pair++) {
		const char *text =
			config_yaml_text(yaml_document_get_node(&yaml->document, pair->key));

		if (text && strcmp(text, key) == 0)
			return pair;
	}
	return NULL;
}

/* The node at path, and in *line where it is written: for a mapping's value, the line of its key.
 */
static yaml_node_t *locate(struct config_yaml *yaml, const struct config_path *path, unsigned *line)
{
	yaml_node_t *node;

	if (!path)
		return yaml_document_get_root_node(&yaml->document);
	node = locate(yaml, path->up, line);
	if (!node)
		return NULL;
	if (path->key) {
		const yaml_node_pair_t *pair = find_pair(yaml, node, path->key);

		if (!pair)
			return NULL;
		*line = (unsigned)yaml_document_get_node(&yaml->document, pair->key)
				->start_mark.line +
			1;
		return yaml_document_get_node(&yaml->document, pair->value);
	}
	if (node->type != YAML_SEQUENCE_NODE ||
		path->index >=
			(size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
		return NULL;
	node = yaml_document_get_node(
		&yaml->document, node->data.sequence.items.start[path->index]);
	*line = (unsigned)node->start_mark.line + 1;
	return node;
}

yaml_node_t *config_yaml_node(struct config_yaml *yaml, const struct config_path *path)
{
	unsigned line;

	return locate(yaml, path, &line);
}

static void write_path(FILE *out, const struct config_path *path)
{
	char shown[64];

	if (path->up)
		write_path(out, path->up);
	if (path->key)
		fprintf(out, "%s%s", path->up ? "." : "",
			text_show(path->key, shown, sizeof(shown)));
	else
		fprintf(out, "[%zu]", path->index);
}

bool config_yaml_fail(struct config_yaml *yaml, const struct config_path *path,
	struct config_error *error, const char *format, ...)
{
	/* One byte is left out, so that the message ends in a NUL whatever its length. */
	FILE *out = fmemopen(error->message, sizeof(error->message) - 1, "w");
	va_list args;

	memset(error->message, 0, sizeof(error->message));
	error->line = 0;
	locate(yaml, path, &error->line);
	if (!out)
		return fail_at(error, error->line, "out of memory");
	va_start(args, format);
	if (path) {
		write_path(out, path);
		fputs(": ", out);
	}
	vfprintf(out, format, args);
	va_end(args);
	fclose(out);
	return false;
}
