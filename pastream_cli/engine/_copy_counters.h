/* The list of what the callback counts of each copy: each includer defines COUNTER(type, name).
 *
 * It makes the struct that the owner reads (_engine.h), the atomics that the callback writes
 * (_state.h), and the code that reads and resets these (_engine.c). The counts of the first copy
 * are those of the run.
 */

COUNTER(int64_t, stored_frames)      /* put into its ring */
COUNTER(int64_t, lost_frames)        /* of capture, and those that went by without a device */
COUNTER(int64_t, losses)             /* places in the capture where frames were lost */
COUNTER(int64_t, capture_high_water) /* the most frames that ever waited in its ring */
COUNTER(int32_t, overran)            /* frames were dropped for want of room in its ring */
