/* SPDX-License-Identifier: MIT */
/* From libyaml's events to a tree. Its own document does not tell where anchors stood, and loads
 * any depth, at quadratic cost. */
#include "core/config/config_yaml.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/text.h"

enum { DEPTH_MAX = 16 }; /* far above any configuration; bounds what a hostile file costs */

static const char no_aliases[] =
	"anchors and aliases (&name, *name) are not supported: write the value out, or quote it if "
	"it begins with & or *";

/* The tree while it grows. */
struct composer {
	struct config_node *root;
	struct config_node *open; /* the mapping or list that is being filled; NULL: none yet */
	char *key;                /* of the value that comes next, in a mapping */
	unsigned key_line;
	unsigned depth;
	unsigned n_documents;
	struct why *why;
};

/* ---- what libyaml refuses ---- */

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

/* A space as word processors and web pages make them, which to YAML is a letter; from the line's
 * beginning to what is quoted or is a comment. The line from 1, or 0. */
static size_t line_of_no_break_space(const char *text, size_t len)
{
	size_t line = 1;
	bool told = false; /* what follows in the line is quoted, or a comment */

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			line++;
			told = false;
		} else if (text[i] == '"' || text[i] == '\'' || text[i] == '#') {
			told = true;
		} else if (!told && i + 1 < len && memcmp(text + i, "\xc2\xa0", 2) == 0) {
			return line;
		}
	}
	return 0;
}

/* Says what libyaml found wrong. */
static bool fail_parser(const yaml_parser_t *parser, const char *text, size_t len, struct why *why)
{
	size_t line = parser->problem_mark.line + 1;
	const char *context = parser->context ? parser->context : "";

	/* libyaml does not always call it by its name. */
	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return why_set(why, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		line = line_at(text, len, parser->problem_offset);
	if (is_indented_by_tab(text, len, line))
		return why_set_line(why, line, "invalid YAML: indent with spaces, not tabs");
	/* As in "listen: *:9180". */
	if (strcmp(context, "while scanning an alias") == 0)
		return why_set_line(why, line, no_aliases);
	why_set_line(
		why, line, "invalid YAML: %s%s%s", parser->problem, *context ? " " : "", context);
	if (*context && parser->context_mark.line + 1 < line)
		why_append(why, " that starts in line %zu", parser->context_mark.line + 1);
	return false;
}

/* ---- what is refused before any key is looked at ---- */

struct properties {
	const yaml_char_t *anchor;
	const yaml_char_t *tag;
};

static struct properties properties_of(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return (struct properties){event->data.scalar.anchor, event->data.scalar.tag};
	if (event->type == YAML_MAPPING_START_EVENT)
		return (struct properties){
			event->data.mapping_start.anchor, event->data.mapping_start.tag};
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return (struct properties){
			event->data.sequence_start.anchor, event->data.sequence_start.tag};
	return (struct properties){NULL, NULL};
}

/* NULL: nothing is wrong. */
static const char *refusal(const struct composer *composer, const yaml_event_t *event)
{
	struct properties properties = properties_of(event);

	if (composer->n_documents > 1)
		return "a second document starts here: the file must hold exactly one, so remove "
		       "the ---";
	if (composer->depth > DEPTH_MAX)
		return "nested too deeply";
	if (event->type == YAML_ALIAS_EVENT || properties.anchor)
		return no_aliases;
	if (properties.tag)
		return "tags (!name) are not supported: remove it, or quote a value that begins "
		       "with !";
	if (event->type == YAML_SCALAR_EVENT &&
		memchr(event->data.scalar.value, '\0', event->data.scalar.length))
		return "a NUL character is not allowed";
	return NULL;
}

/* ---- the tree ---- */

static bool is_null(const yaml_event_t *event)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		if (strcmp(text, nulls[i]) == 0)
			return true;
	}
	return false;
}

/* Puts node where the next one belongs. It has the composer's key from here on. */
static void attach(struct composer *composer, struct config_node *node)
{
	struct config_node *open = composer->open;

	node->up = open;
	node->key = composer->key;
	if (node->key)
		node->line = composer->key_line;
	composer->key = NULL;
	if (!open) {
		assert(!composer->root);
		composer->root = node;
		return;
	}
	node->index = open->n++;
	if (open->last)
		open->last->next = node;
	else
		open->first = node;
	open->last = node;
}

static bool add_key(struct composer *composer, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;

	if (event->type != YAML_SCALAR_EVENT) {
		why_set_line(composer->why, line, "%s", "");
		config_yaml_write_path(composer->open, composer->why);
		return why_append(composer->why, "%sa key must be plain text",
			composer->open->up ? ": " : "");
	}
	composer->key = strdup((const char *)event->data.scalar.value);
	composer->key_line = (unsigned)line;
	return composer->key || why_set(composer->why, "out of memory");
}

