/* The pump: copies a stream to libsndfile through another pipe, and puts its header, which was read
 * already, back in front. It runs on a thread of the owner, without the interpreter's lock. */
#include "_pump.h"

#include <unistd.h>

#include "_pipe.h"

enum { PUMP_BYTES = 65536 };

void pump_run(const struct pump *p) {
    unsigned char bytes[PUMP_BYTES];
    int64_t count = p->first_bytes;
    int is_open = write_all(p->target, p->first, count);
    while (is_open && (count = read_some(p->source, p->target, bytes, sizeof bytes)) > 0)
        is_open = write_all(p->target, bytes, count);
    close(p->target);
}
