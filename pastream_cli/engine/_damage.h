/* Damage in a FLAC: where the sound goes on behind it. */
#ifndef PASTREAM_DAMAGE_H
#define PASTREAM_DAMAGE_H

#include "_chain_link.h"

/* Called when the decoder of a link that is FLAC has failed. Has the link go on with the first
 * block behind `place` that can be decoded, and with silence for the frames before it. Returns
 * false if there is none, or memory is short. */
int go_on_behind_damage(struct chain_link *l, int sample);

/* Called when the decoder of a link that is FLAC cannot go to a frame. Has the source stand where
 * the function above begins to look, if it is to find that frame. */
void stand_before_frame(const struct chain_link *l, int64_t frame);

#endif
