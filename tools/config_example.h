/*
 * config_example - pieces of configuration to copy from.
 */
#ifndef TOOLS_CONFIG_EXAMPLE_H
#define TOOLS_CONFIG_EXAMPLE_H

struct config_example {
	const char *name;
	const char *text;
};

extern const struct config_example config_examples[]; /* ended by name NULL */

#endif