static bool add_node(struct composer *composer, const yaml_event_t *event)
{
	struct config_node *node;

	if (composer->open && composer->open->shape == CONFIG_MAPPING && !composer->key)
		return add_key(composer, event);
	node = calloc(1, sizeof(*node));
	if (!node)
		return why_set(composer->why, "out of memory");
	node->line = (unsigned)event->start_mark.line + 1;
	attach(composer, node);
	if (event->type == YAML_SCALAR_EVENT) {
		node->shape = CONFIG_VALUE;
		node->is_null = is_null(event);
		node->text = strdup((const char *)event->data.scalar.value);
		return node->text || why_set(composer->why, "out of memory");
	}
	node->shape = event->type == YAML_MAPPING_START_EVENT ? CONFIG_MAPPING : CONFIG_LIST;
	composer->open = node;
	return true;
}

static bool add_event(struct composer *composer, const yaml_event_t *event)
{
	bool begins =
		event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
	bool ends = event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT;
	const char *refused;

	composer->n_documents += event->type == YAML_DOCUMENT_START_EVENT;
	composer->depth += begins;
	composer->depth -= ends;
	refused = refusal(composer, event);
	if (refused)
		return why_set_line(composer->why, event->start_mark.line + 1, "%s", refused);
	if (begins || event->type == YAML_SCALAR_EVENT)
		return add_node(composer, event);
	if (ends) {
		assert(composer->open);
		composer->open = composer->open->up;
	}
	return true;
}

bool config_yaml_load(const char *text, size_t len, struct config_node **root, struct why *why)
{
	struct composer composer = {.why = why};
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_parser_t parser;
	size_t line = line_of_no_break_space(text, len);
	bool ok = true;

	if (line > 0)
		return why_set_line(why, line,
			"a no-break space (U+00A0) stands here: type an ordinary one in its place");
	if (!yaml_parser_initialize(&parser))
		return why_set(why, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (ok && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			ok = fail_parser(&parser, text, len, why);
			break;
		}
		type = event.type;
		ok = add_event(&composer, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	free(composer.key);
	if (ok)
		*root = composer.root;
	else
		config_yaml_free(composer.root);
	return ok;
}

/* No deeper than DEPTH_MAX. */
void config_yaml_free(struct config_node *node)
{
	struct config_node *next;

	if (!node)
		return;
	for (struct config_node *child = node->first; child; child = next) {
		next = child->next;
		config_yaml_free(child);
	}
	free(node->key);
	free(node->text);
	free(node);
}

/* ---- looking things up ---- */

const struct config_node *config_yaml_get(const struct config_node *mapping, const char *key)
{
	if (!mapping || mapping->shape != CONFIG_MAPPING)
		return NULL;
	for (const struct config_node *node = mapping->first; node; node = node->next) {
		if (strcmp(node->key, key) == 0)
			return node;
	}
	return NULL;
}

/* The bytes of a path's first step when it leads to node, else 0. */
static size_t step_length(const struct config_node *node, const char *path)
{
	char index[24];
	size_t len;

	if (!node->key) {
		len = (size_t)snprintf(index, sizeof(index), "[%zu]", node->index);
		return strncmp(path, index, len) == 0 ? len : 0;
	}
	len = strcspn(path, ".[");
	return strlen(node->key) == len && strncmp(path, node->key, len) == 0 ? len : 0;
}

/* Follows *path as far as it leads, and leaves in it what is left; NULL: nowhere. */
static const struct config_node *follow(const struct config_node *root, const char **path)
{
	const struct config_node *node = root ? root->first : NULL;
	const struct config_node *found = NULL;

	while (node && **path) {
		size_t len = step_length(node, *path);

		if (len == 0) {
			node = node->next;
			continue;
		}
		*path += len;
		*path += **path == '.';
		found = node;
		node = node->first;
	}
	return found;
}

bool config_yaml_has(const struct config_node *root, const char *path)
{
	return follow(root, &path) && !*path;
}

unsigned config_yaml_line(const struct config_node *root, const char *path)
{
	const struct config_node *node = follow(root, &path);

	return node ? node->line : 0;
}

void config_yaml_write_path(const struct config_node *node, struct why *why)
{
	char shown[64];

	if (!node->up)
		return;
	config_yaml_write_path(node->up, why);
	if (node->key) {
		why_append(why, "%s%s", node->up->up ? "." : "",
			text_show(node->key, shown, sizeof(shown)));
	} else {
		why_append(why, "[%zu]", node->index);
	}
}
