/*
 * Configuration files: any bytes are parsed, checked and written. What was
 * parsed without an error is written so that it parses to the same again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/check.h"
#include "config/sendmail_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct schema *schema, const void *conf, struct arena *arena)
{
	struct buf first = BUF_INIT(SIZE_MAX), second = BUF_INIT(SIZE_MAX);
	void *again = arena_alloc(arena, schema->size);
	struct sconf_errors errors;
	struct sconf_file file;

	schema_write(schema, conf, &first);
	sconf_errors_init(&errors, arena);
	file = sconf_file(SLICE("w"), buf_slice(&first), &errors);
	schema_parse(schema, &file, arena, again);
	schema_write(schema, again, &second);
	if (errors.errors > 0 ||
	    !slice_eq(buf_slice(&first), buf_slice(&second)))
		abort();
	buf_free(&first);
	buf_free(&second);
}

static void
check_domains(struct arena *arena, const struct sconf_file *file,
    const struct domains_conf *conf)
{
	static const char mox_conf[] =
	    "DataDir: d\nLogLevel: info\nHostname: h.example\n"
	    "Listeners:\n\tl:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n"
	    "Postmaster:\n\tAccount: a\n\tMailbox: Inbox\n";
	struct config config = { .arena = arena };
	struct check_model model;

	config.file = sconf_file(SLICE("mox.conf"), slice_str(mox_conf), NULL);
	schema_parse(&mox_conf_schema, &config.file, arena, &config.mox);
	check_domains_conf(&config, file, conf, arena, &model);
	check_model_free(&model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct schema *const schemas[] = { &mox_conf_schema,
		&domains_conf_schema, &sendmail_conf_schema };
	struct arena *arena;
	struct sconf_errors errors;
	struct sconf_file file;
	const struct schema *schema;
	void *conf;

	if (size == 0)
		return 0;
	arena = arena_new(0);
	sconf_errors_init(&errors, arena);
	schema = schemas[data[0] % 3];
	conf = arena_alloc(arena, schema->size);
	file = sconf_file(SLICE("f"),
	    slice_of((const char *)data + 1, size - 1), &errors);
	schema_parse(schema, &file, arena, conf);
	if (errors.errors == 0)
		round_trip(schema, conf, arena);
	if (schema == &domains_conf_schema)
		check_domains(arena, &file, conf);
	if (schema == &mox_conf_schema) {
		struct config config = { .arena = arena, .file = file };

		config.mox = *(const struct mox_conf *)conf;
		check_mox_conf(&config);
	}
	sconf_errors_sort(&errors);
	for (size_t i = 0; i < errors.n; i++)
		sconf_error_format(&errors.v[i], arena);
	arena_free(&arena);
	return 0;
}
