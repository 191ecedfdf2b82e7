/* Streams of ALSA's plug-in for PulseAudio have the channels of a source or sink, one by one. */
#ifndef PASTREAM_PULSE_H
#define PASTREAM_PULSE_H

#include <stdint.h>

/* What is opened by this thread from now on has these positions (pa_channel_position_t, at most 32)
 * for its channels; 0 of them: those that the plug-in gives them. */
void pulse_choose_positions(const int32_t *captured, int32_t captured_channels,
                            const int32_t *played, int32_t played_channels);

#endif
