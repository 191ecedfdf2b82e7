/* Leads streams of ALSA's plug-in for PulseAudio to a source or sink, with its channels. */
#ifndef PASTREAM_PULSE_H
#define PASTREAM_PULSE_H

#include <stdint.h>

/* What is opened by this thread from now on records from this source and plays to this sink; "":
 * the server's default. It has these positions (pa_channel_position_t, at most 32) for its
 * channels; 0 of them: those that the plug-in gives them. */
void pulse_choose(const char *source, const int32_t *captured, int32_t captured_channels,
                  const char *sink, const int32_t *played, int32_t played_channels);

/* Tells whether something that this thread opened since has taken the choice. If not, the linker
 * gave the plug-in libpulse's own functions, or a name has more than 1023 bytes. */
int32_t pulse_choice_is_taken(void);

#endif
