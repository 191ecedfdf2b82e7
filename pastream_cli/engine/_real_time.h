/* Included first in the real-time files: turns off checks that GCC adds by itself and that would
 * cost time in every block. The rest of the engine has them, see _build.py. */
#ifndef PASTREAM_REAL_TIME_H
#define PASTREAM_REAL_TIME_H

#undef _FORTIFY_SOURCE
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-stack-protector")
#endif

#endif
