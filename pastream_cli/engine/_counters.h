/* The list of what the callback counts of a run: each includer defines COUNTER(type, name).
 *
 * It makes the struct that the owner reads (_engine.h), the atomics that the callback writes
 * (_state.h), and the code that reads and resets these (_engine.c). What it counts of each copy is
 * in _copy_counters.h.
 */

COUNTER(int64_t, callbacks)
COUNTER(int64_t, position)            /* frames since time zero, lost ones included */
COUNTER(int64_t, time_zero_ns)        /* monotonic; 0 before the first frame of the take */
COUNTER(int64_t, clock_zero_ns)       /* monotonic; since when frames are due; 0: not yet */
COUNTER(int64_t, waited_frames)       /* since then and before time zero, see engine_begin_at */
COUNTER(int64_t, last_callback_ns)    /* monotonic; 0 before the first callback */
COUNTER(int64_t, away_frames)         /* of those lost, by the clock: there was no device */
COUNTER(int64_t, underrun_frames)     /* of silence played for want of input */
COUNTER(int64_t, underruns)           /* places in the playback where it ran dry */
COUNTER(int64_t, host_capture_flags)  /* callbacks with a flag about the input */
COUNTER(int64_t, host_playback_flags) /* callbacks with a flag about the output */
COUNTER(int64_t, paused_frames)       /* went by in pauses; not on the timeline */
COUNTER(int64_t, unlisted_losses)     /* found the owner's list full, counted above */
COUNTER(int64_t, ahead_frames)        /* came faster than the clock, see engine_expect_clock */
COUNTER(int64_t, left_out_frames)     /* of these, captured and not stored; not on the timeline */
COUNTER(int32_t, settled) /* blocks have their place on the timeline from the next one on */
COUNTER(int32_t, settling_gave_up) /* the host never stopped flagging */
COUNTER(int32_t, input_ended)      /* all of the input was played */
COUNTER(int32_t, complete)         /* the timeline is at its end */
COUNTER(int32_t, drained)          /* and the device has played all of it */
COUNTER(int32_t, ran_dry)          /* silence was played for want of frames in the playback ring */
COUNTER(int32_t, host_status)      /* every flag that the host has raised, as PortAudio has them */
