/* What can be asked of the stream of ALSA's that PortAudio captures from. */
#ifndef PASTREAM_ALSA_H
#define PASTREAM_ALSA_H

#include <stdint.h>

/* Returns how many frames were captured, by the sound server too, that the program has not been
 * given yet; fewer than 0 where nobody says. Not while the stream is opened or closed. */
int64_t alsa_held_frames(void);

#endif
