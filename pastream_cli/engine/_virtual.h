/* The virtual device, whose clock calls attachment_callback. cffi reads this file too. */
#ifndef PASTREAM_VIRTUAL_H
#define PASTREAM_VIRTUAL_H

#include <stdint.h>

#include "_engine.h"

enum virtual_sound { VIRTUAL_LOOPBACK, VIRTUAL_SILENCE, VIRTUAL_SINE, VIRTUAL_NOISE };

enum virtual_fault_kind { FAULT_NONE, FAULT_XRUN, FAULT_STALL, FAULT_DIE, FAULT_HANG };

enum { MOST_FAULTS = 32 };

typedef struct virtual_device virtual_device;

virtual_device *virtual_new(attachment *a, double frames_per_second, int sound, double sine_hz,
                            int64_t block_frames, int fast, int64_t tolerance_frames);
/* Makes the device's clock run faster than the system's by so many parts per million. Call before
 * virtual_run. */
void virtual_set_drift(virtual_device *v, double parts_per_million);
void virtual_free(virtual_device *v);
/* For how long a fast device waits for whoever fills the playback ring (the source) or empties the
 * capture ring (the sink), if that makes no progress. -1, the default, is for ever. After the wait
 * the device goes on like one that is not fast. */
void virtual_wait_at_most(virtual_device *v, int64_t source_ns, int64_t sink_ns);
/* Has the device go on with the clock of an earlier one, which was started at `since_ns`. What that
 * clock has passed, faults too, does not come again. Call before virtual_run. */
void virtual_go_on(virtual_device *v, int64_t since_ns);
/* When the clock was started, by the monotonic clock; 0: not yet. */
int64_t virtual_started_ns(const virtual_device *v);
/* every_frames: the fault repeats after so many frames; 0: it happens once. */
int virtual_add_fault(virtual_device *v, int kind, int64_t at_frame, int64_t frames,
                      int64_t every_frames);
void virtual_run(virtual_device *v);
void virtual_stop(virtual_device *v);
/* Stops a device that is leaked, and ends the hang that it simulates. */
void virtual_abort(virtual_device *v);
int virtual_is_active(const virtual_device *v);

#endif
