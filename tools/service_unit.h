/*
 * service_unit - the systemd unit that runs mox-serve.
 */
#ifndef TOOLS_SERVICE_UNIT_H
#define TOOLS_SERVICE_UNIT_H

#include "base/buf.h"

/*
 * Append the unit for the installation in folder (absolute), with the
 * mox-serve that stands beside the present program.
 */
void service_unit(const char *folder, struct buf *b);

#endif
