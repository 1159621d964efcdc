/* arc_int - the sets of a header; shared by verify and seal. */
#ifndef ARC_ARC_INT_H
#define ARC_ARC_INT_H

#include "arc/arc.h"

enum arc_field { ARC_RESULTS, ARC_MESSAGE, ARC_SEAL, ARC_FIELDS };
extern const char *const arc_field_names[ARC_FIELDS];

struct arc_fields {
	const struct dkim_field *v[ARC_FIELDS]; /* NULL: not there */
};

struct arc_sets {
	struct arc_fields v[ARC_SETS_MAX]; /* instance 1 first */
	unsigned n;                        /* highest instance */
	const char *wrong;                 /* a field that fits nowhere */
};

/* Sort the fields of the header. Slices are those of the stream. */
void arc_collect(const struct dkim_stream *s, struct arc_sets *sets_r);

#endif
