/* First of all in what the callback runs: no checks of GCC's own (clang keeps its stack protector),
 * for which it would pay with every block. The rest of the engine has them, see _build.py. */
#ifndef PASTREAM_REAL_TIME_H
#define PASTREAM_REAL_TIME_H

#undef _FORTIFY_SOURCE
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-stack-protector")
#endif

#endif
